package square_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// TestAnswersAfterTheSaleThatCannotBeUsed is the table of what a broken far end may answer to
// what follows a sale: nobody can say then what happened.
func TestAnswersAfterTheSaleThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	eu := func(kind core.ObjectKind, id string) core.ProviderRef {
		return core.ProviderRef{Account: "square_eu", Kind: kind, ID: id}
	}
	for name, body := range map[string]string{
		"HTML": `<html>topsecret</html>`, "nothing": ``, "null": `null`, "a list": `[]`, "no object": `{}`,
		"truncated": `{"dispute":{"id":"D1","state":"W`,
		"an object of no id": `{"refund":{},"dispute":{},"customer":{},"card":{},"subscription":{},"invoice":{},"payment":{},
			"evidence":{},"catalog_object":{}}`,
		"objects of others": `{"refund":{"id":"X"},"dispute":{"id":"X"},"card":{"id":"X"},"subscription":{"id":"X"},"invoice":{"id":"X"},
			"evidence":{"id":"X","dispute_id":"X"},"payment":{"id":"X"},"catalog_object":{"id":"X","type":"ITEM"}}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "req_1")
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		adapter := euAdapter(t, server.URL, nil)
		ctx, subscription, dispute := t.Context(), eu(core.ObjectSubscription, "S1"), eu(core.ObjectDispute, "D1")
		creating := subscribing(t)
		for op, do := range map[string]func() error{
			"square_eu get refund R1":       func() error { _, err := adapter.GetRefund(ctx, eu(core.ObjectRefund, "R1")); return err },
			"square_eu list refunds of P1":  func() error { _, err := adapter.PaymentRefunds(ctx, eu(core.ObjectPayment, "P1")); return err },
			"square_eu get dispute D1":      func() error { _, err := adapter.GetDispute(ctx, dispute); return err },
			"square_eu get method ccof:C1":  func() error { _, err := adapter.GetMethod(ctx, eu(core.ObjectMethod, "ccof:C1")); return err },
			"square_eu get subscription S1": func() error { _, err := adapter.GetSubscription(ctx, subscription); return err },
			"square_eu get invoice inv:1":   func() error { _, err := adapter.GetInvoice(ctx, eu(core.ObjectInvoice, "inv:1")); return err },
			"square_eu pause S1":            func() error { _, err := adapter.PauseSubscription(ctx, "op_1", subscription); return err },
			"square_eu detach ccof:C1":      func() error { return adapter.DetachMethod(ctx, "op_1", eu(core.ObjectMethod, "ccof:C1")) },
			"square_eu accept D1": func() error {
				_, err := adapter.AcceptDispute(ctx, "op_1", ports.AcceptDispute{Ref: dispute})
				return err
			},
			"square_eu submit evidence for D1": func() error {
				_, err := adapter.SubmitEvidence(ctx, "op_1", ports.SubmitEvidence{Ref: dispute, Texts: map[core.EvidenceField]string{core.EvidenceOtherText: "x"}})
				return err
			},
			"square_eu save " + ourMethod: func() error {
				_, err := adapter.ConfirmSetup(ctx, "op_1", ports.ConfirmSetup{
					CreateSetup: ports.CreateSetup{Method: ourMethod, ProviderCustomer: "CUS1"}, Source: "topsecret",
				})
				return err
			},
			"square_eu subscribe " + ourSubscription: func() error { _, err := adapter.CreateSubscription(ctx, "op_1", creating); return err },
			"square_eu create price for prc_1":       func() error { _, err := adapter.CreatePrice(ctx, "op_1", creating.Price); return err },
			"square_eu create customer for " + ourCustomer: func() error {
				_, err := adapter.CreateCustomer(ctx, "op_1", ports.CreateCustomer{Customer: ourCustomer, Email: "topsecret@shop.example"})
				return err
			},
		} {
			if name == "objects of others" && op == "square_eu create customer for "+ourCustomer {
				continue // which one it is, such an answer makes known
			}
			refused := providerError(t, do())
			require.Equal(t, core.ClassUnknown, refused.Class, "%s: %s", op, name)
			require.Equal(t, op, refused.Op, name)
			require.Equal(t, "req_1", refused.RequestID, "%s: %s", op, name)
			require.NotContains(t, refused.Error(), "topsecret")
		}
	}
}
