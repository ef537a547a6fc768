package stripe

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"
)

// hostedPolicy lets the page post to itself and to nowhere else, and lead on to anywhere.
const hostedPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// hostedPage stands for Stripe's own payment page: plain, and without a script.
var hostedPage = template.Must(template.New("hosted").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulated Stripe Checkout</title>
<link rel="stylesheet" href="/stripe/v3/assets/frame.css">
</head>
<body>
<main>
<h1>Simulated Stripe Checkout</h1>
{{- if .Gone}}
<p id="gone">This page is closed.</p>
{{- else if .Asks}}
<p>In real life the bank that issued the card would ask its holder here.</p>
<form method="post"><button id="complete-authentication" name="outcome" value="complete">Complete authentication</button>
<button id="fail-authentication" name="outcome" value="fail">Fail authentication</button></form>
{{- else}}
<p>{{.Amount}} {{.Currency}}</p>
{{- if .Message}}
<p id="error" role="alert">{{.Message}}</p>
{{- end}}
<form method="post">
<label>Card number <input id="card-number" name="number" inputmode="numeric" autocomplete="off" required></label>
<label>Month <input id="card-month" name="exp_month" inputmode="numeric" value="12" required></label>
<label>Year <input id="card-year" name="exp_year" inputmode="numeric" value="{{.Year}}" required></label>
<label>Security code <input id="card-cvc" name="cvc" inputmode="numeric" required></label>
<button id="pay">Pay</button>
</form>
{{- if .Back}}
<p><a id="cancel" href="{{.Back}}">Back to the shop</a></p>
{{- end}}
{{- end}}
</main>
</body>
</html>
`))

type hostedView struct {
	Gone, Asks       bool
	Amount, Currency string
	Message, Back    string
	Year             int
}

// serveHosted shows the page and takes what the buyer does at it.
func (s *Server) serveHosted(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	done, known := tried{}, true
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, bodyBytesMax)
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
	view, status := s.hostedView(id, done), http.StatusOK
	if view.Gone || !known {
		view.Gone, status = true, http.StatusNotFound
	}
	var page bytes.Buffer
	if err := hostedPage.Execute(&page, view); err != nil {
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", hostedPolicy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // whoever asked may have gone
}

func (s *Server) hostedView(id string, done tried) hostedView {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.sessions.byID[id]
	if !ok || held.Status != sessionOpen {
		return hostedView{Gone: true}
	}
	view := hostedView{
		Asks: done.asks || held.intent.Status == requiresAction, Message: done.message, Currency: held.Currency,
		Amount: strconv.FormatInt(held.AmountTotal, 10), Year: s.Clock.Wall().Year() + 1,
	}
	if held.CancelURL != nil {
		view.Back = *held.CancelURL
	}
	return view
}
