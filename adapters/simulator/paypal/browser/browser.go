// Package browser is a stand-in for PayPal's JavaScript SDK, version 5: the same calls with
// the same answers, as far as a page with PayPal's button or with card fields needs them: for
// orders, for subscriptions, and for saving a means of payment. The fields, and what a buyer
// agrees in, live in frames of the simulator's own origin, which alone talk to the simulator;
// the page that embeds them never sees a card number.
//
// Source: developer.paypal.com/sdk/js.
package browser

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/adapters/simulator/frames"
)

// Folder is that of all that [Handler] serves, below an account's own.
const Folder = "/sdk/"

// script is where the script is, in the folder.
const script = "js"

//go:embed assets
var assets embed.FS

// components are the parts that can be asked for. What is not made here does nothing.
var components = []string{"buttons", "card-fields", "messages", "funding-eligibility", "marks"}

// parameters are what the script can be asked with, besides the parts.
var parameters = []string{
	"client-id", "currency", "intent", "components", "commit", "vault", "locale", "debug", "buyer-country", "enable-funding", "disable-funding", "integration-date",
	"merchant-id",
}

// Handler serves the script and its frames. account is the account's folder, "/paypal";
// currencies are those that can be paid in.
func Handler(account, clientID string, currencies []string) http.Handler {
	own, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // it is part of the program
	}
	served := frames.Handler(frames.Options{
		Prefix: account + Folder, Script: script, ScriptFile: "paypal.js", Assets: own, Key: clientID, Refused: "refused.html",
		Pages: map[string]string{
			"button": "button.html", "approve": "approve.html", "challenge": "challenge.html",
			"card-name": "field.html", "card-number": "field.html", "card-expiry": "field.html", "card-cvc": "field.html",
		},
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == account+Folder+script {
			if problem := check(r.URL.Query(), clientID, currencies); problem != "" {
				refuse(w, problem)
				return
			}
		}
		served.ServeHTTP(w, r)
	})
}

// check is what is wrong with how the script was asked for; empty for nothing.
func check(query url.Values, clientID string, currencies []string) string {
	for name := range query {
		if !slices.Contains(parameters, name) {
			return "disallowed query param: " + name
		}
	}
	switch {
	case query.Get("client-id") == "" || clientID != "" && query.Get("client-id") != clientID:
		return "client-id not recognized for either production or sandbox"
	case query.Has("currency") && !slices.Contains(currencies, query.Get("currency")):
		return "invalid currency"
	case query.Has("intent") && !slices.Contains([]string{"capture", "authorize", "subscription"}, query.Get("intent")):
		return "invalid intent"
	case query.Has("vault") && !slices.Contains([]string{"true", "false"}, query.Get("vault")):
		return "invalid vault"
	case query.Get("intent") == "subscription" && query.Get("vault") != "true":
		return "intent=subscription needs vault=true"
	}
	if query.Has("components") {
		for part := range strings.SplitSeq(query.Get("components"), ",") {
			if !slices.Contains(components, part) {
				return "invalid components"
			}
		}
	}
	return ""
}

// refuse answers with a script that only fails. Browsers do not even run it.
func refuse(w http.ResponseWriter, problem string) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusBadRequest)
	text, err := json.Marshal("SDK Validation error: " + problem)
	if err != nil {
		text = []byte(`""`)
	}
	_, _ = w.Write(append(append([]byte("throw new Error("), text...), ");\n"...)) // whoever asked may have gone
}
