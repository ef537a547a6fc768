// Package browser is a stand-in for Square's Web Payments SDK: the same calls with the same
// answers, as far as a page with a card form needs them. The card fields live in a frame of the
// simulator's own origin, which alone talks to the simulator; the page that embeds it gets
// one-time tokens and never sees a card number.
//
// Source: developer.squareup.com/reference/sdks/web/payments.
package browser

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/paydesk/paydesk/adapters/simulator/frames"
)

// Folder is that of all that [Handler] serves, below an account's own.
const Folder = "/v1/"

//go:embed assets
var assets embed.FS

// Handler serves the script square.js in the folder, and its frames. account is the account's
// folder, "/square". The frames open for the application and the location together.
func Handler(account, applicationID, locationID string) http.Handler {
	own, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // it is part of the program
	}
	return frames.Handler(frames.Options{
		Prefix: account + Folder, Script: "square.js", ScriptFile: "square.js", Assets: own, Key: applicationID + "/" + locationID, Refused: "refused.html",
		Pages: map[string]string{"card-frame": "card-frame.html", "challenge": "challenge.html"},
	})
}
