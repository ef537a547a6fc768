package simulator

import (
	"errors"
	"net/http"
	"slices"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// ofPayment is a control call about a payment that the program under test knows.
type ofPayment struct {
	Account string `json:"account"`
	Payment string `json:"payment"`
	Reason  string `json:"reason"`
	Amount  int64  `json:"amount"`
	Inquiry bool   `json:"inquiry"`
}

func (s *Simulator) readOfPayment(body []byte) (ofPayment, *fieldProblem) {
	var in ofPayment
	if problem := read(body, &in); problem != nil {
		return in, problem
	}
	if problem := s.knownAccount(in.Account); problem != nil {
		return in, problem
	}
	if in.Amount < 0 {
		return in, wrong("amount: must not be negative")
	}
	return in, nil
}

// controlDispute has the buyer's bank dispute a payment.
func (s *Simulator) controlDispute(_ *http.Request, body []byte) (any, *fieldProblem) {
	in, problem := s.readOfPayment(body)
	if problem != nil {
		return nil, problem
	}
	if in.Reason == "" {
		in.Reason = "fraudulent"
	}
	id, err := s.accounts[in.Account].OpenDispute(in.Payment, in.Reason, in.Amount, in.Inquiry)
	return answerWithID(id, err)
}

// controlRefund has the shop's staff give money back in the provider's dashboard.
func (s *Simulator) controlRefund(_ *http.Request, body []byte) (any, *fieldProblem) {
	in, problem := s.readOfPayment(body)
	if problem != nil {
		return nil, problem
	}
	id, err := s.accounts[in.Account].RefundElsewhere(in.Payment, in.Amount)
	return answerWithID(id, err)
}

func answerWithID(id string, err error) (any, *fieldProblem) {
	switch {
	case errors.Is(err, engine.ErrNoPayment):
		return nil, &fieldProblem{status: http.StatusNotFound, text: "payment: " + err.Error()}
	case errors.Is(err, engine.ErrDisputeAmount), errors.Is(err, engine.ErrRefundAmount):
		return nil, wrong("amount: %v", err)
	case err != nil:
		return nil, &fieldProblem{status: http.StatusConflict, text: "payment: " + err.Error()}
	}
	return map[string]string{"id": id}, nil
}

func (s *Simulator) controlDisputeEnd(r *http.Request, body []byte) (any, *fieldProblem) {
	return s.controlEnd(r, body, engine.ErrNoDispute, []string{"won", "lost", "escalated"}, engine.Dialect.CloseDispute)
}

func (s *Simulator) controlRefundEnd(r *http.Request, body []byte) (any, *fieldProblem) {
	return s.controlEnd(r, body, engine.ErrNoRefund, []string{"succeeded", "failed"}, engine.Dialect.EndRefund)
}

// controlEnd ends what the id in the path names at whichever account has it.
func (s *Simulator) controlEnd(r *http.Request, body []byte, unknown error, outcomes []string, end func(engine.Dialect, string, string) error) (any, *fieldProblem) {
	var in struct {
		Outcome string `json:"outcome"`
	}
	if problem := read(body, &in); problem != nil {
		return nil, problem
	}
	if !slices.Contains(outcomes, in.Outcome) {
		return nil, wrong("outcome: must be one of %v", outcomes)
	}
	id := r.PathValue("id")
	if problem := s.atOwner(unknown, func(d engine.Dialect) error { return end(d, id, in.Outcome) }); problem != nil {
		return nil, problem
	}
	return map[string]string{"id": id, "outcome": in.Outcome}, nil
}

// atOwner does something at the account that knows an object: the id alone tells whose it is.
func (s *Simulator) atOwner(unknown error, do func(engine.Dialect) error) *fieldProblem {
	err := unknown
	for _, name := range s.names {
		if err = do(s.accounts[name].Dialect); !errors.Is(err, unknown) {
			break
		}
	}
	switch {
	case errors.Is(err, unknown):
		return &fieldProblem{status: http.StatusNotFound, text: "id: " + err.Error()}
	case err != nil:
		return &fieldProblem{status: http.StatusConflict, text: "id: " + err.Error()}
	}
	return nil
}

// controlSubscription does what the shop's staff do in the provider's dashboard, or what the
// bank behind a subscription's method does.
func (s *Simulator) controlSubscription(r *http.Request, body []byte) (any, *fieldProblem) {
	var in struct {
		Card     string `json:"card"`
		Do       string `json:"do"`
		Quantity int64  `json:"quantity"`
	}
	if problem := read(body, &in); problem != nil {
		return nil, problem
	}
	done := []string{"pause", "resume", "cancel", "cancel_at_period_end", "undo_cancel", "quantity", "retry"}
	switch {
	case (in.Card == "") == (in.Do == ""):
		return nil, wrong("card: or do must be given, and not both")
	case in.Do != "" && !slices.Contains(done, in.Do):
		return nil, wrong("do: must be one of %v", done)
	case (in.Do == "quantity") != (in.Quantity > 0):
		return nil, wrong("quantity: goes with the quantity to be done, and is above 0")
	}
	id := r.PathValue("id")
	change := engine.SubscriptionChange{Card: in.Card, Do: in.Do, Quantity: in.Quantity}
	if problem := s.atOwner(engine.ErrNoSubscription, func(d engine.Dialect) error { return d.SteerSubscription(id, change) }); problem != nil {
		return nil, problem
	}
	return map[string]string{"id": id}, nil
}

// controlSettings sets what an account does by itself, and what its registered webhook gets.
func (s *Simulator) controlSettings(_ *http.Request, body []byte) (any, *fieldProblem) {
	var in struct {
		Account      string                  `json:"account"`
		AfterRetries string                  `json:"after_retries"`
		Webhook      *engine.WebhookSettings `json:"webhook"`
	}
	if problem := read(body, &in); problem != nil {
		return nil, problem
	}
	if problem := s.knownAccount(in.Account); problem != nil {
		return nil, problem
	}
	if in.AfterRetries != "canceled" && in.AfterRetries != "unpaid" && (in.AfterRetries != "" || in.Webhook == nil) {
		return nil, wrong("after_retries: must be canceled or unpaid")
	}
	if in.Webhook != nil {
		if err := s.accounts[in.Account].SetWebhook(*in.Webhook); err != nil {
			return nil, wrong("webhook.without: %v", err)
		}
	}
	if in.AfterRetries == "" {
		return map[string]bool{"ok": true}, nil
	}
	if err := s.accounts[in.Account].AfterRetries(in.AfterRetries); err != nil {
		return nil, &fieldProblem{status: http.StatusConflict, text: "after_retries: " + err.Error()}
	}
	return map[string]bool{"ok": true}, nil
}
