package chaos_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/paydesk/paydesk/app/apptest"
)

const (
	// askFirst is the first pause before a call is made again that was not answered; it doubles up
	// to askLongest.
	askFirst, askLongest = 50 * time.Millisecond, 2 * time.Second
	// buyTriesMax is how often a buyer tries to pay with one card before the checkout is left.
	buyTriesMax = 8
	// lookTimeMax is how long a trade waits for what should come by itself before it goes on.
	lookTimeMax = 10 * time.Second
)

// shop is a careful storefront, and its buyers: it makes each call under an Idempotency-Key, and
// again under the same one until it is answered.
type shop struct {
	w      *world
	client *apptest.Client
	seed   uint64
	// patience is how long a call is made again.
	patience time.Duration

	mu       sync.Mutex
	counts   map[string]int      // what was done, by what and how it came out
	promised map[string][]string // ids that an answer gave, by kind
	prices   map[string]string   // by account
}

func newShop(w *world, seed uint64, patience time.Duration) *shop {
	return &shop{w: w, client: w.client, seed: seed, patience: patience, counts: make(map[string]int), promised: make(map[string][]string), prices: make(map[string]string)}
}

func (s *shop) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
}

// promise keeps what an answer said there is.
func (s *shop) promise(path, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.promised[path] = append(s.promised[path], id)
}

// settles reports whether an answer says what became of the call, so that it need not be made again.
func settles(a apptest.Answer) bool {
	switch {
	case a.Err != nil, a.Status >= http.StatusInternalServerError, a.Status == http.StatusTooManyRequests:
		return false
	case a.Status == http.StatusConflict:
		return !slices.Contains([]string{"idempotency_in_progress", "operation_open", "payment_in_progress"}, a.Text("code"))
	}
	return true
}

// ask makes a call until it is answered.
func (s *shop) ask(ctx context.Context, method, path string, body any, key string) apptest.Answer {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	rest := askFirst
	for {
		a := s.client.API(ctx, method, path, body, key)
		if settles(a) {
			if a.OK() && method == http.MethodPost && a.Status == http.StatusCreated {
				s.promise(path, a.Text("id"))
			}
			return a
		}
		s.count("calls made again")
		if !pause(ctx, rest) {
			s.count("calls given up")
			return a
		}
		rest = min(2*rest, askLongest)
	}
}

// look reads until it is as wanted, or for too long.
func (s *shop) look(ctx context.Context, path string, wanted func(apptest.Answer) bool) (apptest.Answer, bool) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeMax)
	defer cancel()
	rest := askFirst
	for {
		a := s.client.API(ctx, http.MethodGet, path, nil, "")
		if a.OK() && wanted(a) {
			return a, true
		}
		if !pause(ctx, rest) {
			return a, false
		}
		rest = min(2*rest, askLongest/4)
	}
}

// key is the Idempotency-Key of a trade's step: the same in each run of a seed.
func (s *shop) key(t trade, step any) string {
	return fmt.Sprintf("chaos-%d-%d-%v", s.seed, t.number, step)
}

// reference is the shop's own name of a trade.
func (s *shop) reference(t trade) string { return fmt.Sprintf("order-%d-%d", s.seed, t.number) }

// trade does a trade from its beginning to its end, or as far as it goes.
func (s *shop) trade(ctx context.Context, t trade) {
	s.count("trades")
	done := map[string]func(context.Context, trade) string{
		"saved": s.save, "subscription": s.subscribe,
	}[t.kind]
	if done == nil {
		done = s.sell
	}
	s.count(t.kind + " " + done(ctx, t))
}

// checkout opens one; empty where that was refused.
func (s *shop) checkout(ctx context.Context, t trade, more map[string]any) string {
	body := map[string]any{
		"reference": s.reference(t), "currency": "EUR", "success_url": "https://shop.example/thanks", "expires_in": 1800,
		"customer": map[string]any{"email": "buyer@shop.example", "name": "Ada Buyer"},
	}
	if t.kind != "subscription" && t.kind != "saved" {
		body["line_items"] = []map[string]any{{"name": "Green tea", "amount": t.amount, "quantity": 1}}
	}
	maps.Copy(body, more)
	return s.ask(ctx, http.MethodPost, "/v1/checkouts", body, s.key(t, "checkout")).Text("id")
}

// sell sells something, and does what comes after.
func (s *shop) sell(ctx context.Context, t trade) string {
	more := map[string]any{}
	switch t.kind {
	case "hold":
		more["capture"] = "manual"
	case "redirect":
		more["flow"] = "redirect"
	}
	checkout := s.checkout(ctx, t, more)
	if checkout == "" {
		return "not opened"
	}
	if t.kind == "abandoned" {
		if t.number%2 == 0 {
			s.ask(ctx, http.MethodPost, "/v1/checkouts/"+checkout+"/expire", map[string]any{}, s.key(t, "expire"))
		}
		return "left"
	}
	seen, paid := s.buy(ctx, t, checkout)
	if !paid {
		return "not paid"
	}
	payment := seen.Text("payment")
	for n, step := range t.then {
		s.count(step.do + " " + s.step(ctx, t, n, payment, step))
	}
	return "done"
}

// buy has the buyer pay a checkout, and gives it once it is complete.
func (s *shop) buy(ctx context.Context, t trade, checkout string) (apptest.Answer, bool) {
	path := "/v1/checkouts/" + checkout
	for _, card := range t.cards {
		rest := askFirst
		for range buyTriesMax {
			a := s.client.Control(ctx, http.MethodPost, "pay", map[string]any{"checkout": checkout, "account": t.account, "card": card})
			if a.OK() {
				break
			}
			s.count("buyers' tries that failed")
			now := s.client.API(ctx, http.MethodGet, path, nil, "")
			if now.OK() && now.Text("status") != "open" {
				break
			}
			if !pause(ctx, rest) {
				return a, false
			}
			rest = min(2*rest, askLongest)
		}
	}
	return s.look(ctx, path, func(a apptest.Answer) bool { return a.Text("status") == "complete" })
}

// step does something with the money of a payment.
func (s *shop) step(ctx context.Context, t trade, n int, payment string, step step) string {
	path, body, key := "/v1/payments/"+payment, map[string]any{}, s.key(t, n)
	if step.amount > 0 {
		body["amount"] = step.amount
	}
	switch step.do {
	case "capture", "cancel":
		return outcome(s.ask(ctx, http.MethodPost, path+"/"+step.do, body, key))
	case "refund":
		body["reason"] = "requested_by_customer"
		return outcome(s.ask(ctx, http.MethodPost, path+"/refunds", body, key))
	case "refund elsewhere":
		return outcome(s.client.Control(ctx, http.MethodPost, "refunds", map[string]any{"account": t.account, "payment": payment, "amount": step.amount}))
	case "dispute":
		return outcome(s.client.Control(ctx, http.MethodPost, "disputes", map[string]any{"account": t.account, "payment": payment, "reason": "fraudulent"}))
	}
	list, known := s.look(ctx, "/v1/disputes?payment="+payment, func(a apptest.Answer) bool { return len(a.Body.List("data")) > 0 })
	if !known {
		return "unheard of"
	}
	dispute := list.Body.List("data")[0]
	path = "/v1/disputes/" + dispute.Text("id")
	switch step.do {
	case "evidence":
		a := s.ask(ctx, http.MethodPut, path+"/evidence", map[string]any{"texts": map[string]string{"product_description": "Green tea"}}, "")
		if !a.OK() {
			return outcome(a)
		}
		return outcome(s.ask(ctx, http.MethodPost, path+"/submit", nil, key))
	case "accept":
		return outcome(s.ask(ctx, http.MethodPost, path+"/accept", nil, key))
	}
	return outcome(s.client.Control(ctx, http.MethodPost, "disputes/"+dispute.Text("provider_dispute_id"), map[string]any{"outcome": step.word}))
}

// outcome is an answer in a word.
func outcome(a apptest.Answer) string {
	switch {
	case a.Err != nil:
		return "unanswered"
	case a.Status < 300 && a.Text("status") != "":
		return a.Text("status")
	case a.Status < 300:
		return "done"
	case a.Text("code") != "":
		return a.Text("code")
	}
	return fmt.Sprint(a.Status)
}

// save has a buyer save a method, and charges it.
func (s *shop) save(ctx context.Context, t trade) string {
	customer := s.ask(ctx, http.MethodPost, "/v1/customers", map[string]any{"email": "ada@shop.example", "name": "Ada Buyer"}, s.key(t, "customer")).Text("id")
	if customer == "" {
		return "not opened"
	}
	checkout := s.checkout(ctx, t, map[string]any{"mode": "setup", "customer": map[string]any{"id": customer}})
	if checkout == "" {
		return "not opened"
	}
	seen, saved := s.buy(ctx, t, checkout)
	if !saved {
		return "not saved"
	}
	method := seen.Text("payment_method")
	for n, step := range t.then {
		var a apptest.Answer
		if step.do == "detach" {
			a = s.ask(ctx, http.MethodDelete, "/v1/customers/"+customer+"/payment_methods/"+method, nil, "")
		} else {
			a = s.ask(ctx, http.MethodPost, "/v1/payments", map[string]any{
				"customer": customer, "payment_method": method, "amount": step.amount, "currency": "EUR", "reference": s.reference(t),
			}, s.key(t, n))
		}
		s.count(step.do + " " + outcome(a))
	}
	return "done"
}

// price gives what subscriptions of an account are sold at.
func (s *shop) price(ctx context.Context, amount int64) string {
	name := fmt.Sprint(amount)
	s.mu.Lock()
	known := s.prices[name]
	s.mu.Unlock()
	if known != "" {
		return known
	}
	a := s.ask(ctx, http.MethodPost, "/v1/prices", map[string]any{
		"name": "Tea club", "amount": amount, "currency": "EUR", "recurring": map[string]any{"interval": "month", "interval_count": 1},
	}, fmt.Sprintf("chaos-%d-price-%d", s.seed, amount))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prices[name] = a.Text("id")
	return a.Text("id")
}

// subscribe has a buyer subscribe, and steers that.
func (s *shop) subscribe(ctx context.Context, t trade) string {
	price := s.price(ctx, 500+t.amount%10*100)
	if price == "" {
		return "not opened"
	}
	checkout := s.checkout(ctx, t, map[string]any{"mode": "subscription", "line_items": []map[string]any{{"price": price, "quantity": 1}}})
	if checkout == "" {
		return "not opened"
	}
	seen, sold := s.buy(ctx, t, checkout)
	if !sold {
		return "not sold"
	}
	path := "/v1/subscriptions/" + seen.Text("subscription")
	for n, step := range t.then {
		s.count(step.do + " " + s.steer(ctx, path, s.key(t, n), step))
	}
	return "done"
}

func (s *shop) steer(ctx context.Context, path, key string, step step) string {
	switch step.do {
	case "pause", "resume":
		return outcome(s.ask(ctx, http.MethodPost, path+"/"+step.do, map[string]any{}, key))
	case "keep":
		return outcome(s.ask(ctx, http.MethodPost, path+"/resume", map[string]any{}, key))
	case "end", "end later":
		return outcome(s.ask(ctx, http.MethodPost, path+"/cancel", map[string]any{"at_period_end": step.do == "end later"}, key))
	case "change":
		price := s.price(ctx, step.amount/100*100)
		if price == "" {
			return "no price"
		}
		return outcome(s.ask(ctx, http.MethodPost, path+"/change", map[string]any{"price": price, "proration": "none"}, key))
	}
	now := s.client.API(ctx, http.MethodGet, path, nil, "")
	return outcome(s.client.Control(ctx, http.MethodPost, "subscriptions/"+now.Text("provider_subscription_id"), map[string]any{"card": step.word}))
}
