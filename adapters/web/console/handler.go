package console

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/paydesk/paydesk/adapters/httpedge"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/ports"
)

// Options are what the console is made of. All but Logger are required.
type Options struct {
	GraphQL http.Handler    // the admin API, which answers POST /graphql
	Access  *access.Service // who signs in
	IDs     ports.IDs       // for the keys under which actions are done once
	Clock   ports.Clock     // for the days that the overview looks back
	URL     core.PublicURL  // where staff's browsers find it
	Logger  *slog.Logger    // nil for slog's default
}

type handler struct {
	graphql http.Handler
	access  *access.Service
	ids     ports.IDs
	now     func() time.Time
	secure  bool
	assets  assetSet
	logger  *slog.Logger
}

const (
	// formBytesMax bounds what a form sends, and fileFormBytesMax one with a file.
	formBytesMax     = 64 << 10
	fileFormBytesMax = 6 << 20
	mediaFiles       = "multipart/form-data"
)

// New makes the console's handler, which answers everything but /graphql.
func New(o Options) (http.Handler, error) {
	if o.GraphQL == nil || o.Access == nil || o.IDs == nil || o.Clock == nil {
		return nil, errors.New("the console needs the admin API, access, ids and a clock")
	}
	assets, err := loadAssets()
	if err != nil {
		return nil, err
	}
	h := &handler{graphql: o.GraphQL, access: o.Access, ids: o.IDs, now: o.Clock.Now, secure: o.URL.Secure(), assets: assets, logger: o.Logger}
	if h.logger == nil {
		h.logger = slog.Default()
	}
	edge, err := httpedge.New(httpedge.Options{
		Face: "console", Secure: h.secure, Logger: o.Logger,
		Panicked: func(ctx context.Context, w http.ResponseWriter) { h.problem(ctx, w, http.StatusInternalServerError) },
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{file}", assets.serve)
	mux.HandleFunc("GET /sign-in", h.showSignIn)
	mux.HandleFunc("POST /sign-in", h.signIn)
	mux.HandleFunc("POST /sign-out", h.signOut)
	for path, show := range h.pages() {
		mux.HandleFunc("GET "+path, h.page(show))
	}
	for _, one := range actions() {
		mux.HandleFunc("GET "+one.path, h.page(h.showAction(one)))
		mux.HandleFunc("POST "+one.path, h.page(h.doAction(one)))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.problem(r.Context(), w, http.StatusNotFound) })
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.problem(r.Context(), w, http.StatusForbidden) }))
	calls := harden(guard.Handler(mux))
	return edge.Around(mux, func(w http.ResponseWriter, r *http.Request, _ string) { calls.ServeHTTP(w, r) }), nil
}

// policy lets pages have our own files, and nothing inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// harden sets what every answer carries beside the edge's.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Frame-Options", "DENY")
		header.Set("Cache-Control", "no-store")
		header.Set("Referrer-Policy", "same-origin")
		limit := int64(formBytesMax)
		if strings.HasPrefix(r.Header.Get("Content-Type"), mediaFiles) {
			limit = fileFormBytesMax
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// visit is one request of somebody who is signed in.
type visit struct {
	*http.Request

	client client
	viewer ViewerViewerStaff
	role   core.Role
}

// may reports whether the visitor's role includes another. It decides what is shown; what is done, the
// admin API decides.
func (v *visit) may(role core.Role) bool { return v.role.Includes(role) }

// shown is what a page answers with.
type shown struct {
	title  string
	body   templ.Component
	code   int    // 0 means 200
	to     string // address to go on to instead; empty for none
	notice string
}

// pageFunc makes one page.
type pageFunc func(ctx context.Context, v *visit) (shown, error)

// page lets in who is signed in, and renders what the function makes, or why it could not.
func (h *handler) page(show pageFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		v := &visit{Request: r, client: client{handler: h.graphql, browser: r}}
		who, err := Viewer(ctx, v.client)
		if err != nil {
			h.failed(ctx, w, r, v, err)
			return
		}
		v.viewer, v.role = who.Viewer, core.Role(who.Viewer.Role)
		out, err := show(ctx, v)
		switch {
		case err != nil:
			h.failed(ctx, w, r, v, err)
		case out.to != "":
			http.Redirect(w, r, out.to, http.StatusSeeOther)
		default:
			if out.notice == "" {
				out.notice = notices[r.URL.Query().Get("done")]
			}
			h.render(ctx, w, max(out.code, http.StatusOK), h.around(v, out), out.body)
		}
	}
}

// failed says why there is no page.
func (h *handler) failed(ctx context.Context, w http.ResponseWriter, r *http.Request, v *visit, err error) {
	var refused gqlerror.List
	switch {
	case errors.Is(err, errSignedOut):
		if r.Header.Get("HX-Request") != "" {
			w.WriteHeader(http.StatusUnauthorized) // console.js reads the page anew
			return
		}
		http.Redirect(w, r, "/sign-in?to="+queryEscape(r.URL.RequestURI()), http.StatusSeeOther) //nolint:gosec // our own page, whatever stands behind the question mark
		return
	case errors.Is(err, errNotFound):
		h.answerProblem(ctx, w, v, http.StatusNotFound)
		return
	case errors.As(err, &refused):
		switch code, _ := refused[0].Extensions["code"].(string); code {
		case "FORBIDDEN":
			h.answerProblem(ctx, w, v, http.StatusForbidden)
			return
		case "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED":
			h.render(ctx, w, http.StatusBadRequest, h.around(v, shown{title: "Not understood"}), problemPage("Not understood", refused[0].Message))
			return
		}
	}
	h.logger.LogAttrs(ctx, slog.LevelError, "page not made", slog.String("path", r.URL.Path), slog.String("error", err.Error()))
	h.answerProblem(ctx, w, v, http.StatusInternalServerError)
}

// errNotFound means that there is no such object.
var errNotFound = errors.New("no such object")

// problems are the pages of what went wrong.
var problems = map[int][2]string{
	http.StatusNotFound:            {"There is nothing here", "The address may be wrong, or what it names may be gone."},
	http.StatusForbidden:           {"Your role may not see this", "Ask an ADMIN where you need it. That you tried is in the audit log."},
	http.StatusInternalServerError: {"That did not work", "It was our fault, and nothing was done. Try once more in a moment."},
}

func (h *handler) answerProblem(ctx context.Context, w http.ResponseWriter, v *visit, code int) {
	said := problems[code]
	h.render(ctx, w, code, h.around(v, shown{title: said[0]}), problemPage(said[0], said[1]))
}

// problem is answered to strangers, too.
func (h *handler) problem(ctx context.Context, w http.ResponseWriter, code int) {
	h.answerProblem(ctx, w, nil, code)
}

// render writes a page; nothing of it is sent where it cannot be made whole.
func (h *handler) render(ctx context.Context, w http.ResponseWriter, code int, around pageView, body templ.Component) {
	var text bytes.Buffer
	if err := page(around).Render(templ.WithChildren(ctx, body), &text); err != nil {
		h.logger.LogAttrs(ctx, slog.LevelError, "page not rendered", slog.String("error", err.Error()))
		http.Error(w, "That did not work.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(text.Bytes()) // who is gone needs no answer
}

// around is what stands around a page. Nobody's has no menu.
func (h *handler) around(v *visit, out shown) pageView {
	around := pageView{title: out.title, assets: h.assets, notice: out.notice}
	if v != nil && v.viewer.Id != "" {
		around.email, around.role, around.path = v.viewer.Email, words(v.viewer.Role), v.URL.Path
		around.search, around.menu = v.URL.Query().Get("text"), menuOf(v)
	}
	return around
}

// menuOf is the menu of a role.
func menuOf(v *visit) []menuGroup {
	groups := []menuGroup{
		{"Money", []link{{label: "Overview", path: "/"}, {label: "Payments", path: "/payments"}, {label: "Refunds", path: "/refunds"}, {label: "Approvals", path: "/approvals"}, {label: "Disputes", path: "/disputes"}}},
		{"Buyers", []link{{label: "Subscriptions", path: "/subscriptions"}, {label: "Customers", path: "/customers"}}},
		{"Machinery", []link{{label: "Desk", path: "/desk"}, {label: "Events in", path: "/events"}, {label: "Notifications", path: "/notifications"}}},
	}
	last := menuGroup{name: "House"}
	if v.may(core.RoleFinance) {
		last.items = append(last.items, link{label: "Audit log", path: "/audit"})
	}
	if v.may(core.RoleAdmin) {
		last.items = append(last.items, link{label: "Staff and keys", path: "/staff"})
	}
	last.items = append(last.items, link{label: "Explorer", path: "/explorer"}, link{label: "Your account", path: "/account"})
	return append(groups, last)
}

// notices are what is said after an action, by the word in the address.
var notices = map[string]string{}
