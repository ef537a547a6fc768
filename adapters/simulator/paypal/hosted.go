package paypal

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"

	"github.com/paydesk/paydesk/adapters/simulator/frames"
	"github.com/paydesk/paydesk/adapters/simulator/paypal/browser"
)

// formBytesMax bounds what a buyer sends.
const formBytesMax = 64 << 10

// The pages at which buyers agree: to an order, to having something saved, to a subscription
// and to a change of one. All know all: the token tells.
const (
	orderPage        = "/checkoutnow"
	tokenPage        = "/agreements/approve"
	subscriptionPage = "/webapps/billing/subscriptions"
	revisionPage     = "/webapps/billing/subscriptions/update"
)

const approvalTitle = "Simulated PayPal"

// serveApproval shows the page at which a buyer agrees, and takes what he does at it. With
// funding=card, the card is taken as card fields would.
func (s *Server) serveApproval(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formBytesMax)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	switch at := s.visit(r); {
	case at.location != "":
		http.Redirect(w, r, at.location, http.StatusSeeOther)
	case at.agreed != "":
		s.writeAgreed(w, at.agreed)
	default:
		at.page.Write(w)
	}
}

// visited is what a buyer's visit at the page came to.
type visited struct {
	location string // where the browser goes on to; empty where it stays
	agreed   string // what was agreed to, where there is nowhere to go
	page     frames.HostedPage
}

func (s *Server) visit(r *http.Request) visited {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := frames.HostedPage{Title: approvalTitle, Style: s.prefix + browser.Folder + "assets/frame.css"}
	query := r.URL.Query()
	c, ok := s.consentBy(cmp.Or(query.Get("token"), query.Get("approval_session_id"), query.Get("ba_token")))
	if !ok {
		page.Gone = true
		return visited{page: page}
	}
	shown := c.offer()
	var out agreement
	if r.Method == http.MethodPost {
		out = s.tryToAgree(c, r.Form)
	}
	switch {
	case out.agreed && shown.context != nil && shown.context.ReturnURL != "":
		return visited{location: with(shown.context.ReturnURL, shown.back...)}
	case out.agreed:
		return visited{agreed: c.name()}
	case out.problem != nil:
		page.Message = out.problem.message
	}
	page.Amount = "Nothing is paid now."
	if shown.amount != nil {
		page.Amount, page.Currency = shown.amount.Value, shown.amount.Currency
	}
	page.Verb, page.Asks, page.Year = shown.verb, out.asks, s.Clock.Wall().Year()+1
	if shown.context != nil && shown.context.CancelURL != "" {
		page.Back = with(shown.context.CancelURL, shown.cancelBack...)
	}
	return visited{page: page}
}

// tryToAgree does what a form says. The caller holds mu.
func (s *Server) tryToAgree(c consent, form url.Values) agreement {
	if outcome := form.Get("outcome"); outcome != "" {
		return s.answerBank(c, outcome)
	}
	by := c.offer().source
	if form.Get("funding") == sourceCard {
		by = sourceCard
	}
	made, problem := s.newCard(typed{form.Get("number"), form.Get("exp_month"), form.Get("exp_year"), form.Get("cvc"), form.Get("name")})
	if problem != nil {
		return agreement{problem: problem}
	}
	return s.agree(c, made, by)
}

// with is an address with more in its query.
func with(address string, pairs ...string) string {
	at, err := url.Parse(address)
	if err != nil {
		return address
	}
	query := at.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	at.RawQuery = query.Encode()
	return at.String()
}

// writeAgreed shows a buyer who agreed that he can go.
func (s *Server) writeAgreed(w http.ResponseWriter, id string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	_ = agreedPage.Execute(w, map[string]string{"Title": approvalTitle, "Assets": s.prefix + browser.Folder + "assets/", "Order": id, "Payer": payerID}) // whoever asked may have gone
}

// agreedPage tells the window that opened it, and closes.
var agreedPage = template.Must(template.New("agreed").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<link rel="stylesheet" href="{{.Assets}}frame.css">
<script type="module" src="{{.Assets}}agreed.js"></script>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
<p id="agreed" data-order="{{.Order}}" data-payer="{{.Payer}}">You agreed. You can close this window.</p>
</main>
</body>
</html>
`))

// frameError is what a frame is told that went wrong.
type frameError struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

func frameRefused(code, message string) result {
	var told frameError
	told.Error.Code, told.Error.Message = code, message
	return result{status: http.StatusUnprocessableEntity, object: told}
}

// serveFrame answers the frames of the stand-in for the JavaScript SDK, who know the
// account's client id and the id of what the buyer agrees to. do runs while mu is held.
func (s *Server) serveFrame(do func(c consent, form url.Values) result) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x, body, err := s.desk.Open(w, r)
		broken := func(int) {
			s.send(x, result{status: http.StatusInternalServerError, object: frameRefused("INTERNAL_ERROR", "PayPal cannot be reached.").object})
		}
		if x.Instead(broken) {
			return
		}
		x.Linger()
		form, formErr := url.ParseQuery(string(body))
		if r.Method == http.MethodGet {
			form = r.URL.Query()
		}
		if err != nil || formErr != nil || !same(form.Get("key"), s.ClientID) {
			s.send(x, result{status: http.StatusUnauthorized, object: frameRefused("INVALID_CLIENT", "The client id is not known.").object})
			return
		}
		s.mu.Lock()
		out := frameRefused("INVALID_RESOURCE_ID", "This cannot be agreed to any more.")
		if c, ok := s.consentBy(r.PathValue("id")); ok {
			if code, message := c.mismatch(form); code != "" {
				out = frameRefused(code, message)
			} else {
				out = do(c, form)
			}
		}
		status, text := s.written(out)
		s.mu.Unlock()
		s.sendText(x, status, text)
	}
}

func (s *Server) showToFrame(c consent, _ url.Values) result {
	shown := c.offer()
	told := map[string]any{"id": c.name(), "status": shown.status, "verb": shown.verb}
	if shown.amount != nil {
		told["amount"] = shown.amount
	}
	return done(told)
}

func (s *Server) confirmInFrame(c consent, form url.Values) result {
	form.Del("outcome")
	return agreedInFrame(c, s.tryToAgree(c, form))
}

func (s *Server) authenticateInFrame(c consent, form url.Values) result {
	if outcome := form.Get("outcome"); outcome != "complete" && outcome != "fail" {
		return frameRefused("INVALID_PARAMETER_VALUE", "The outcome must be complete or fail.")
	}
	return agreedInFrame(c, s.answerBank(c, form.Get("outcome")))
}

// agreedInFrame tells a frame what came of a try.
func agreedInFrame(c consent, out agreement) result {
	if out.problem != nil {
		return frameRefused(out.problem.code, out.problem.message)
	}
	told := map[string]any{"id": c.name(), "status": c.offer().status, "asks": out.asks}
	o, isOrder := c.(*order)
	byCard := c.offer().source == sourceCard
	if isOrder {
		byCard = o.source == sourceCard
		if byCard && o.funding != nil && o.funding.shift != "" {
			told["liability"] = o.funding.shift
		}
	}
	if !byCard && out.agreed {
		told["payer"] = payerID
	}
	return done(told)
}
