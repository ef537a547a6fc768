package frames

import (
	"bytes"
	"html/template"
	"net/http"
)

// HostedPage is a provider's own page for one payment, as its buyer sees it: plain, and
// without a script. Its forms post to the page's own address: number, exp_month, exp_year and
// cvc of a card, or the outcome, "complete" or "fail", of the bank's question.
type HostedPage struct {
	Title string // "Simulated Stripe Checkout"
	Style string // the address of frame.css
	// Gone says that nothing can be paid here any more, Asks that the bank asks the buyer, and
	// Paid that the buyer has just paid and is sent nowhere.
	Gone, Asks, Paid bool
	Amount, Currency string
	Message          string // what is told about the last try; empty for nothing
	Verb             string // of the button: "Pay"
	Back             string // where a buyer who does not pay goes; empty for nowhere
	Year             int    // that the card's end is filled in with
}

// hostedPolicy lets the page post to itself and to nowhere else, and lead on to anywhere.
const hostedPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"

var hostedPage = template.Must(template.New("hosted").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<link rel="stylesheet" href="{{.Style}}">
</head>
<body class="own-page">
<main>
<h1>{{.Title}}</h1>
{{- if .Gone}}
<p id="gone">This page is closed.</p>
{{- else if .Paid}}
<p id="paid">Thank you: this is paid.</p>
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
<button id="pay">{{.Verb}}</button>
</form>
{{- if .Back}}
<p><a id="cancel" href="{{.Back}}">Back to the shop</a></p>
{{- end}}
{{- end}}
</main>
</body>
</html>
`))

// Write sends the page; one that is gone answers 404.
func (p HostedPage) Write(w http.ResponseWriter) {
	status := http.StatusOK
	if p.Gone {
		status = http.StatusNotFound
	}
	var page bytes.Buffer
	if err := hostedPage.Execute(&page, p); err != nil {
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", hostedPolicy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // whoever asked may have gone
}
