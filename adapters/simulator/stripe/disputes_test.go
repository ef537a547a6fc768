package stripe_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/stripe"
)

// disputed is the dispute of a payment by a card that brings one.
func (h *house) disputed(t *testing.T, card string) answer {
	t.Helper()
	payment := h.paid(t, stripe.NamedCards[card]).text("id")
	list := h.get(t, "/disputes", "payment_intent", payment)
	require.Equal(t, []string{payment}, list.texts(t, "payment_intent"))
	return h.get(t, "/disputes/"+list.text("data.0.id"))
}

// upload sends a file, as stripe-go does.
func (h *house) upload(t *testing.T, purpose, name string, content []byte) answer {
	t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	require.NoError(t, parts.WriteField("purpose", purpose))
	part, err := parts.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
	require.NoError(t, parts.Close())
	return h.send(t, http.MethodPost, "/files", parts.FormDataContentType(), body.String())
}

func TestAChargebackIsAnswered(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text, status string
		net          []string
	}{
		"won":          {"winning_evidence", "won", []string{"-4000", "2500"}},
		"lost":         {"losing_evidence", "lost", []string{"-4000"}},
		"under review": {"It was delivered.", "under_review", []string{"-4000"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			d := h.disputed(t, "disputed")
			require.Equal(t, "needs_response", d.text("status"))
			require.Equal(t, fmt.Sprint(start+9*24*3600), d.text("evidence_details.due_by"))
			require.Equal(t, "1500", d.text("balance_transactions.0.fee"))
			require.Len(t, h.told(t, "charge.dispute.funds_withdrawn"), 1)

			path := "/disputes/" + d.text("id")
			staged := h.do(t, path, "evidence[customer_name]", "Ann", "submit", "false")
			require.Equal(t, "needs_response", staged.text("status"))
			require.Equal(t, "true", staged.text("evidence_details.has_evidence"))
			require.Equal(t, "0", staged.text("evidence_details.submission_count"))
			sent := h.do(t, path, "evidence[uncategorized_text]", test.text)
			require.Equal(t, test.status, sent.text("status"))
			require.Equal(t, "Ann", sent.text("evidence.customer_name"))
			require.Equal(t, "1", sent.text("evidence_details.submission_count"))
			for n, net := range test.net {
				require.Equal(t, net, sent.text(fmt.Sprintf("balance_transactions.%d.net", n)))
			}
			require.Equal(t, "<nil>", sent.text(fmt.Sprintf("balance_transactions.%d", len(test.net))))
			h.post(t, path, "evidence[customer_name]", "Bob").refuses(t, http.StatusBadRequest, "<nil>", "<nil>")
			h.post(t, path+"/close").refuses(t, http.StatusBadRequest, "<nil>", "<nil>")
			require.Len(t, h.told(t, "charge.dispute.updated"), 2)
			require.Len(t, h.told(t, "charge.dispute.funds_reinstated"), len(test.net)-1)
			h.advance(400 * day)
			require.Equal(t, test.status, h.get(t, path).text("status"), "it was answered in time")
		})
	}
}

func TestDisputesEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	accepted := h.disputed(t, "disputed")
	require.Equal(t, "lost", h.do(t, "/disputes/"+accepted.text("id")+"/close").text("status"))
	h.post(t, "/refunds", "charge", accepted.text("charge")).refuses(t, http.StatusBadRequest, "charge_disputed", "<nil>")
	late := h.disputed(t, "disputed")
	h.advance(9 * day)
	late = h.get(t, "/disputes/"+late.text("id"))
	require.Equal(t, "lost", late.text("status"))
	require.Equal(t, "true", late.text("evidence_details.past_due"))
	require.Len(t, h.told(t, "charge.dispute.closed"), 2)
}

func TestInquiries(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := h.disputed(t, "inquiry")
	require.Equal(t, "warning_needs_response", d.text("status"))
	require.Equal(t, "true", d.text("is_charge_refundable"))
	require.Equal(t, "<nil>", d.text("balance_transactions.0"), "nothing is taken yet")

	h.advance(5 * day)
	require.NoError(t, h.sim.CloseDispute(d.text("id"), "escalated"))
	require.ErrorIs(t, h.sim.CloseDispute(d.text("id"), "escalated"), engine.ErrNotInquiry)
	d = h.get(t, "/disputes/"+d.text("id"))
	require.Equal(t, "needs_response", d.text("status"))
	require.Equal(t, fmt.Sprint(start+14*24*3600), d.text("evidence_details.due_by"), "there is time for it again")
	require.Equal(t, "-4000", d.text("balance_transactions.0.net"))
	h.advance(5 * day)
	require.Equal(t, "needs_response", h.get(t, "/disputes/"+d.text("id")).text("status"))
	h.advance(4 * day)
	require.Equal(t, "lost", h.get(t, "/disputes/"+d.text("id")).text("status"))

	accepted := h.disputed(t, "inquiry")
	require.Equal(t, "warning_closed", h.do(t, "/disputes/"+accepted.text("id")+"/close").text("status"))
	refunded := h.disputed(t, "inquiry")
	h.do(t, "/refunds", "charge", refunded.text("charge"))
	require.Equal(t, "warning_closed", h.get(t, "/disputes/"+refunded.text("id")).text("status"))
	answered := h.disputed(t, "inquiry")
	require.Equal(t, "warning_under_review", h.do(t, "/disputes/"+answered.text("id"), "evidence[receipt]", h.upload(t, "dispute_evidence", "a.pdf", []byte("%PDF-1.4")).text("id")).text("status"))
	h.advance(111 * day)
	require.Equal(t, "warning_under_review", h.get(t, "/disputes/"+answered.text("id")).text("status"))
	h.advance(9 * day)
	require.Equal(t, "warning_closed", h.get(t, "/disputes/"+answered.text("id")).text("status"))
	silent := h.disputed(t, "inquiry")
	h.advance(9 * day)
	require.Equal(t, "lost", h.get(t, "/disputes/"+silent.text("id")).text("status"))
}

func TestEvidenceIsChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	path := "/disputes/" + h.disputed(t, "disputed").text("id")
	h.post(t, path, "evidence[colour]", "red").refuses(t, http.StatusBadRequest, "parameter_unknown", "evidence[colour]")
	h.post(t, path, "evidence[receipt]", "file_nothing").refuses(t, http.StatusBadRequest, "resource_missing", "evidence[receipt]")
	h.post(t, path, "evidence[uncategorized_text]", strings.Repeat("x", 20_001)).refuses(t, http.StatusBadRequest, "<nil>", "evidence[uncategorized_text]")
	var all []string
	for _, field := range []string{
		"access_activity_log", "billing_address", "cancellation_rebuttal", "customer_name", "duplicate_charge_id", "product_description", "service_date", "shipping_date",
	} {
		all = append(all, "evidence["+field+"]", strings.Repeat("ü", 18_750))
	}
	h.do(t, path, append(all, "submit", "false")...)
	h.post(t, path, "evidence[shipping_carrier]", "x").refuses(t, http.StatusBadRequest, "<nil>", "evidence")
	h.do(t, path, "evidence[customer_name]", "", "submit", "false")
	require.Equal(t, "<nil>", h.get(t, path).text("evidence.customer_name"), "an empty value takes a field away")
	require.Equal(t, "needs_response", h.get(t, path).text("status"))
	h.post(t, "/disputes/dp_nothing").refuses(t, http.StatusNotFound, "resource_missing", "dispute")
}

func TestFilesAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	png := []byte("\x89PNG\r\n\x1a\n")
	made := h.upload(t, "dispute_evidence", "receipt.png", png)
	require.Equal(t, http.StatusOK, made.Status, made.Text)
	require.Equal(t, "png", made.text("type"))
	require.Equal(t, "8", made.text("size"))
	require.Equal(t, made.Body, h.get(t, "/files/"+made.text("id")).Body)
	require.Equal(t, "jpg", h.upload(t, "dispute_evidence", "a", append([]byte("\xff\xd8\xff"), make([]byte, 5<<20-3)...)).text("type"), "5 MB are taken")
	h.upload(t, "dispute_evidence", "a", append([]byte("\xff\xd8\xff"), make([]byte, 5<<20-2)...)).refuses(t, http.StatusBadRequest, "<nil>", "file")
	require.Equal(t, http.StatusBadRequest, h.upload(t, "dispute_evidence", "a", make([]byte, 6<<20)).Status)
	h.upload(t, "dispute_evidence", "receipt.png", []byte("GIF89a")).refuses(t, http.StatusBadRequest, "<nil>", "file")
	h.upload(t, "identity_document", "a.png", png).refuses(t, http.StatusBadRequest, "<nil>", "purpose")
	h.post(t, "/files", "purpose", "dispute_evidence").refuses(t, http.StatusBadRequest, "parameter_missing", "file")
}
