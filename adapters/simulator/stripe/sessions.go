package stripe

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// session is a Checkout Session of mode payment.
//
// Source: docs.stripe.com/api/checkout/sessions/object.
type session struct {
	ID                string            `json:"id"`
	Object            string            `json:"object"`
	AmountTotal       int64             `json:"amount_total"`
	CancelURL         *string           `json:"cancel_url"`
	ClientReferenceID *string           `json:"client_reference_id"`
	Created           int64             `json:"created"`
	Currency          string            `json:"currency"`
	Customer          *string           `json:"customer"`
	ExpiresAt         int64             `json:"expires_at"`
	Livemode          bool              `json:"livemode"`
	Metadata          map[string]string `json:"metadata"`
	Mode              string            `json:"mode"`
	PaymentIntent     any               `json:"payment_intent"` // null, id or object
	PaymentStatus     string            `json:"payment_status"`
	Status            string            `json:"status"`
	SuccessURL        string            `json:"success_url"`
	URL               *string           `json:"url"` // null once it is not open

	intent *intent // as it is made once the buyer tries to pay
	made   bool
}

const (
	sessionOpen     = "open"
	sessionComplete = "complete"
	sessionExpired  = "expired"

	sessionLifeLeast = 30 * time.Minute
	sessionLifeMost  = 24 * time.Hour
	lineItemsMax     = 100
	urlCharsMax      = 5000
	referenceMax     = 200
)

var sessionParams = []string{
	"mode", "success_url", "cancel_url", "client_reference_id", "expires_at", "metadata[*]", "expand[*]",
	"line_items[*][quantity]", "line_items[*][price_data][currency]", "line_items[*][price_data][unit_amount]",
	"line_items[*][price_data][product_data][name]", "payment_intent_data[capture_method]",
	"customer", "payment_intent_data[setup_future_usage]", "payment_intent_data[description]", "payment_intent_data[metadata][*]", "payment_method_types[*]",
}

// createSession makes a page at which one payment can be paid.
//
// Source: docs.stripe.com/api/checkout/sessions/create.
func (s *Server) createSession(in *request) result {
	made, out := s.readSession(in)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if made.Customer, out = s.customerOf(in); out != nil {
		return *out
	}
	made.intent.Customer = made.Customer
	made.ID = s.newID("cs_test")
	at := in.base + s.prefix + "/c/pay/" + made.ID
	made.URL = &at
	s.sessions.Put(made.ID, made)
	s.later(made.ExpiresAt, func() {
		if made.Status == sessionOpen {
			s.endSession(made)
		}
	})
	return done(s.shownSession(made, in))
}

func (s *Server) readSession(in *request) (*session, *result) {
	now := s.Clock.Now()
	made := &session{
		Object: "checkout.session", Created: now.Unix(), ExpiresAt: now.Add(sessionLifeMost).Unix(), Mode: "payment",
		PaymentStatus: "unpaid", Status: sessionOpen, SuccessURL: in.params["success_url"],
	}
	if in.params["mode"] != "payment" {
		return nil, new(invalid("", "mode", "Invalid mode: must be payment."))
	}
	for _, name := range []string{"success_url", "cancel_url"} {
		if at := in.params[name]; at == "" && name == "success_url" {
			return nil, new(missingParam(name))
		} else if parsed, err := url.Parse(at); at != "" && (err != nil || parsed.Scheme == "" || parsed.Host == "") {
			return nil, new(invalid("url_invalid", name, "Not a valid URL"))
		}
	}
	var bad *result
	if made.CancelURL, bad = in.text("cancel_url", urlCharsMax); bad != nil {
		return nil, bad
	}
	if made.ClientReferenceID, bad = in.text("client_reference_id", referenceMax); bad != nil {
		return nil, bad
	}
	if at, said, bad := in.integer("expires_at", now.Add(sessionLifeLeast-time.Minute).Unix(), now.Add(sessionLifeMost).Unix()); bad != nil {
		return nil, bad
	} else if said {
		made.ExpiresAt = at
	}
	if made.Metadata, bad = in.metadata(nil); bad != nil {
		return nil, bad
	}
	return made, s.readSessionIntent(in, made)
}

// readSessionIntent reads the payment that the page is for, as one would be made of it.
func (s *Server) readSessionIntent(in *request, made *session) *result {
	params := map[string]string{"payment_method_types[0]": "card"}
	for name, value := range in.params {
		if rest, ok := strings.CutPrefix(name, "payment_intent_data["); ok {
			key, after, _ := strings.Cut(rest, "]")
			params[key+after] = value
		}
	}
	total, items := int64(0), 0
	for n := range lineItemsMax {
		at := "line_items[" + strconv.Itoa(n) + "]"
		unit, said, bad := in.integer(at+"[price_data][unit_amount]", 0, 1<<53)
		if bad != nil {
			return bad
		}
		if !said {
			break
		}
		quantity, said, bad := in.integer(at+"[quantity]", 1, 1<<31)
		if bad != nil {
			return bad
		}
		currency := in.params[at+"[price_data][currency]"]
		switch {
		case !said:
			return new(missingParam(at + "[quantity]"))
		case currency == "" || in.params[at+"[price_data][product_data][name]"] == "":
			return new(missingParam(at + "[price_data]"))
		case made.Currency != "" && currency != made.Currency:
			return new(invalid("", at, "All line items must be of one currency."))
		case unit > 1<<53/quantity-total:
			return new(invalidInteger(at + "[price_data][unit_amount]"))
		}
		made.Currency = currency
		total, items = total+unit*quantity, items+1
	}
	if items == 0 {
		return new(missingParam("line_items"))
	}
	made.AmountTotal = total
	params["amount"], params["currency"] = strconv.FormatInt(total, 10), made.Currency
	intent, bad := readIntent(&request{params: params})
	made.intent = intent
	return bad
}

func (s *Server) getSession(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.sessions.Get(in.id); ok {
		return done(s.shownSession(held, in))
	}
	return notFound("checkout.session", "session", in.id)
}

// expireSession closes a page that nobody has paid at.
//
// Source: docs.stripe.com/api/checkout/sessions/expire.
func (s *Server) expireSession(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.sessions.Get(in.id)
	if !ok {
		return notFound("checkout.session", "session", in.id)
	}
	if held.Status != sessionOpen {
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Message: "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of " + held.Status + ".",
		})
	}
	s.endSession(held)
	return done(s.shownSession(held, in))
}

// endSession closes a page, and the payment that was tried at it. The caller holds mu.
func (s *Server) endSession(held *session) {
	held.Status, held.URL = sessionExpired, nil
	if held.made && held.intent.Status != canceled {
		s.end(held.intent, "", "charge.refunded")
	}
	s.tell("checkout.session.expired", s.shownSession(held, &request{}))
}

// shownSession is a session as an answer shows it. The caller holds mu.
func (s *Server) shownSession(held *session, in *request) session {
	shown := *held
	if held.made {
		shown.PaymentIntent = held.intent.ID
		if in.expands("payment_intent") || in.expands("payment_intent.latest_charge") {
			latest := &request{params: map[string]string{}}
			if in.expands("payment_intent.latest_charge") {
				latest.params["expand[0]"] = "latest_charge"
			}
			shown.PaymentIntent = s.shown(held.intent, latest)
		}
	}
	return shown
}

// tried is what a buyer's try at the page came to.
type tried struct {
	message  string // for the buyer; empty where it worked or the bank asks
	asks     bool   // whether the bank asks the buyer first
	location string // where the browser goes on to; empty while there is more to do
}

// try pays at a page with what the buyer typed in.
func (s *Server) try(id string, card url.Values) (tried, bool) {
	s.mu.Lock()
	held, ok := s.sessions.Get(id)
	if !ok || held.Status != sessionOpen {
		s.mu.Unlock()
		return tried{}, false
	}
	i := held.intent
	if !held.made {
		s.keep(i)
		held.made = true
	}
	s.mu.Unlock()
	in := &request{id: i.ID, params: map[string]string{"payment_method_data[type]": "card", "return_url": held.SuccessURL}}
	for _, name := range []string{"number", "exp_month", "exp_year", "cvc"} {
		in.params["payment_method_data[card]["+name+"]"] = card.Get(name)
	}
	out := s.confirm(in)
	return s.afterTry(held, out), true
}

// answerBank answers the bank's question at a page.
func (s *Server) answerBank(id, outcome string) (tried, bool) {
	s.mu.Lock()
	held, ok := s.sessions.Get(id)
	s.mu.Unlock()
	if !ok || !held.made {
		return tried{}, false
	}
	out := s.authenticate(&request{params: map[string]string{"source": held.intent.ID, "outcome": outcome}})
	return s.afterTry(held, out), true
}

// afterTry completes a page whose payment was made.
func (s *Server) afterTry(held *session, out result) tried {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch held.intent.Status {
	case succeeded, requiresCapture:
		if held.Status == sessionOpen {
			held.Status, held.URL, held.PaymentStatus = sessionComplete, nil, "paid"
			if held.intent.Status == requiresCapture {
				held.PaymentStatus = "unpaid"
			}
			s.tell("checkout.session.completed", s.shownSession(held, &request{}))
		}
		return tried{location: held.SuccessURL}
	case requiresAction:
		return tried{asks: true}
	}
	if failure := held.intent.LastPaymentError; failure != nil {
		return tried{message: failure.Message}
	}
	if body, ok := out.object.(errorBody); ok {
		return tried{message: body.Error.Message}
	}
	return tried{message: "The payment was not made."}
}
