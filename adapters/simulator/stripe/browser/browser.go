// Package browser is a stand-in for Stripe.js: the same calls with the same answers, as far
// as a page with a Payment Element needs them. The card fields live in a frame of the
// simulator's own origin, which alone talks to the simulator's API; the page that embeds it
// never sees a card number.
//
// Source: docs.stripe.com/js.
package browser

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/paydesk/paydesk/adapters/simulator/frames"
)

// Folder is that of all that [Handler] serves, below an account's own.
const Folder = "/v3/"

//go:embed assets
var assets embed.FS

// Handler serves the script at the folder itself, and its frames. account is the account's
// folder, "/stripe". An empty publishable key lets any in.
func Handler(account, publishableKey string) http.Handler {
	own, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // it is part of the program
	}
	return frames.Handler(frames.Options{
		Prefix: account + Folder, ScriptFile: "stripe.js", Assets: own, Key: publishableKey, Refused: "refused.html",
		Pages: map[string]string{"card-frame": "card-frame.html", "challenge": "challenge.html", "controller": "controller.html"},
	})
}
