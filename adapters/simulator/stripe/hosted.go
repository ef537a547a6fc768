package stripe

import (
	"net/http"
	"strconv"

	"github.com/paydesk/paydesk/adapters/simulator/frames"
	"github.com/paydesk/paydesk/adapters/simulator/stripe/browser"
)

// formBytesMax bounds what a buyer sends.
const formBytesMax = 64 << 10

// serveHosted shows Stripe's own payment page and takes what the buyer does at it.
func (s *Server) serveHosted(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	done, known := tried{}, true
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, formBytesMax)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "the form cannot be read", http.StatusBadRequest)
			return
		}
		if outcome := r.PostForm.Get("outcome"); outcome != "" {
			done, known = s.answerBank(id, outcome)
		} else {
			done, known = s.try(id, r.PostForm)
		}
		if done.location != "" {
			http.Redirect(w, r, done.location, http.StatusSeeOther)
			return
		}
	}
	page := s.hostedPage(id, done)
	page.Gone = page.Gone || !known
	page.Write(w)
}

func (s *Server) hostedPage(id string, done tried) frames.HostedPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := frames.HostedPage{Title: "Simulated Stripe Checkout", Style: s.prefix + browser.Folder + "assets/frame.css", Verb: "Pay"}
	held, ok := s.sessions.Get(id)
	if !ok || held.Status != sessionOpen {
		page.Gone = true
		return page
	}
	page.Asks, page.Message = done.asks || held.intent.Status == requiresAction, done.message
	page.Amount, page.Currency, page.Year = strconv.FormatInt(held.AmountTotal, 10), held.Currency, s.Clock.Wall().Year()+1
	if held.CancelURL != nil {
		page.Back = *held.CancelURL
	}
	return page
}
