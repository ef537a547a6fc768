package square_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator"
	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const day = 24 * time.Hour

// house is a simulated Square with an account at it.
type house struct {
	*square.Adapter

	base string // of the simulator
	keys *int
}

func simulate(t *testing.T) house {
	t.Helper()
	with := options()
	sim, err := simulator.New(simulator.Options{Square: []simulator.SquareAccount{{
		AccessToken: with.AccessToken, ApplicationID: with.ApplicationID, LocationID: with.LocationID,
	}}})
	require.NoError(t, err)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		sim.Close()
	})
	with.APIBase = server.URL + "/square"
	adapter, err := square.New(with)
	require.NoError(t, err)
	return house{Adapter: adapter, base: server.URL, keys: new(int)}
}

// key is one that was not used before.
func (h house) key() core.OperationKey {
	*h.keys++
	return core.OperationKey("op_" + strconv.Itoa(*h.keys))
}

// post makes a call of the simulator's and gives a text of its answer.
func (h house) post(t *testing.T, path string, body map[string]any, field string) string {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+path, bytes.NewReader(text))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err = io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", text)
	var answer map[string]any
	require.NoError(t, json.Unmarshal(text, &answer))
	value, _ := answer[field].(string)
	return value
}

func (h house) elapse(t *testing.T, by time.Duration) {
	t.Helper()
	h.post(t, "/_control/clock/advance", map[string]any{"by": by.String()}, "")
}

// The simulator's cards by what they do.
const (
	cardGood          = "4111111111111111"
	cardRefundPending = "4000000000007726"
	cardRefundFails   = "4000000000005126"
	cardDisputed      = "4000000000000259"
	cardInquiry       = "4000000000001976"
	cardAsksLater     = "4000002760003184"
)

// token is what Square's script makes of a card that is typed in, once the bank was asked.
func (h house) token(t *testing.T, number, intent string) string {
	t.Helper()
	card := map[string]any{
		"application_id": options().ApplicationID, "location_id": options().LocationID, "number": number, "cvv": "123",
		"exp_month": "12", "exp_year": "2034", "postal_code": "94103", "intent": intent,
	}
	if asked := h.post(t, "/square/v1/tokens", card, "verification"); asked != "" {
		return h.post(t, "/square/v1/tokens/"+asked, map[string]any{"outcome": "complete"}, "token")
	}
	return h.post(t, "/square/v1/tokens", card, "token")
}

// paid is a payment of 10.00 by a card.
func (h house) paid(t *testing.T, number string) core.ProviderRef {
	t.Helper()
	in := confirm(t, money(t, 1000, "EUR"), core.CaptureAutomatic)
	in.Source = h.token(t, number, "CHARGE")
	seen, err := h.ConfirmPayment(t.Context(), h.key(), in)
	require.NoError(t, err)
	return seen.Ref
}

func TestSimulatedRefunds(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	for number, want := range map[string]core.RefundStatus{
		cardGood: core.RefundSucceeded, cardRefundPending: core.RefundSucceeded, cardRefundFails: core.RefundFailed,
	} {
		in := ports.RefundPayment{Refund: ourRefund, Payment: ours, Ref: h.paid(t, number), Amount: money(t, 400, "EUR"), Reason: core.RefundDuplicate}
		key := h.key()
		made, err := h.RefundPayment(t.Context(), key, in)
		require.NoError(t, err)
		require.Equal(t, core.RefundPending, made.Status)
		again, err := h.RefundPayment(t.Context(), key, in)
		require.NoError(t, err)
		require.Equal(t, made, again, "one effect under one key")
		h.elapse(t, 6*day)
		seen, err := h.GetRefund(t.Context(), made.Ref)
		require.NoError(t, err)
		require.Equal(t, want, seen.Status)
		require.Equal(t, core.RefundID(ourRefund), seen.Refund)
		require.Equal(t, want == core.RefundFailed, seen.Failure != nil)
		all, err := h.PaymentRefunds(t.Context(), in.Ref)
		require.NoError(t, err)
		require.Equal(t, []core.RefundSnapshot{seen}, all)
		payment, err := h.GetPayment(t.Context(), in.Ref)
		require.NoError(t, err)
		require.Equal(t, want == core.RefundSucceeded, payment.Refunded.IsPositive())
		in.Amount = money(t, 1000, "EUR")
		_, err = h.RefundPayment(t.Context(), h.key(), in)
		require.Equal(t, want == core.RefundFailed, err == nil, "what failed can be given back anew")
	}
}

func TestSimulatedDisputes(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	opened := func(number string) core.DisputeSnapshot {
		payment := h.paid(t, number)
		all, err := h.PaymentDisputes(t.Context(), payment)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, payment, all[0].Payment)
		return all[0]
	}
	for number, want := range map[string]core.DisputeStatus{cardDisputed: core.DisputeUnderReview, cardInquiry: core.DisputeInquiry} {
		dispute := opened(number)
		require.True(t, dispute.CanSubmit)
		in := ports.SubmitEvidence{
			Ref: dispute.Ref, Texts: map[core.EvidenceField]string{core.EvidenceCustomerName: "Ada", core.EvidenceOtherText: "Delivered."},
			Files: []ports.EvidenceContent{{
				EvidenceFile: core.EvidenceFile{Field: core.EvidenceReceipt, Name: "x.pdf", ContentType: "application/pdf"}, Content: []byte("%PDF-1.7\n"),
			}},
		}
		key := h.key()
		for range 2 {
			seen, err := h.SubmitEvidence(t.Context(), key, in)
			require.NoError(t, err, "sent again, it is the same")
			require.Equal(t, want, seen.Status)
			require.False(t, seen.CanSubmit)
		}
		_, err := h.SubmitEvidence(t.Context(), h.key(), in)
		require.Equal(t, core.ClassInvalid, class(t, err), "it takes none any more")
	}
	dispute := opened(cardDisputed)
	for range 2 {
		seen, err := h.AcceptDispute(t.Context(), h.key(), ports.AcceptDispute{Ref: dispute.Ref, Amount: dispute.Amount})
		require.NoError(t, err)
		require.Equal(t, core.DisputeAccepted, seen.Status)
	}
	inquiry := opened(cardInquiry)
	require.False(t, inquiry.CanAccept)
	_, err := h.AcceptDispute(t.Context(), h.key(), ports.AcceptDispute{Ref: inquiry.Ref, Amount: inquiry.Amount})
	require.Equal(t, core.ClassInvalid, class(t, err))
}

// customer is a new one's counterpart.
func (h house) customer(t *testing.T) string {
	t.Helper()
	made, err := h.CreateCustomer(t.Context(), h.key(), ports.CreateCustomer{Customer: ourCustomer, Email: "ada@shop.example", Name: "Ada Lovelace"})
	require.NoError(t, err)
	return made
}

func (h house) saved(t *testing.T, customer, number string) core.MethodSnapshot {
	t.Helper()
	seen, err := h.ConfirmSetup(t.Context(), h.key(), ports.ConfirmSetup{
		CreateSetup: ports.CreateSetup{Method: ourMethod, Customer: ourCustomer, ProviderCustomer: customer}, Source: h.token(t, number, "STORE"),
	})
	require.NoError(t, err)
	require.Equal(t, core.MethodActive, seen.Status)
	return seen
}

func TestSimulatedCards(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	customer := h.customer(t)
	charge := func(method core.MethodSnapshot) (core.PaymentSnapshot, error) {
		return h.ChargeMethod(t.Context(), h.key(), ports.ChargeMethod{
			CreatePayment:    ports.CreatePayment{Payment: ours, Amount: money(t, 700, "EUR"), Capture: core.CaptureAutomatic},
			ProviderCustomer: customer, ProviderMethod: method.Ref.ID, MethodType: "card",
		})
	}
	good := h.saved(t, customer, cardGood)
	taken, err := charge(good)
	require.NoError(t, err)
	require.Equal(t, core.PaymentSucceeded, taken.Status)
	_, err = charge(h.saved(t, customer, cardAsksLater))
	require.Equal(t, core.FailureAuthenticationRequired, providerError(t, err).Code)
	left, err := h.GetPayment(t.Context(), of(core.ObjectPayment, providerError(t, err).ObjectID))
	require.NoError(t, err)
	require.Equal(t, core.PaymentFailed, left.Status)
	require.False(t, left.Payable)
	_, err = h.ConfirmSetup(t.Context(), h.key(), ports.ConfirmSetup{
		CreateSetup: ports.CreateSetup{Method: ourMethod, ProviderCustomer: customer}, Source: h.token(t, cardGood, "CHARGE"),
	})
	require.Equal(t, core.ClassDeclined, class(t, err), "the buyer was asked for a payment alone")
	for range 2 {
		require.NoError(t, h.DetachMethod(t.Context(), h.key(), good.Ref))
	}
	seen, err := h.GetMethod(t.Context(), good.Ref)
	require.NoError(t, err)
	require.Equal(t, core.MethodRemoved, seen.Status)
	_, err = charge(good)
	require.Equal(t, core.ClassInvalid, class(t, err))
}

// subscriber is a simulated subscription.
type subscriber struct {
	house

	ref      core.ProviderRef
	price    core.Price
	customer string
}

// subscribed starts one.
func (h house) subscribed(t *testing.T, trialDays int) (subscriber, core.SubscriptionSnapshot) {
	t.Helper()
	in := subscribing(t)
	in.Price.Recurring.TrialDays, in.StartAt = trialDays, time.Now()
	var err error
	in.ProviderCustomer, in.Source = h.customer(t), h.token(t, cardGood, "STORE")
	in.ProviderPrice, err = h.CreatePrice(t.Context(), h.key(), in.Price)
	require.NoError(t, err)
	key := h.key()
	session, err := h.CreateSubscription(t.Context(), key, in)
	require.NoError(t, err)
	again, err := h.CreateSubscription(t.Context(), key, in)
	require.NoError(t, err)
	require.Equal(t, session, again, "one effect under one key")
	return subscriber{h, session.Snapshot.Ref, in.Price, in.ProviderCustomer}, session.Snapshot
}

// look gives the subscription as it stands, of which each invoice shows the same by itself.
func (s subscriber) look(t *testing.T) core.SubscriptionSnapshot {
	t.Helper()
	seen, err := s.GetSubscription(t.Context(), s.ref)
	require.NoError(t, err)
	for _, invoice := range seen.Invoices {
		one, err := s.GetInvoice(t.Context(), invoice.Ref)
		require.NoError(t, err)
		require.Equal(t, invoice, one)
	}
	return seen
}

// steer has the bank behind the subscription's card do something else.
func (s subscriber) steer(t *testing.T, card string) {
	t.Helper()
	s.post(t, "/_control/subscriptions/"+s.ref.ID, map[string]any{"card": card}, "")
}

func TestSimulatedBilling(t *testing.T) {
	t.Parallel()
	s, first := simulate(t).subscribed(t, 0)
	require.Equal(t, core.SubscriptionActive, first.Status)
	require.Equal(t, core.SubscriptionID(ourSubscription), first.Subscription)
	require.Len(t, first.Invoices, 1)
	require.Equal(t, first.CurrentPeriodStart, first.Invoices[0].PeriodStart)
	payment, err := s.GetPayment(t.Context(), first.Invoices[0].Payment)
	require.NoError(t, err)
	require.Equal(t, s.ref.ID, payment.Subscription)

	s.steer(t, "insufficient_funds")
	s.elapse(t, 32*day)
	owing := s.look(t)
	require.Equal(t, core.SubscriptionPastDue, owing.Status)
	require.Equal(t, core.FailureInsufficientFunds, owing.Failure.Code)
	require.Equal(t, core.InvoiceOpen, owing.Invoices[0].Status)
	require.Equal(t, owing.FailedAttempts, owing.Invoices[0].Attempts)
	failed, err := s.GetPayment(t.Context(), owing.Invoices[0].Payment)
	require.NoError(t, err)
	require.Equal(t, core.PaymentFailed, failed.Status)
	require.Equal(t, s.ref.ID, failed.Subscription)
	s.steer(t, "success")
	s.elapse(t, 4*day)
	require.Equal(t, core.SubscriptionActive, s.look(t).Status)

	s.steer(t, "declined")
	s.elapse(t, 60*day)
	require.Equal(t, core.SubscriptionUnpaid, s.look(t).Status)
	for range 2 { // done twice, it is done
		ending, err := s.CancelSubscription(t.Context(), s.key(), ports.CancelSubscription{Ref: s.ref, AtPeriodEnd: true})
		require.NoError(t, err)
		require.True(t, ending.CancelAtPeriodEnd || ending.Status == core.SubscriptionCanceled)
	}
	s.elapse(t, day)
	ended := s.look(t)
	require.Equal(t, core.SubscriptionCanceled, ended.Status)
	require.False(t, ended.CancelAtPeriodEnd)
	_, err = s.KeepSubscription(t.Context(), s.key(), s.ref)
	require.Equal(t, core.ClassInvalid, class(t, err))
}

// TestSimulatedVerbs changes one, pauses it and has it go on, each twice.
func TestSimulatedVerbs(t *testing.T) {
	t.Parallel()
	s, _ := simulate(t).subscribed(t, 0)
	dearer := core.Price{ID: "prc_2", Name: "More tea", Amount: money(t, 1500, "EUR"), Recurring: s.price.Recurring}
	change := ports.ChangeSubscription{Ref: s.ref, Price: dearer, Quantity: 1}
	var err error
	change.ProviderPrice, err = s.CreatePrice(t.Context(), s.key(), dearer)
	require.NoError(t, err)
	for range 2 {
		changed, err := s.ChangeSubscription(t.Context(), s.key(), change)
		require.NoError(t, err)
		require.Equal(t, change.ProviderPrice, changed.Snapshot.PendingPrice)
		require.Equal(t, money(t, 900, "EUR"), changed.Snapshot.Amount, "until the period ends")
	}
	for range 2 {
		paused, err := s.PauseSubscription(t.Context(), s.key(), s.ref)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionActive, paused.Status, "until the period ends")
	}
	s.elapse(t, 32*day)
	require.Equal(t, core.SubscriptionPaused, s.look(t).Status)
	for range 2 {
		resumed, err := s.ResumeSubscription(t.Context(), s.key(), s.ref)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionActive, resumed.Status)
	}
	require.Equal(t, money(t, 1500, "EUR"), s.look(t).Invoices[0].AmountPaid)
}

func TestSimulatedTrial(t *testing.T) {
	t.Parallel()
	s, seen := simulate(t).subscribed(t, 14)
	require.Equal(t, core.SubscriptionTrialing, seen.Status)
	require.Equal(t, seen.TrialEnd, seen.CurrentPeriodEnd)
	require.WithinDuration(t, time.Now().Add(14*day), seen.TrialEnd, day)
	ending, err := s.CancelSubscription(t.Context(), s.key(), ports.CancelSubscription{Ref: s.ref, AtPeriodEnd: true})
	require.NoError(t, err)
	require.True(t, ending.CancelAtPeriodEnd)
	kept, err := s.KeepSubscription(t.Context(), s.key(), s.ref)
	require.NoError(t, err)
	require.False(t, kept.CancelAtPeriodEnd)
	s.elapse(t, 15*day)
	swapped, err := s.UpdateSubscriptionMethod(t.Context(), s.key(), s.ref, s.saved(t, s.customer, cardGood).Ref.ID)
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionActive, swapped.Status)
	require.Len(t, swapped.Invoices, 1)
	require.Empty(t, swapped.Subscription, "the card that named it is another's now")
	s.elapse(t, 400*day)
	seen = s.look(t)
	require.Len(t, seen.Invoices, core.InvoicesShownMax)
	payments := map[string]bool{}
	for _, invoice := range seen.Invoices {
		payments[invoice.Payment.ID] = true
	}
	require.Len(t, payments, core.InvoicesShownMax, "each is paid by a payment of its own")
}
