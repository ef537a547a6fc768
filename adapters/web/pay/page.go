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
	Payment  core.PaymentID  `json:"payment,omitempty"` // the one to ask about while processing
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
	checkout, payment, err := h.load(r.Context(), r.PathValue("checkout"))
	if errors.Is(err, ports.ErrNotFound) {
		h.refusePage(w, http.StatusNotFound)
		return
	}
	var offers []offer
	if err == nil {
		offers, err = h.offers(r.Context(), checkout, payment)
	}
	if err != nil {
		h.logger.ErrorContext(r.Context(), "checkout page", slog.String("error", err.Error()))
		h.refusePage(w, http.StatusServiceUnavailable)
		return
	}
	view := h.view(checkout, payment, offers)
	if view.State == stateOpen {
		view.Nonce = h.nonceFor(offers)
		w.Header().Set("Content-Security-Policy", policy(offers, view.Nonce))
		w.Header().Set("Permissions-Policy", permissions(offers))
	}
	h.render(w, r, http.StatusOK, view)
}

// load reads a checkout and its newest payment, the zero one where there is none.
func (h *handler) load(ctx context.Context, text string) (core.Checkout, core.Payment, error) {
	id, err := core.ParseID[core.CheckoutID](text)
	if err != nil {
		return core.Checkout{}, core.Payment{}, ports.ErrNotFound
	}
	checkout, err := h.payments.Checkout(ctx, id)
	if err != nil || checkout.Payment == "" {
		return checkout, core.Payment{}, err
	}
	payment, err := h.payments.Payment(ctx, checkout.Payment)
	return checkout, payment, err
}

// stateOf tells what a buyer can do about a checkout.
func (h *handler) stateOf(c core.Checkout, p core.Payment, offers []offer) string {
	switch c.StatusAt(h.payments.Now()) {
	case core.CheckoutComplete:
		return stateComplete
	case core.CheckoutExpired:
		return stateExpired
	case core.CheckoutOpen:
	}
	switch {
	case p.Status == core.PaymentNeedsReview && c.LeasedPayment() == p.ID:
		return stateReview
	case p.Status == core.PaymentProcessing && p.Exists() && c.LeasedPayment() == p.ID:
		return stateProcessing
	case len(offers) == 0:
		return stateUnavailable
	}
	return stateOpen
}

var titles = map[string]string{
	stateOpen: "Checkout", stateProcessing: "Payment in progress", stateReview: "Payment is being checked",
	stateComplete: "Payment complete", stateExpired: "Checkout expired", stateUnavailable: "Payment not available",
}

func (h *handler) view(c core.Checkout, p core.Payment, offers []offer) pageView {
	state := h.stateOf(c, p, offers)
	view := pageView{
		State: state, Title: titles[state], Test: h.test, Assets: h.assets.views(),
		Reference: c.Reference, Total: formatMoney(c.Amount),
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
	data := scriptData{Checkout: c.ID, State: state, Currency: lower(c.Amount.Currency()), Capture: string(c.Capture), Flow: string(c.Flow), Accounts: []scriptAccount{}}
	if state == stateProcessing {
		data.Payment = p.ID
	}
	if state == stateOpen {
		if p.Failure != nil {
			view.Problem = p.Failure.Message
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
	intent := "capture"
	if c.Capture == core.CaptureManual {
		intent = "authorize"
	}
	return strings.NewReplacer("{currency}", string(c.Amount.Currency()), "{intent}", intent).Replace(config.ScriptURL)
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
	checkout, payment, err := h.load(r.Context(), r.PathValue("checkout"))
	if errors.Is(err, ports.ErrNotFound) {
		h.refusePage(w, http.StatusNotFound)
		return
	}
	if err == nil && payment.ID != "" {
		_, _, err = h.payments.Look(r.Context(), checkout.ID, payment.ID)
	}
	if err != nil {
		// The page shows what is known; the webhook brings the rest.
		h.logger.WarnContext(r.Context(), "look at a returning buyer's payment", slog.String("error", err.Error()))
	}
	if checkout.ID == "" {
		h.refusePage(w, http.StatusServiceUnavailable)
		return
	}
	// The id has been parsed, so it holds nothing that could lead elsewhere.
	http.Redirect(w, r, "/pay/"+string(checkout.ID), http.StatusSeeOther)
}
