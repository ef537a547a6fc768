package paypal_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/adapters/simulator"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// house is a simulated PayPal with an account at it. Its clock and the adapter's go together.
type house struct {
	*paypal.Adapter

	base    string // of the simulator
	elapsed *time.Duration
}

func simulate(t *testing.T) house {
	t.Helper()
	sim, err := simulator.New(simulator.Options{PayPal: []simulator.PayPalAccount{{ClientID: "client", ClientSecret: "topsecret"}}})
	require.NoError(t, err)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		sim.Close()
	})
	h := house{base: server.URL, elapsed: new(time.Duration)}
	with := options()
	with.APIBase, with.Now = server.URL+"/paypal", func() time.Time { return time.Now().Add(*h.elapsed) }
	h.Adapter = newAdapter(t, with)
	return h
}

// post makes a call of the simulator's and gives its answer.
func (h house) post(t *testing.T, path, kind, body string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", kind)
	client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, text
}

// control does what only the simulator can, and gives the id of what came of it.
func (h house) control(t *testing.T, path string, body map[string]any) string {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	status, answer := h.post(t, "/_control/"+path, "application/json", string(text))
	require.Equal(t, http.StatusOK, status, "%s", answer)
	var told struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal(answer, &told))
	return told.ID
}

func (h house) elapse(t *testing.T, by time.Duration) {
	t.Helper()
	h.control(t, "clock/advance", map[string]any{"by": by.String()})
	*h.elapsed += by
}

// agree is the buyer at one of PayPal's pages, with a card inside of the wallet or, by the
// funding, as it is.
func (h house) agree(t *testing.T, page, number, funding string) {
	t.Helper()
	form := url.Values{"number": {number}, "cvc": {"123"}, "exp_month": {"12"}, "exp_year": {"2034"}, "funding": {funding}}
	status, text := h.post(t, page, "application/x-www-form-urlencoded", form.Encode())
	if bytes.Contains(text, []byte("complete-authentication")) {
		status, text = h.post(t, page, "application/x-www-form-urlencoded", url.Values{"outcome": {"complete"}}.Encode())
	}
	require.Contains(t, []int{http.StatusOK, http.StatusSeeOther}, status, "%s", text)
	require.NotContains(t, string(text), "<form", "it was not agreed to")
}

// The simulator's cards by what they do.
const (
	cardGood          = "4012888888881881"
	cardRefundPending = "4000000000007726"
	cardRefundFails   = "4000000000005126"
	cardDeclinedLater = "4000000000000341"
	cardAsksLater     = "4000002760003184"
)

// paid is an order that a buyer agreed to and whose money our server asked for.
func (h house) paid(t *testing.T, mode core.CaptureMode, number string) core.PaymentSnapshot {
	t.Helper()
	return h.paidAs(t, ours, mode, number)
}

func (h house) paidAs(t *testing.T, payment core.PaymentID, mode core.CaptureMode, number string) core.PaymentSnapshot {
	t.Helper()
	in := confirmation(t, mode)
	in.Payment = payment
	session, err := h.CreatePayment(t.Context(), key(), in.CreatePayment)
	require.NoError(t, err)
	in.Ref = session.Snapshot.Ref
	h.agree(t, "/paypal/checkoutnow?token="+in.Ref.ID, number, "")
	seen, err := h.ConfirmPayment(t.Context(), key(), in)
	require.NoError(t, err)
	return seen
}

func TestSimulatedRefunds(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	taken := h.paid(t, core.CaptureAutomatic, cardGood)
	in := ports.RefundPayment{Refund: ourRefund, Payment: ours, Ref: taken.Ref, Amount: money(t, 4_00, "EUR"), Reason: core.RefundDuplicate}
	made, err := h.RefundPayment(t.Context(), "op_r", in)
	require.NoError(t, err)
	require.Equal(t, core.RefundID(ourRefund), made.Refund)
	again, err := h.RefundPayment(t.Context(), "op_r", in)
	require.NoError(t, err)
	require.Equal(t, made, again, "one effect under one key")
	seen, err := h.GetRefund(t.Context(), made.Ref)
	require.NoError(t, err)
	require.Equal(t, made, seen)
	require.Equal(t, taken.Ref, seen.Payment)

	elsewhere := h.control(t, "refunds", map[string]any{"account": "paypal", "payment": ours, "amount": 100})
	all, err := h.PaymentRefunds(t.Context(), taken.Ref)
	require.NoError(t, err)
	require.Len(t, all, 2)
	ids := map[string]core.RefundID{all[0].Ref.ID: all[0].Refund, all[1].Ref.ID: all[1].Refund}
	require.Equal(t, map[string]core.RefundID{made.Ref.ID: ourRefund, elsewhere: ""}, ids)
	payment, err := h.GetPayment(t.Context(), taken.Ref)
	require.NoError(t, err)
	require.Equal(t, money(t, 5_00, "EUR"), payment.Refunded)

	for number, want := range map[string]core.RefundStatus{cardRefundPending: core.RefundSucceeded, cardRefundFails: core.RefundFailed} {
		in.Ref = h.paid(t, core.CaptureAutomatic, number).Ref
		made, err := h.RefundPayment(t.Context(), key(), in)
		require.NoError(t, err)
		require.Equal(t, core.RefundPending, made.Status)
		h.elapse(t, 6*24*time.Hour)
		seen, err := h.GetRefund(t.Context(), made.Ref)
		require.NoError(t, err)
		require.Equal(t, want, seen.Status)
		require.Equal(t, want == core.RefundFailed, seen.Failure != nil)
	}
}

// TestSimulatedRenewal: what PayPal does not honor any more is held anew before it is taken.
func TestSimulatedRenewal(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	held := h.paid(t, core.CaptureManual, cardGood)
	require.WithinDuration(t, time.Now().Add(29*24*time.Hour), held.CaptureBefore, time.Minute)
	h.elapse(t, 5*24*time.Hour)
	for range 2 {
		taken, err := h.CapturePayment(t.Context(), "op_c", held.Ref, money(t, 6_00, "EUR"))
		require.NoError(t, err)
		require.Equal(t, core.PaymentSucceeded, taken.Status)
		require.Equal(t, money(t, 6_00, "EUR"), taken.Captured)
		require.Zero(t, taken.CaptureBefore)
	}
	renewed := 0
	for _, line := range h.requests(t) {
		if strings.HasSuffix(line, "/reauthorize") {
			renewed++
		}
	}
	require.Equal(t, 1, renewed)
}

// requests are the paths that the simulator was asked for.
func (h house) requests(t *testing.T) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+"/_control/requests", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var list struct {
		Data []struct {
			Path string `json:"path"`
		} `json:"data"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
	paths := make([]string, len(list.Data))
	for n, one := range list.Data {
		paths[n] = one.Path
	}
	return paths
}

func TestSimulatedDisputes(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	taken := h.paid(t, core.CaptureAutomatic, cardGood)
	id := h.control(t, "disputes", map[string]any{"account": "paypal", "payment": ours, "reason": "product_not_received", "amount": 700})
	ref := core.ProviderRef{Account: "paypal", Kind: core.ObjectDispute, ID: id}
	open, err := h.GetDispute(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, core.DisputeNeedsResponse, open.Status)
	require.Equal(t, core.DisputeNotReceived, open.Reason)
	require.Equal(t, taken.Ref, open.Payment)
	require.Equal(t, money(t, 7_00, "EUR"), open.Amount)
	require.True(t, open.CanSubmit && open.CanAccept)
	require.WithinDuration(t, time.Now().Add(10*24*time.Hour), open.DueAt, time.Minute)
	all, err := h.PaymentDisputes(t.Context(), taken.Ref)
	require.NoError(t, err)
	require.Equal(t, []core.DisputeSnapshot{open}, all)

	in := evidence(ref)
	for range 2 {
		sent, err := h.SubmitEvidence(t.Context(), "op_e", in)
		require.NoError(t, err, "what is there already is a success")
		require.Equal(t, core.DisputeUnderReview, sent.Status)
		require.False(t, sent.CanSubmit)
		require.Zero(t, sent.DueAt)
	}
	in.Texts[core.EvidenceOtherText] = "Something else."
	_, err = h.SubmitEvidence(t.Context(), "op_f", in)
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)
	h.control(t, "disputes/"+id, map[string]any{"outcome": "won"})
	won, err := h.GetDispute(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, core.DisputeWon, won.Status)
	_, err = h.AcceptDispute(t.Context(), "op_a", ports.AcceptDispute{Ref: ref, Amount: won.Amount})
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)

	inquired := h.paid(t, core.CaptureAutomatic, "4000000000001976")
	all, err = h.PaymentDisputes(t.Context(), inquired.Ref)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, core.DisputeInquiry, all[0].Status)
	for range 2 {
		given, err := h.AcceptDispute(t.Context(), "op_g", ports.AcceptDispute{Ref: all[0].Ref, Amount: all[0].Amount})
		require.NoError(t, err)
		require.Equal(t, core.DisputeAccepted, given.Status)
		require.False(t, given.CanAccept)
	}
}

// saved is a way to pay that a buyer left.
func (h house) saved(t *testing.T, kind, number string) core.MethodSnapshot {
	t.Helper()
	in := ports.CreateSetup{Method: ourMethod, Customer: ourCustomer, ReturnURL: "https://shop.example/return", MethodType: kind}
	session, err := h.CreateSetup(t.Context(), key(), in)
	require.NoError(t, err)
	require.Equal(t, ports.ActionPayPalSave, session.Action.Type)
	require.Equal(t, core.MethodPending, session.Snapshot.Status)
	setup := core.ProviderRef{Account: "paypal", Kind: core.ObjectSetup, ID: session.Snapshot.Setup}
	_, err = h.ConfirmSetup(t.Context(), key(), ports.ConfirmSetup{CreateSetup: in, Ref: setup})
	require.Equal(t, core.ClassInvalid, failure(t, err).Class, "nobody agreed")
	h.agree(t, "/paypal/agreements/approve?approval_session_id="+setup.ID, number, kind)
	session, err = h.OpenSetup(t.Context(), setup)
	require.NoError(t, err)
	require.Zero(t, session.Action)
	seen, err := h.GetMethod(t.Context(), setup)
	require.NoError(t, err)
	require.Equal(t, session.Snapshot, seen)
	require.True(t, seen.Confirmable)
	confirm := key()
	made, err := h.ConfirmSetup(t.Context(), confirm, ports.ConfirmSetup{CreateSetup: in, Ref: setup})
	require.NoError(t, err)
	again, err := h.ConfirmSetup(t.Context(), confirm, ports.ConfirmSetup{CreateSetup: in, Ref: setup})
	require.NoError(t, err)
	require.Equal(t, made, again)
	require.Equal(t, core.MethodActive, made.Status)
	require.Equal(t, setup.ID, made.Setup)
	require.NotEmpty(t, made.Customer)
	require.Equal(t, kind, made.Details.Type)
	return made
}

func TestSimulatedMethods(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	for kind, mode := range map[string]core.CaptureMode{"paypal": core.CaptureAutomatic, "card": core.CaptureManual} {
		made := h.saved(t, kind, cardGood)
		seen, err := h.GetMethod(t.Context(), made.Ref)
		require.NoError(t, err)
		require.Equal(t, made.Details, seen.Details)
		in := charge(t, made.Ref.ID, kind)
		in.Capture = mode
		for range 2 {
			paid, err := h.ChargeMethod(t.Context(), core.OperationKey("op_"+kind), in)
			require.NoError(t, err)
			require.Equal(t, core.PaymentID(ours), paid.Payment)
			require.Equal(t, map[core.CaptureMode]core.PaymentStatus{
				core.CaptureAutomatic: core.PaymentSucceeded, core.CaptureManual: core.PaymentAuthorized,
			}[mode], paid.Status)
			require.Equal(t, kind, paid.Method.Type)
		}
		for range 2 {
			require.NoError(t, h.DetachMethod(t.Context(), key(), made.Ref), "one that is gone is gone")
		}
		gone, err := h.GetMethod(t.Context(), made.Ref)
		require.NoError(t, err)
		require.Equal(t, core.MethodRemoved, gone.Status)
		_, err = h.ChargeMethod(t.Context(), key(), in)
		require.Equal(t, core.ClassInvalid, failure(t, err).Class)
		require.Equal(t, ports.ForeignMissing, failure(t, err).Foreign)
	}
	declined := h.saved(t, "card", cardDeclinedLater)
	_, err := h.ChargeMethod(t.Context(), key(), charge(t, declined.Ref.ID, "card"))
	require.Equal(t, core.ClassDeclined, failure(t, err).Class)
	require.NotEmpty(t, failure(t, err).ObjectID)
	asks := h.saved(t, "card", cardAsksLater)
	_, err = h.ChargeMethod(t.Context(), key(), charge(t, asks.Ref.ID, "card"))
	refused := failure(t, err)
	require.Equal(t, core.ClassDeclined, refused.Class)
	require.Equal(t, core.FailureAuthenticationRequired, refused.Failure().Code)
	require.NotEmpty(t, refused.ObjectID)
}
