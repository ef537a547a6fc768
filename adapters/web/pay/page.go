package pay

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
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
	stateUnavailable = "unavailable" // there is no account to offer
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
	Words     words
	Currency  string // the code, where sums show a sign instead; empty otherwise
	Items     []itemView
	Folded    bool // whether the rows start closed
	Payment   bool // whether the mode is payment
	Redirect  bool // whether the buyer goes on at the provider's own page
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
	Checkout core.CheckoutID   `json:"checkout"`
	State    string            `json:"state"`
	Mode     core.CheckoutMode `json:"mode"`
	Trial    bool              `json:"trial"`             // whether a subscription starts without a charge
	Attempt  string            `json:"attempt,omitempty"` // the one to ask about while processing
	Currency string            `json:"currency"`          // lower case
	Capture  string            `json:"capture"`
	Flow     string            `json:"flow"`
	Accounts []scriptAccount   `json:"accounts"`
}

type scriptAccount struct {
	Account        core.AccountName  `json:"account"`
	Provider       core.ProviderName `json:"provider"`
	PublishableKey string            `json:"publishable_key"`
	Location       string            `json:"location,omitempty"`
	Amount         int64             `json:"amount"`  // in the unit that the provider's script counts in
	Decimal        string            `json:"decimal"` // the amount in whole and parts: "25.00"
}

// shown is a checkout with what its page tells of it.
type shown struct {
	checkout core.Checkout
	attempt  attempt    // the newest, the zero one where there is none
	underWay bool       // whether there is nothing to do but to wait for how it ends
	price    core.Price // that is subscribed to; the zero one in other modes
	offers   []offer
}

// showPage answers GET /pay/{checkout}. It looks at what is stored and asks no provider.
func (h *handler) showPage(w http.ResponseWriter, r *http.Request) {
	checkout, newest, err := h.load(r.Context(), r.PathValue("checkout"))
	if errors.Is(err, ports.ErrNotFound) {
		h.refusePage(w, http.StatusNotFound)
		return
	}
	var all shown
	if err == nil {
		all, err = h.gather(r.Context(), checkout, newest)
	}
	if err != nil {
		h.logger.ErrorContext(r.Context(), "checkout page", slog.String("error", err.Error()))
		h.refusePage(w, http.StatusServiceUnavailable)
		return
	}
	view := h.view(all)
	if view.State == stateOpen {
		view.Nonce = h.nonceFor(all.offers)
		w.Header().Set("Content-Security-Policy", policy(all.offers, view.Nonce))
		w.Header().Set("Permissions-Policy", permissions(all.offers))
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
	newest, err := h.desks[checkout.Mode].newest(ctx, checkout)
	return checkout, newest, err
}

// gather reads what else is shown of a checkout.
func (h *handler) gather(ctx context.Context, c core.Checkout, newest attempt) (shown, error) {
	all := shown{checkout: c, attempt: newest, underWay: h.isUnderWay(ctx, c, newest)}
	var err error
	if c.Mode == core.ModeSubscription && len(c.LineItems) > 0 {
		if all.price, err = h.prices.Price(ctx, c.LineItems[0].Price); err != nil {
			return all, err
		}
	}
	all.offers, err = h.offers(ctx, c, newest)
	return all, err
}

// stateOf tells what a buyer can do about a checkout.
func (h *handler) stateOf(all shown) string {
	c, leased := all.checkout, all.checkout.Lease != "" && all.checkout.Lease == all.attempt.id
	switch c.StatusAt(h.payments.Now()) {
	case core.CheckoutComplete:
		return stateComplete
	case core.CheckoutExpired:
		return stateExpired
	case core.CheckoutOpen:
	}
	switch {
	case leased && all.attempt.status == string(core.PaymentNeedsReview):
		return stateReview
	case leased && all.underWay:
		return stateProcessing
	case len(all.offers) == 0:
		return stateUnavailable
	}
	return stateOpen
}

func (h *handler) view(all shown) pageView {
	c, state, say := all.checkout, h.stateOf(all), wordsOf(all.checkout, all.price)
	view := pageView{
		State: state, Title: say.Titles[state], Test: h.test, Assets: h.assets.views(), Reference: c.Reference, Words: say,
		Items: itemViews(c), Folded: len(c.LineItems) > itemsOpenMax, Payment: c.Mode == core.ModePayment, Redirect: c.Flow == core.FlowRedirect,
		Success: linkTo(c.SuccessURL), Cancel: linkTo(c.CancelURL),
	}
	if _, signed := symbols[c.Amount.Currency()]; signed {
		view.Currency = string(c.Amount.Currency())
	}
	data := scriptData{
		Checkout: c.ID, State: state, Mode: c.Mode, Trial: all.price.Recurring != nil && all.price.Recurring.TrialDays > 0,
		Currency: lower(c.Amount.Currency()), Capture: string(c.Capture), Flow: string(c.Flow), Accounts: []scriptAccount{},
	}
	switch state {
	case stateProcessing:
		data.Attempt = all.attempt.id
	case stateOpen:
		if all.attempt.failure != nil {
			view.Problem = all.attempt.failure.Message
		}
		view.Offers = offerViews(all.offers, view.Redirect)
		view.Scripts = scriptsFor(all.offers, c)
		for _, o := range all.offers {
			data.Accounts = append(data.Accounts, scriptAccount{
				Account: o.account, Provider: o.config.Provider, PublishableKey: o.config.PublishableKey, Location: o.config.LocationID,
				Amount: foreignAmount(c.Amount, o.config), Decimal: c.Amount.Decimal(),
			})
		}
	}
	view.Script = encode(data)
	return view
}

func itemViews(c core.Checkout) []itemView {
	views := make([]itemView, 0, len(c.LineItems))
	for _, item := range c.LineItems {
		sum, err := item.Amount.Mul(item.Quantity)
		if err != nil {
			sum = item.Amount // a stored checkout's rows have been added up before
		}
		views = append(views, itemView{Name: item.Name, Quantity: item.Quantity, Each: formatMoney(item.Amount), Sum: formatMoney(sum)})
	}
	return views
}

// scriptsFor are the addresses of the offers' scripts for a checkout, each once. What is only
// saved is asked for as what is charged at once: the script takes no word of its own for it.
func scriptsFor(offers []offer, c core.Checkout) []string {
	intent, vault := "capture", "false"
	switch {
	case c.Mode == core.ModeSubscription:
		intent, vault = "subscription", "true"
	case c.Capture == core.CaptureManual:
		intent = "authorize"
	}
	fill := strings.NewReplacer("{currency}", string(c.Amount.Currency()), "{intent}", intent, "{vault}", vault)
	var scripts []string
	for _, o := range offers {
		if script := fill.Replace(o.config.ScriptURL); script != "" && !slices.Contains(scripts, script) {
			scripts = append(scripts, script)
		}
	}
	return scripts
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
// browser after a step on its own pages. The provider may have put the attempt's secrets
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
		_, _, err = h.desks[checkout.Mode].look(r.Context(), checkout.ID, newest.id)
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
