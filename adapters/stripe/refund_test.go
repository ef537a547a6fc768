package stripe_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var re1 = refOf(core.ObjectRefund, "re_1")

// refund is a refund of five dollars as Stripe shows it, with more of its fields.
func refund(more string) string {
	return `{"id":"re_1","object":"refund","amount":500,"currency":"usd","created":1700000000,"payment_intent":"pi_1"` + more + `}`
}

func TestRefundStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		more    string
		status  core.RefundStatus
		failure *core.Failure
	}{
		{`,"status":"pending"`, core.RefundPending, nil},
		{`,"status":"requires_action"`, core.RefundPending, nil},
		{`,"status":"succeeded"`, core.RefundSucceeded, nil},
		{`,"status":"failed","failure_reason":"lost_or_stolen_card"`, core.RefundFailed, core.NewFailure(core.FailureRefundFailed, "lost_or_stolen_card")},
		{`,"status":"failed"`, core.RefundFailed, core.NewFailure(core.FailureRefundFailed, "")},
		{`,"status":"canceled"`, core.RefundCanceled, nil},
		{`,"status":"not_invented_yet"`, core.RefundPending, nil},
	} {
		seen, err := answering(t, http.StatusOK, refund(c.more)).GetRefund(t.Context(), re1)
		require.NoError(t, err, c.more)
		require.Equal(t, c.status, seen.Status, c.more)
		require.Equal(t, c.failure, seen.Failure, c.more)
	}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	ours := core.NewID[core.RefundID]([16]byte{1})
	want := core.RefundSnapshot{
		Ref: re1, Refund: ours, Payment: pi1, Status: core.RefundSucceeded, ForeignStatus: "succeeded", Amount: money(t, 500, "USD"),
		Environment: core.EnvTest, CreatedAt: time.Unix(1700000000, 0).UTC(),
	}
	shown := refund(`,"status":"succeeded","balance_transaction":"txn_1","metadata":{"paydesk_refund":"` + string(ours) + `"}`)
	for _, reason := range []core.RefundReason{core.RefundRequested, core.RefundDuplicate, core.RefundFraudulent, core.RefundOther} {
		adapter, heard := playing(t, script{"POST /v1/refunds": shown})
		seen, err := adapter.RefundPayment(t.Context(), "op_1", ports.RefundPayment{
			Refund: ours, Payment: "pay_1", Ref: pi1, Amount: money(t, 500, "USD"), Reason: reason,
		})
		require.NoError(t, err)
		require.Equal(t, want, seen)
		form := map[string]string{"payment_intent": "pi_1", "amount": "500", "metadata[paydesk_refund]": string(ours), "metadata[paydesk_payment]": "pay_1"}
		if reason != core.RefundOther { // for which Stripe has no word
			form["reason"] = string(reason)
		}
		require.Equal(t, form, heard.last())
	}
	seen, err := answering(t, http.StatusOK, shown).GetRefund(t.Context(), re1)
	require.NoError(t, err)
	require.Equal(t, want, seen)
}

// TestReleasesAreNoRefunds: Stripe books what was held and never taken as given back.
func TestReleasesAreNoRefunds(t *testing.T) {
	t.Parallel()
	const partly = `,"charge":{"id":"ch_1","object":"charge","amount":2000,"amount_captured":1500}`
	const whole = `,"charge":{"id":"ch_1","object":"charge","amount":2000,"amount_captured":2000}`
	for more, release := range map[string]bool{
		partly: true,
		partly + `,"balance_transaction":"txn_1"`:       false, // money moved
		partly + `,"metadata":{"paydesk_refund":"ref"}`: false, // we asked for it
		partly + `,"amount":499`:                        false,
		whole:                                           false,
		`,"charge":"ch_1"`:                              false, // nobody knows
		``:                                              false,
		whole + `,"reason":"expired_uncaptured_charge"`: true,
	} {
		shown := refund(`,"status":"succeeded"` + more)
		_, err := answering(t, http.StatusOK, shown).GetRefund(t.Context(), re1)
		require.Equal(t, release, err != nil, more)
		if release {
			require.Equal(t, ports.ForeignMissing, providerError(t, err).Foreign)
		}
		all, err := answering(t, http.StatusOK, listOf(shown, refund(`,"status":"pending"`))).PaymentRefunds(t.Context(), pi1)
		require.NoError(t, err)
		require.Equal(t, release, len(all) == 1, more)
	}
	_, err := answering(t, http.StatusOK, refund(`,"status":"pending"`+partly)).GetRefund(t.Context(), re1)
	require.NoError(t, err, "what is on its way moved nothing yet")
}

func TestPaymentRefunds(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{"GET /v1/refunds": listOf(refund(`,"status":"pending"`))})
	all, err := adapter.PaymentRefunds(t.Context(), pi1)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, map[string]string{"payment_intent": "pi_1", "limit": "100"}, heard.last())

	none, err := answering(t, http.StatusOK, listOf()).PaymentRefunds(t.Context(), pi1)
	require.NoError(t, err)
	require.Empty(t, none)
	for _, odd := range []string{`null`, `{"id":"re_1","object":"charge"}`, `{"id":"re_1","object":"refund","payment_intent":"pi_2","amount":1,"currency":"usd"}`} {
		_, err := answering(t, http.StatusOK, listOf(odd)).PaymentRefunds(t.Context(), pi1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, odd)
	}
}

// TestRefundOfNoPayment: other programs refund charges that have no payment of the kind that is
// known here.
func TestRefundOfNoPayment(t *testing.T) {
	t.Parallel()
	seen, err := answering(t, http.StatusOK, refund(`,"status":"succeeded","payment_intent":null`)).GetRefund(t.Context(), re1)
	require.NoError(t, err)
	require.Empty(t, seen.Payment.ID)
}
