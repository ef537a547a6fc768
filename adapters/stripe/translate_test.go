package stripe_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// intent is a payment intent of 20 dollars as Stripe shows it, with more of its fields.
func intent(more string) string {
	return `{"id":"pi_1","object":"payment_intent","amount":2000,"currency":"usd","created":1700000000,"livemode":false,"client_secret":"pi_1_secret_x"` + more + `}`
}

// charge is its latest charge.
func charge(more string) string {
	return `,"latest_charge":{"id":"ch_1","object":"charge","amount":2000,"currency":"usd"` + more + `}`
}

// TestStatuses is the table of Stripe's statuses in our words.
func TestStatuses(t *testing.T) {
	t.Parallel()
	const failed = `,"last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}`
	for _, c := range []struct {
		name, intent                   string
		status                         core.PaymentStatus
		authorized, captured, refunded int64
		payable                        bool
	}{
		{"new", `,"status":"requires_payment_method"`, core.PaymentRequiresAction, 0, 0, 0, true},
		{"declined", `,"status":"requires_payment_method"` + failed + charge(`,"status":"failed"`), core.PaymentFailed, 0, 0, 0, true},
		{"to be confirmed", `,"status":"requires_confirmation"`, core.PaymentRequiresAction, 0, 0, 0, true},
		{"3-D Secure after a decline", `,"status":"requires_action"` + failed, core.PaymentRequiresAction, 0, 0, 0, true},
		{"processing", `,"status":"processing"`, core.PaymentProcessing, 0, 0, 0, false},
		{"authorized", `,"status":"requires_capture","amount_capturable":2000` + charge(`,"status":"succeeded"`), core.PaymentAuthorized, 2000, 0, 0, false},
		{"captured", `,"status":"succeeded","amount_received":2000` + charge(`,"status":"succeeded","amount_captured":2000`), core.PaymentSucceeded, 2000, 2000, 0, false},
		{"captured in part, the rest released", `,"status":"succeeded","amount_received":1500` + charge(`,"status":"succeeded","amount_captured":1500,"amount_refunded":500`), core.PaymentSucceeded, 2000, 1500, 0, false},
		{"captured in part, some of it given back", `,"status":"succeeded","amount_received":1500` + charge(`,"status":"succeeded","amount_captured":1500,"amount_refunded":700`), core.PaymentSucceeded, 2000, 1500, 200, false},
		{"refunded", `,"status":"succeeded","amount_received":2000` + charge(`,"status":"succeeded","amount_captured":2000,"amount_refunded":2000`), core.PaymentSucceeded, 2000, 2000, 2000, false},
		{"canceled", `,"status":"canceled"`, core.PaymentCanceled, 0, 0, 0, false},
		{"abandoned", `,"status":"canceled","cancellation_reason":"automatic"`, core.PaymentCanceled, 0, 0, 0, false},
		{"voided", `,"status":"canceled"` + charge(`,"status":"succeeded","amount_refunded":2000`), core.PaymentCanceled, 2000, 0, 0, false},
		{"authorization ran out", `,"status":"canceled","cancellation_reason":"automatic"` + charge(`,"status":"succeeded","amount_refunded":2000`), core.PaymentExpired, 2000, 0, 0, false},
		{"canceled after a decline", `,"status":"canceled"` + failed + charge(`,"status":"failed"`), core.PaymentCanceled, 0, 0, 0, false},
		{"not invented yet", `,"status":"requires_patience"`, "", 0, 0, 0, false},
	} {
		seen, err := answering(t, http.StatusOK, intent(c.intent)).GetPayment(t.Context(), pi1)
		require.NoError(t, err, c.name)
		require.Equal(t, c.status, seen.Status, c.name)
		require.Equal(t, c.payable, seen.Payable, c.name)
		for _, amount := range []struct {
			want int64
			got  core.Money
		}{{2000, seen.Amount}, {c.authorized, seen.Authorized}, {c.captured, seen.Captured}, {c.refunded, seen.Refunded}} {
			require.Equal(t, money(t, amount.want, "USD"), amount.got, c.name)
		}
		require.Equal(t, c.status == core.PaymentFailed, seen.Failure != nil, c.name)
		if seen.Failure != nil {
			require.Equal(t, core.NewFailure(core.FailureInsufficientFunds, "insufficient_funds"), seen.Failure)
		}
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	own := core.NewID[core.PaymentID]([16]byte{1})
	body := `{"id":"pi_1","object":"payment_intent","amount":500,"currency":"isk","created":1700000000,"livemode":true,"client_secret":"pi_1_secret_x",
		"status":"succeeded","amount_received":500,"metadata":{"paydesk_payment":"` + string(own) + `"},
		"latest_charge":{"id":"ch_1","object":"charge","amount":500,"amount_captured":500,"status":"succeeded","disputed":true,
			"payment_method_details":{"type":"card","card":{"brand":"visa","last4":"4242","exp_month":12,"exp_year":2030}}}}`
	session, err := answering(t, http.StatusOK, body).OpenPayment(t.Context(), pi1)
	require.NoError(t, err)
	five := money(t, 5, "ISK")
	require.Equal(t, ports.PaymentSession{Snapshot: core.PaymentSnapshot{
		Ref: pi1, Payment: own, Status: core.PaymentSucceeded, ForeignStatus: "succeeded",
		Amount: five, Authorized: five, Captured: five, Refunded: core.Zero("ISK"), Environment: core.EnvLive,
		Method:   &core.PaymentMethod{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2030},
		Disputed: true, CreatedAt: time.Unix(1700000000, 0).UTC(),
	}}, session)
}

// TestSnapshotTakesNoStrangers: metadata can be written by other hands, and what is not of
// a card's shape is none.
func TestSnapshotTakesNoStrangers(t *testing.T) {
	t.Parallel()
	seen, err := answering(t, http.StatusOK, intent(`,"status":"requires_payment_method","metadata":{"paydesk_payment":"pay_'; DROP TABLE"},
		"last_payment_error":{"type":"invalid_request_error","code":"payment_method_provider_decline","payment_method":{"id":"pm_1","type":"card",
			"card":{"brand":"<b>visa</b>","last4":"4242424242424242","exp_month":13,"exp_year":99}}}`)).GetPayment(t.Context(), pi1)
	require.NoError(t, err)
	require.Empty(t, seen.Payment)
	require.Equal(t, &core.PaymentMethod{Type: "card"}, seen.Method)
	require.Equal(t, core.FailureProcessingError, seen.Failure.Code, "nobody declined anything")
}

// TestCancelOfWhatIsCanceled: Stripe refuses, and the state it is in is the answer.
func TestCancelOfWhatIsCanceled(t *testing.T) {
	t.Parallel()
	for status, canceled := range map[string]bool{"canceled": true, "succeeded": false} {
		adapter := serving(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state","payment_intent":{"id":"pi_1"}}}`)
				return
			}
			_, _ = io.WriteString(w, intent(fmt.Sprintf(`,"status":%q`, status)))
		})
		seen, err := adapter.CancelPayment(t.Context(), "op_1", pi1)
		if canceled {
			require.NoError(t, err)
			require.Equal(t, core.PaymentCanceled, seen.Status)
			continue
		}
		refused := providerError(t, err)
		require.Equal(t, core.ClassInvalid, refused.Class)
		require.Equal(t, "pi_1", refused.ObjectID)
	}
}

// TestListLeavesStrangersOut: other programs may use the account in other currencies.
func TestListLeavesStrangersOut(t *testing.T) {
	t.Parallel()
	strange := func(more string) string {
		return `{"id":"pi_2","object":"payment_intent","amount":2000,"currency":"ugx","status":"succeeded"` + more + `}`
	}
	list := func(items string) string {
		return `{"object":"list","url":"/v1/payment_intents","has_more":true,"data":[` + items + `]}`
	}
	got, err := answering(t, http.StatusOK, list(intent(`,"status":"processing"`)+","+strange(""))).ListPayments(t.Context(), ports.ListPayments{Limit: 2})
	require.NoError(t, err)
	require.Len(t, got.Payments, 1)
	require.Equal(t, "pi_2", got.NextCursor)

	_, err = answering(t, http.StatusOK, list(strange(`,"metadata":{"paydesk_payment":"pay_1"}`))).ListPayments(t.Context(), ports.ListPayments{Limit: 2})
	require.Equal(t, core.ClassUnknown, providerError(t, err).Class, "one of ours is never left out in silence")
}

// TestListWindow: Stripe counts in whole seconds; rather one too many than one missed.
func TestListWindow(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	adapter := serving(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("created[gte]") + " " + r.URL.Query().Get("created[lt]") + " " + r.URL.Query().Get("limit")
		_, _ = io.WriteString(w, `{"object":"list","url":"/v1/payment_intents","has_more":false,"data":[]}`)
	})
	got, err := adapter.ListPayments(t.Context(), ports.ListPayments{From: time.Unix(100, 5), Until: time.Unix(200, 5), Limit: 100})
	require.NoError(t, err)
	require.Empty(t, got.NextCursor)
	require.Equal(t, "100 201 100", <-asked)
}
