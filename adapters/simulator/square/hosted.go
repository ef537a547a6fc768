package square

import (
	"net/http"
	"net/url"

	"github.com/paydesk/paydesk/adapters/simulator/frames"
	"github.com/paydesk/paydesk/adapters/simulator/square/browser"
)

// formBytesMax bounds what a buyer sends.
const formBytesMax = 64 << 10

// tried is what a buyer's try at the page came to.
type tried struct {
	message  string // for the buyer; empty where it worked or the bank asks
	paid     bool
	location string // where the browser goes on to; empty for nowhere
}

// serveHosted shows Square's own payment page and takes what the buyer does at it.
func (s *Server) serveHosted(w http.ResponseWriter, r *http.Request) {
	code := r.PathValue("code")
	did, known := tried{}, true
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, formBytesMax)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "the form cannot be read", http.StatusBadRequest)
			return
		}
		if outcome := r.PostForm.Get("outcome"); outcome != "" {
			did, known = s.answerBank(code, outcome)
		} else {
			did, known = s.try(code, r.PostForm)
		}
		if did.location != "" {
			http.Redirect(w, r, did.location, http.StatusSeeOther)
			return
		}
	}
	page := s.hostedPage(code, did)
	page.Gone = page.Gone && !did.paid || !known
	page.Write(w)
}

func (s *Server) hostedPage(code string, did tried) frames.HostedPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := frames.HostedPage{Title: "Simulated Square checkout", Style: s.prefix + browser.Folder + "assets/frame.css", Verb: "Pay", Paid: did.paid}
	l, bill := s.payable(code)
	if l == nil {
		page.Gone = true
		return page
	}
	page.Asks, page.Message = l.asking != nil, did.message
	page.Amount, page.Currency, page.Year = bill.TotalMoney.decimal(), bill.TotalMoney.Currency, s.Clock.Wall().Year()+1
	return page
}

// payable is a link whose order can be paid yet, with it; nil for none. The caller holds mu.
func (s *Server) payable(code string) (*link, *order) {
	l, ok := s.held(code)
	if !ok {
		return nil, nil
	}
	bill, ok := s.orders.Get(l.OrderID)
	if !ok || !s.payableOrder(bill) {
		return nil, nil
	}
	return l, bill
}

// try pays at a page with what the buyer typed in; false where nothing can be paid there.
func (s *Server) try(code string, form url.Values) (tried, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, bill := s.payable(code)
	if l == nil {
		return tried{}, false
	}
	with, wrong := s.newCard(typed{number: form.Get("number"), month: form.Get("exp_month"), year: form.Get("exp_year"), cvv: form.Get("cvc")})
	switch {
	case wrong != nil:
		return tried{message: wrong.Message}, true
	case with.behavior.unsure:
		return tried{message: notVerified.Message}, true
	case with.behavior.asks:
		l.asking = with
		return tried{}, true
	}
	return s.payLink(l, bill, with), true
}

// answerBank answers the bank's question at a page.
func (s *Server) answerBank(code, outcome string) (tried, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, bill := s.payable(code)
	if l == nil || l.asking == nil {
		return tried{}, false
	}
	with := l.asking
	l.asking = nil
	if outcome != "complete" {
		return tried{message: notVerified.Message}, true
	}
	return s.payLink(l, bill, with), true
}

// payLink charges a card for a link's order. The payment carries no reference of its own: it
// is known by its order. In the sandbox, the address that the buyer goes on to is left as it
// was given. The caller holds mu.
func (s *Server) payLink(l *link, bill *order, with *card) tried {
	delay, _ := parseDelay("") // the default one
	p := s.newPayment(newPayment{AmountMoney: bill.TotalMoney, Note: l.PaymentNote, CustomerID: bill.CustomerID}, delay, "")
	s.pay(p, bill, with, with.behavior)
	if p.Status != completed {
		return tried{message: "Your card was declined. Try another one."}
	}
	return tried{paid: true, location: l.redirect}
}
