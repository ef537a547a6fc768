package paypal

import (
	"html/template"
	"net/http"
	"net/url"

	"github.com/paydesk/paydesk/adapters/simulator/frames"
	"github.com/paydesk/paydesk/adapters/simulator/paypal/browser"
)

// formBytesMax bounds what a buyer sends.
const formBytesMax = 64 << 10

// agreement is what a buyer's try to agree came to.
type agreement struct {
	asks    bool // the bank asks the buyer first
	agreed  bool
	problem *cardProblem // why not; nil where there is no reason
}

// agree has the buyer pay an order by a card, inside of his wallet or as it is. The caller
// holds mu.
func (s *Server) agree(o *order, with *card, by string) agreement {
	if with.behavior.asks || by == sourceCard && o.always {
		o.asking, o.askingBy, o.updated = with, by, s.Clock.Now()
		if by == sourceCard {
			o.source, o.status, o.funding = by, statusActionRequired, nil
		}
		return agreement{asks: true}
	}
	return s.approve(o, with, by)
}

// approve notes that the buyer agreed. The caller holds mu.
func (s *Server) approve(o *order, with *card, by string) agreement {
	o.source, o.funding, o.asking, o.status, o.updated = by, with, nil, statusApproved, s.Clock.Now()
	if !o.told {
		o.told = true
		s.tell("CHECKOUT.ORDER.APPROVED", o.id, s.shownOrder(o, true))
	}
	return agreement{agreed: true}
}

// answerBank is the buyer in front of the bank's question. A wallet takes no card that
// failed it. For card fields it is the shop that is to look, so there the order is approved
// either way; the bank refuses it later. The caller holds mu.
func (s *Server) answerBank(o *order, outcome string) agreement {
	with := o.asking
	switch {
	case with == nil:
		return agreement{problem: &cardProblem{"NO_QUESTION", "The bank asks nothing."}}
	case outcome == "complete":
		with.shift, with.answer = "POSSIBLE", "Y"
	case o.askingBy == sourceCard:
		with.shift, with.answer = "NO", "N"
	default:
		o.asking = nil
		return agreement{problem: &cardProblem{"AUTHENTICATION_FAILED", "Your bank could not confirm that it was you. Choose another card."}}
	}
	return s.approve(o, with, o.askingBy)
}

// openOrder gives an order that a buyer can agree to. The caller holds mu.
func (s *Server) openOrder(id string) (*order, bool) {
	o, ok := s.findOrder(id)
	return o, ok && o.status != statusCompleted
}

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
	agreed   string // the order that was agreed to, where there is nowhere to go
	page     frames.HostedPage
}

func (s *Server) visit(r *http.Request) visited {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := frames.HostedPage{Title: approvalTitle, Style: s.prefix + browser.Folder + "assets/frame.css"}
	o, ok := s.openOrder(r.URL.Query().Get("token"))
	if !ok {
		page.Gone = true
		return visited{page: page}
	}
	var out agreement
	if r.Method == http.MethodPost {
		out = s.tryToAgree(o, r.Form)
	}
	switch {
	case out.agreed && o.context != nil && o.context.ReturnURL != "":
		return visited{location: with(o.context.ReturnURL, "token", o.id, "PayerID", payerID)}
	case out.agreed:
		return visited{agreed: o.id}
	case out.problem != nil:
		page.Message = out.problem.message
	}
	total := o.total()
	page.Amount, page.Currency, page.Verb = total.Value, total.Currency, "Agree and pay"
	page.Asks, page.Year = out.asks, s.Clock.Wall().Year()+1
	if o.context != nil && o.context.CancelURL != "" {
		page.Back = with(o.context.CancelURL, "token", o.id)
	}
	return visited{page: page}
}

// total is what all of an order comes to.
func (o *order) total() money {
	sum := int64(0)
	for _, u := range o.units {
		sum += u.amount
	}
	return moneyOf(sum, o.currency)
}

const approvalTitle = "Simulated PayPal"

// tryToAgree does what a form says. The caller holds mu.
func (s *Server) tryToAgree(o *order, form url.Values) agreement {
	if outcome := form.Get("outcome"); outcome != "" {
		return s.answerBank(o, outcome)
	}
	by := sourcePayPal
	if form.Get("funding") == sourceCard {
		by = sourceCard
	}
	made, problem := s.newCard(typed{form.Get("number"), form.Get("exp_month"), form.Get("exp_year"), form.Get("cvc"), form.Get("name")})
	if problem != nil {
		return agreement{problem: problem}
	}
	return s.agree(o, made, by)
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
func (s *Server) writeAgreed(w http.ResponseWriter, order string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	_ = agreedPage.Execute(w, map[string]string{"Title": approvalTitle, "Assets": s.prefix + browser.Folder + "assets/", "Order": order, "Payer": payerID}) // whoever asked may have gone
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
<p id="agreed" data-order="{{.Order}}" data-payer="{{.Payer}}">You agreed to pay. You can close this window.</p>
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
// account's client id and an order's id. do runs while mu is held.
func (s *Server) serveFrame(do func(o *order, form url.Values) result) http.HandlerFunc {
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
		out := frameRefused("INVALID_RESOURCE_ID", "The order cannot be paid any more.")
		if o, ok := s.openOrder(r.PathValue("id")); ok {
			if out = mismatch(o, form); out.object == nil {
				out = do(o, form)
			}
		}
		status, text := s.written(out)
		s.mu.Unlock()
		s.sendText(x, status, text)
	}
}

// mismatch refuses an order that is not what the script was loaded for; no object for none.
func mismatch(o *order, form url.Values) result {
	intent := map[string]string{intentCapture: "capture", intentAuthorize: "authorize"}[o.intent]
	switch {
	case form.Has("currency") && form.Get("currency") != o.currency:
		return frameRefused("CURRENCY_MISMATCH", "The script was loaded for another currency than the order's, "+o.currency+".")
	case form.Has("intent") && form.Get("intent") != intent:
		return frameRefused("INTENT_MISMATCH", "The script was loaded for another intent than the order's, "+intent+".")
	}
	return result{}
}

func (s *Server) showToFrame(o *order, _ url.Values) result {
	return done(map[string]any{"id": o.id, "status": o.status, "amount": o.total()})
}

func (s *Server) confirmInFrame(o *order, form url.Values) result {
	form.Del("outcome")
	return agreedInFrame(o, s.tryToAgree(o, form))
}

func (s *Server) authenticateInFrame(o *order, form url.Values) result {
	if outcome := form.Get("outcome"); outcome != "complete" && outcome != "fail" {
		return frameRefused("INVALID_PARAMETER_VALUE", "The outcome must be complete or fail.")
	}
	return agreedInFrame(o, s.answerBank(o, form.Get("outcome")))
}

// agreedInFrame tells a frame what came of a try.
func agreedInFrame(o *order, out agreement) result {
	if out.problem != nil {
		return frameRefused(out.problem.code, out.problem.message)
	}
	told := map[string]any{"id": o.id, "status": o.status, "asks": out.asks}
	if o.source == sourcePayPal && out.agreed {
		told["payer"] = payerID
	}
	if o.source == sourceCard && o.funding != nil && o.funding.shift != "" {
		told["liability"] = o.funding.shift
	}
	return done(told)
}
