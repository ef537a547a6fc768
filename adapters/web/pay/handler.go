package pay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/adapters/httpedge"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
)

// Options are what the handler is made of.
type Options struct {
	Payments      *payments.Service      // required
	Customers     *customers.Service     // required
	Subscriptions *subscriptions.Service // required
	// Browsers holds the accounts that buyers can pay at on the page; those without a
	// publishable key are left out.
	Browsers    map[core.AccountName]ports.BrowserConfig
	Environment core.Environment // test shows a banner
	PublicURL   core.PublicURL
	IDs         ports.IDs    // required
	Logger      *slog.Logger // nil for slog's default
}

// methods are the providers whose fields the page's script knows how to show, and what a
// buyer knows them as; hosted is whose own page the buyer goes to.
var methods = map[core.ProviderName]struct{ title, hosted, purpose string }{
	core.ProviderStripe: {
		title:   "Card or wallet, through Stripe",
		hosted:  "Stripe",
		purpose: "Stripe.js: shows Stripe's payment fields in Stripe's own frame and confirms the payment there.",
	},
	core.ProviderPayPal: {
		title:   "PayPal",
		hosted:  "PayPal",
		purpose: "PayPal's JavaScript SDK: shows PayPal's button in PayPal's own frame and lets the buyer agree to the payment there.",
	},
	core.ProviderSquare: {
		title:   "Card, through Square",
		hosted:  "Square",
		purpose: "Square's Web Payments SDK: shows Square's card fields in Square's own frame and makes a one-time token of the card.",
	},
}

type handler struct {
	payments *payments.Service
	prices   *subscriptions.Service
	desks    map[core.CheckoutMode]desk
	browsers map[core.AccountName]ports.BrowserConfig
	test     bool
	logger   *slog.Logger
	page     *template.Template
	assets   assetSet
	ids      ports.IDs
	scripts  []byte // the inventory
}

// NewHandler serves everything under /pay/. It fails where an account's provider is one
// that the page cannot show.
func NewHandler(options Options) (http.Handler, error) {
	if options.Payments == nil || options.Customers == nil || options.Subscriptions == nil || options.IDs == nil {
		return nil, errors.New("checkout page: no payments, customers or subscriptions, or no source of ids")
	}
	assets, err := loadAssets()
	if err != nil {
		return nil, err
	}
	page, err := template.ParseFS(files, "assets/page.html")
	if err != nil {
		return nil, fmt.Errorf("parse the checkout page: %w", err)
	}
	h := &handler{
		payments: options.Payments, prices: options.Subscriptions, desks: desks(options.Payments, options.Customers, options.Subscriptions),
		browsers: make(map[core.AccountName]ports.BrowserConfig),
		test:     options.Environment == core.EnvTest, logger: options.Logger, page: page, assets: assets, ids: options.IDs,
	}
	if h.logger == nil {
		h.logger = slog.Default()
	}
	for account, config := range options.Browsers {
		if _, known := methods[config.Provider]; !known {
			return nil, fmt.Errorf("checkout page: account %q is of a provider that the page cannot show", account)
		}
		if config.PublishableKey != "" {
			h.browsers[account] = config
		}
	}
	h.scripts = h.inventory()
	edge, err := httpedge.New(httpedge.Options{
		Face: "pay", Secure: options.PublicURL.Secure(), Logger: options.Logger,
		Panicked: func(_ context.Context, w http.ResponseWriter) { internalError.write(w) },
	})
	if err != nil {
		return nil, err
	}
	return h.routes(edge), nil
}

func (h *handler) routes(edge *httpedge.Edge) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pay/assets/{file}", h.serveAsset)
	mux.HandleFunc("GET /pay/scripts.json", h.serveScripts)
	mux.HandleFunc("GET /pay/{checkout}", h.showPage)
	mux.HandleFunc("GET /pay/{checkout}/{step}", h.comeBack)
	mux.HandleFunc("POST /pay/{checkout}/attempts", h.startAttempt)
	mux.HandleFunc("POST /pay/{checkout}/attempts/{attempt}/sync", h.syncAttempt)
	mux.HandleFunc("POST /pay/{checkout}/attempts/{attempt}/confirm", h.confirmAttempt)
	mux.HandleFunc("/pay/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			h.refusePage(w, http.StatusNotFound)
			return
		}
		notFound.write(w)
	})
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { crossOrigin.write(w) }))
	calls := harden(guard.Handler(mux))
	return edge.Around(mux, func(w http.ResponseWriter, r *http.Request, _ string) { calls.ServeHTTP(w, r) })
}

// plainPolicy is for everything but an open checkout's page, which needs its providers.
const plainPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// harden sets what every answer here carries beside the edge's; a page that needs other than
// this replaces it.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", plainPolicy)
		header.Set("X-Frame-Options", "DENY")
		header.Set("Cache-Control", "no-store")
		header.Set("Permissions-Policy", permissions(nil))
		next.ServeHTTP(w, r)
	})
}

// policy is the Content-Security-Policy of a page that offers accounts. nonce is empty
// where none of them needs one.
func policy(offers []offer, nonce string) string {
	script, style, connect := []string{"'self'"}, []string{"'self'"}, []string{"'self'"}
	image, frame, font := []string{"'self'", "data:"}, []string{}, []string{}
	for _, o := range offers {
		script = append(script, o.config.ScriptSources...)
		style = append(style, o.config.StyleSources...)
		connect = append(connect, o.config.ConnectSources...)
		image = append(image, o.config.ImageSources...)
		frame = append(frame, o.config.FrameSources...)
		font = append(font, o.config.FontSources...)
		if o.config.NeedsInlineStyles {
			style = append(style, "'unsafe-inline'")
		}
		if o.config.NeedsNonce {
			script, style = append(script, "'nonce-"+nonce+"'"), append(style, "'nonce-"+nonce+"'")
		}
	}
	return strings.Join([]string{
		"default-src 'none'", "script-src " + sources(script), "style-src " + sources(style), "frame-src " + sources(frame),
		"connect-src " + sources(connect), "img-src " + sources(image), "font-src " + sources(font),
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
}

// nonceFor is a new nonce where an offered account needs one; empty otherwise.
func (h *handler) nonceFor(offers []offer) string {
	if slices.ContainsFunc(offers, func(o offer) bool { return o.config.NeedsNonce }) {
		return h.ids.Secret()
	}
	return ""
}

// sources lists each source once, in a fixed order.
func sources(list []string) string {
	if len(list) == 0 {
		return "'none'"
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

// permissions lets only the page and the providers' frames ask for a payment; nothing
// else that a browser could be asked for is needed.
func permissions(offers []offer) string {
	allowed := []string{"self"}
	for _, o := range offers {
		for _, source := range o.config.FrameSources {
			if !strings.Contains(source, "*") { // the header knows no wildcards of this kind
				allowed = append(allowed, `"`+source+`"`)
			}
		}
	}
	slices.Sort(allowed)
	allowed = slices.Compact(allowed)
	return "payment=(" + strings.Join(allowed, " ") + "), accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), usb=()"
}

// offer is an account that a checkout's buyer can choose on the page.
type offer struct {
	account core.AccountName
	config  ports.BrowserConfig
}

// shows reports whether the page can let a buyer choose an account.
func (h *handler) shows(c core.Checkout, account core.AccountName) bool {
	_, ok := h.browsers[account]
	return ok || c.Flow == core.FlowRedirect
}

// offers lists them in the order that they are offered in. newest is the checkout's newest
// attempt.
func (h *handler) offers(ctx context.Context, c core.Checkout, newest attempt) ([]offer, error) {
	var leased core.AccountName
	if c.Lease != "" && c.Lease == newest.id {
		leased = newest.account
	}
	providers, err := h.payments.Accounts(ctx, c, leased, func(account core.AccountName) bool { return h.shows(c, account) })
	if err != nil {
		return nil, err
	}
	list := make([]offer, 0, len(providers))
	for _, provider := range providers {
		one := offer{account: provider.Account(), config: ports.BrowserConfig{Provider: provider.Name()}}
		if c.Flow != core.FlowRedirect {
			one.config = h.browsers[provider.Account()]
		}
		list = append(list, one)
	}
	return list, nil
}

// isUnderWay reports whether the buyer has nothing to do but to wait for how an attempt ends.
// Where a card's token is all that a provider wants, that is so once it knows of the attempt.
func (h *handler) isUnderWay(ctx context.Context, c core.Checkout, a attempt) bool {
	if a.mode == core.ModePayment {
		return a.status == statusProcessing && a.object != ""
	}
	if !a.isOpen() || a.object == "" {
		return false
	}
	provider, err := h.payments.Offered(ctx, a.account, c)
	return err == nil && provider.Capabilities().Confirm == ports.ConfirmWithSource
}

// accounts lists the names of all accounts with fields to show.
func (h *handler) accounts() []core.AccountName { return slices.Sorted(maps.Keys(h.browsers)) }

// render writes a whole page or, where the template fails, none of it.
func (h *handler) render(w http.ResponseWriter, r *http.Request, status int, view pageView) {
	var page bytes.Buffer
	if err := h.page.Execute(&page, view); err != nil {
		h.logger.ErrorContext(r.Context(), "checkout page", slog.String("error", err.Error()))
		http.Error(w, "Something went wrong here. Please load the page again.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // a buyer who is gone needs no answer
}

// refusePage is the page of a checkout that is not there or cannot be shown.
func (h *handler) refusePage(w http.ResponseWriter, status int) {
	view := pageView{State: stateMissing, Title: "Page not found", Assets: h.assets.views()}
	if status != http.StatusNotFound {
		view.State, view.Title = stateBroken, "Something went wrong"
	}
	h.render(w, &http.Request{}, status, view)
}
