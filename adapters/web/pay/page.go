package pay

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// What the page can be.
const (
	stateOpen        = "open"
	stateProcessing  = "processing"
	stateReview      = "review" // staff look at the payment; nothing to do for the buyer
	stateComplete    = "complete"
	stateExpired     = "expired"
	stateUnavailable = "unavailable" // no account can be paid at here
	stateMissing     = "missing"
	stateBroken      = "broken"
)

// itemsOpenMax is how many rows of an order are shown without being asked for.
const itemsOpenMax = 6

// pageView is what the template shows.
type pageView struct {
	State     string
	Title     string
	Test      bool
	Assets    map[string]assetView
	Scripts   []string // addresses of the providers' scripts
	Nonce     string   // lets their scripts pass; empty where none needs it
	Reference string
	Total     string
	Currency  string // the code, where the total shows a sign instead; empty otherwise
	Items     []itemView
	Folded    bool // whether the rows start closed
	Mode      string
	Terms     terms  // of a subscription
	Agreement string // what the buyer agrees to by pressing the button; empty where that is the payment alone
	Words     wording
	Manual    bool // whether the money is taken later
	Redirect  bool // whether the buyer pays on the provider's own page
	Offers    []offerView
	Problem   string // what became of the attempt before; empty for none
	Success   link
	Cancel    link
	Script    string // the script's own data, as JSON
}

type itemView struct {
	Name, Each, Sum string
	Quantity        int64
}

type offerView struct {
	Account core.AccountName
	Title   string
}

// link is a place outside; empty for none.
type link struct{ URL, Host string }

func linkTo(address string) link {
	parsed, err := url.Parse(address)
	if address == "" || err != nil {
		return link{}
	}
	return link{URL: address, Host: parsed.Host}
}

// scriptData is what the page's script needs to know.
type scriptData struct {
	Checkout core.CheckoutID `json:"checkout"`
	State    string          `json:"state"`
	Mode     string          `json:"mode"`
	Trial    bool            `json:"trial,omitempty"`   // whether a subscription takes nothing yet
	Attempt  string          `json:"attempt,omitempty"` // the one to ask about while processing
	Currency string          `json:"currency"`          // lower case
	Capture  string          `json:"capture"`
	Flow     string          `json:"flow"`
	Accounts []scriptAccount `json:"accounts"`
}

type scriptAccount struct {
	Account        core.AccountName  `json:"account"`
	Provider       core.ProviderName `json:"provider"`
	PublishableKey string            `json:"publishable_key"`
	Location       string            `json:"location,omitempty"`
	Amount         int64             `json:"amount"`  // in the unit that the provider's script counts in
	Decimal        string            `json:"decimal"` // the amount in whole and parts: "25.00"
}

// showPage answers GET /pay/{checkout}. It looks at what is stored and asks no provider.
func (h *handler) showPage(w http.ResponseWriter, r *http.Request) {
	checkout, newest, err := h.load(r.Context(), r.PathValue("checkout"))
	if errors.Is(err, ports.ErrNotFound) {
		h.refusePage(w, http.StatusNotFound)
		return
	}
	var offers []offer
	var agreed terms
	if err == nil {
		offers, err = h.offers(r.Context(), checkout, newest)
	}
	if err == nil {
		agreed, err = h.termsOf(r.Context(), checkout)
	}
	if err != nil {
		h.logger.ErrorContext(r.Context(), "checkout page", slog.String("error", err.Error()))
		h.refusePage(w, http.StatusServiceUnavailable)
		return
	}
	view := h.view(checkout, newest, offers, agreed)
	if view.State == stateOpen {
		view.Nonce = h.nonceFor(offers)
		w.Header().Set("Content-Security-Policy", policy(offers, view.Nonce))
		w.Header().Set("Permissions-Policy", permissions(offers))
	}
	h.render(w, r, http.StatusOK, view)
}

// load reads a checkout and its newest attempt, the zero one where there is none.
func (h *handler) load(ctx context.Context, text string) (core.Checkout, attempt, error) {
	id, err := core.ParseID[core.CheckoutID](text)
	if err != nil {
		return core.Checkout{}, attempt{}, ports.ErrNotFound
	}
	checkout, err := h.payments.Checkout(ctx, id)
	if err != nil {
		return checkout, attempt{}, err
	}
	newest, err := h.modes[checkout.Mode].stored(ctx, checkout)
	return checkout, newest, err
}

// stateOf tells what a buyer can do about a checkout.
func (h *handler) stateOf(c core.Checkout, newest attempt, offers []offer) string {
	switch c.StatusAt(h.payments.Now()) {
	case core.CheckoutComplete:
		return stateComplete
	case core.CheckoutExpired:
		return stateExpired
	case core.CheckoutOpen:
	}
	switch {
	case newest.review && c.Lease == newest.id:
		return stateReview
	case newest.processing && c.Lease == newest.id:
		return stateProcessing
	case len(offers) == 0:
		return stateUnavailable
	}
	return stateOpen
}

// wording is what the page says in each mode.
type wording struct {
	Panel, Choose, Label         string // above the fields, above the ways, on the button
	Complete, Thanks             string // once it is done
	Unavailable, Processing, End string
}

// wordsOf are the words for a checkout.
func wordsOf(c core.Checkout, t terms) wording {
	switch c.Mode {
	case core.ModeSubscription:
		words := wording{
			Panel: "Subscription", Choose: "How would you like to pay?", Label: "Subscribe", Complete: "Subscription started",
			Thanks:      "Thank you. Your subscription " + c.Reference + " runs: " + t.Price + ".",
			Unavailable: "This subscription cannot be started here now", Processing: "Your subscription is being started",
			End: "The time to subscribe here is over, and nothing was charged.",
		}
		if t.Trial != "" {
			words.Label = "Start trial"
			words.Thanks = "Thank you. Your subscription " + c.Reference + " begins with " + t.Trial + ", and then costs " + t.Price + "."
		}
		return words
	case core.ModeSetup:
		return wording{
			Panel: "Payment method", Choose: "What would you like to save?", Label: "Save", Complete: "Payment method saved",
			Thanks: "Thank you. Your payment method is saved. Nothing was charged.", Unavailable: "No payment method can be saved here now",
			Processing: "Your payment method is being saved", End: "The time to save a payment method here is over.",
		}
	case core.ModePayment:
	}
	return wording{
		Panel: "Payment", Choose: "How would you like to pay?", Label: "Pay " + formatMoney(c.Amount), Complete: "Payment complete",
		Unavailable: "This order cannot be paid here now", Processing: "Your payment is being processed",
		End: "The time to pay for this order is over, and nothing was charged.",
	}
}

var titles = map[string]string{
	stateOpen: "Checkout", stateProcessing: "Payment in progress", stateReview: "Payment is being checked",
	stateComplete: "Payment complete", stateExpired: "Checkout expired", stateUnavailable: "Payment not available",
}

func (h *handler) view(c core.Checkout, newest attempt, offers []offer, agreed terms) pageView {
	state := h.stateOf(c, newest, offers)
	view := pageView{
		State: state, Title: titles[state], Test: h.test, Assets: h.assets.views(),
		Reference: c.Reference, Total: formatMoney(c.Amount), Mode: string(c.Mode), Terms: agreed, Agreement: agreement(c, agreed), Words: wordsOf(c, agreed),
		Folded: len(c.LineItems) > itemsOpenMax, Manual: c.Capture == core.CaptureManual, Redirect: c.Flow == core.FlowRedirect,
		Success: linkTo(c.SuccessURL), Cancel: linkTo(c.CancelURL),
	}
	if _, signed := symbols[c.Amount.Currency()]; signed {
		view.Currency = string(c.Amount.Currency())
	}
	for _, item := range c.LineItems {
		sum, err := item.Amount.Mul(item.Quantity)
		if err != nil {
			sum = item.Amount // a stored checkout's rows have been added up before
		}
		view.Items = append(view.Items, itemView{
			Name: item.Name, Quantity: item.Quantity, Each: formatMoney(item.Amount), Sum: formatMoney(sum),
		})
	}
	if state == stateComplete {
		view.Title = view.Words.Complete
	}
	if view.Redirect {
		view.Words.Label = "Continue to payment"
		if c.Mode != core.ModePayment {
			view.Words.Label = "Continue"
		}
	}
	data := scriptData{Checkout: c.ID, State: state, Mode: string(c.Mode), Trial: agreed.Trial != "", Currency: lower(c.Amount.Currency()), Capture: string(c.Capture), Flow: string(c.Flow), Accounts: []scriptAccount{}}
	if state == stateProcessing {
		data.Attempt = newest.id
	}
	if state == stateOpen {
		if newest.failure != nil {
			view.Problem = newest.failure.Message
		}
		view.Offers = offerViews(offers, view.Redirect)
		seen := map[string]bool{}
		for _, o := range offers {
			data.Accounts = append(data.Accounts, scriptAccount{
				Account: o.account, Provider: o.config.Provider, PublishableKey: o.config.PublishableKey, Location: o.config.LocationID,
				Amount: foreignAmount(c.Amount, o.config), Decimal: c.Amount.Decimal(),
			})
			if script := scriptFor(o.config, c); script != "" && !seen[script] {
				seen[script] = true
				view.Scripts = append(view.Scripts, script)
			}
		}
	}
	view.Script = encode(data)
	return view
}

// scriptFor is the address of a provider's script for a checkout.
func scriptFor(config ports.BrowserConfig, c core.Checkout) string {
	intent, vault := "capture", "false"
	switch {
	case c.Mode == core.ModeSubscription:
		intent, vault = "subscription", "true"
	case c.Mode == core.ModeSetup:
		vault = "true"
	case c.Capture == core.CaptureManual:
		intent = "authorize"
	}
	return strings.NewReplacer("{currency}", string(c.Amount.Currency()), "{intent}", intent, "{vault}", vault).Replace(config.ScriptURL)
}

// offerViews names the ways to pay.
func offerViews(offers []offer, redirect bool) []offerView {
	views := make([]offerView, 0, len(offers))
	for _, o := range offers {
		known := methods[o.config.Provider]
		title := known.title
		if redirect {
			title = known.hosted
		}
		views = append(views, offerView{Account: o.account, Title: title})
	}
	return views
}

// encode writes data for the script. Its shapes cannot fail to be written.
func encode(data scriptData) string {
	text, err := json.Marshal(data)
	if err != nil {
		panic("checkout page: " + err.Error())
	}
	return string(text)
}

// comeBack answers GET /pay/{checkout}/return, where a provider sends the buyer's
// browser after a step on its own pages. The provider may have put the payment's secrets
// into the address, so the buyer goes on to one without them.
func (h *handler) comeBack(w http.ResponseWriter, r *http.Request) {
	switch r.PathValue("step") {
	case "return":
	case "attempts":
		w.Header().Set("Allow", http.MethodPost)
		methodNotAllowed.write(w)
		return
	default:
		h.refusePage(w, http.StatusNotFound)
		return
	}
	checkout, newest, err := h.load(r.Context(), r.PathValue("checkout"))
	if errors.Is(err, ports.ErrNotFound) {
		h.refusePage(w, http.StatusNotFound)
		return
	}
	if err == nil && newest.id != "" {
		_, _, err = h.modes[checkout.Mode].look(r.Context(), checkout.ID, newest.id)
	}
	if err != nil {
		// The page shows what is known; the webhook brings the rest.
		h.logger.WarnContext(r.Context(), "look at a returning buyer's attempt", slog.String("error", err.Error()))
	}
	if checkout.ID == "" {
		h.refusePage(w, http.StatusServiceUnavailable)
		return
	}
	// The id has been parsed, so it holds nothing that could lead elsewhere.
	http.Redirect(w, r, "/pay/"+string(checkout.ID), http.StatusSeeOther)
}
