package console

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/paydesk/paydesk/adapters/httpedge"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
)

// signInView is the page of strangers.
type signInView struct {
	email, to, problem string
	code               bool // whether a code is asked for, too
}

func queryEscape(text string) string { return url.QueryEscape(text) }

// within is an address of ours to go on to; the overview for all others.
func within(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return "/"
	}
	return to
}

func (h *handler) showSignIn(w http.ResponseWriter, r *http.Request) {
	h.render(r.Context(), w, http.StatusOK, h.around(nil, shown{title: "Sign in"}), signInPage(signInView{to: within(r.URL.Query().Get("to"))}))
}

func (h *handler) signIn(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	in := access.SignIn{Email: r.PostFormValue("email"), Password: r.PostFormValue("password"), Code: r.PostFormValue("code"), From: hostOf(r.RemoteAddr), Agent: r.UserAgent()}
	view := signInView{email: in.Email, to: within(r.PostFormValue("to")), code: in.Code != ""}
	_, token, err := h.access.SignIn(ctx, in)
	var locked *core.LockedError
	code := http.StatusUnauthorized
	switch {
	case err == nil:
		http.SetCookie(w, httpedge.SessionCookie(token, h.secure, core.SessionAgeMax))
		http.Redirect(w, r, view.to, http.StatusSeeOther)
		return
	case errors.As(err, &locked):
		code = http.StatusTooManyRequests
		view.problem = "Too many tries failed. The next one is looked at from " + locked.Until.UTC().Format("15:04:05") + " UTC on."
	case errors.Is(err, core.ErrCodeNeeded):
		view.code, view.problem = true, "Give your password once more, and the code that your app shows."
	case errors.Is(err, core.ErrUnauthenticated):
		view.problem = "Email, password or code is not right."
	default:
		h.logger.LogAttrs(ctx, slog.LevelError, "nobody could sign in", slog.String("error", err.Error()))
		code, view.problem = http.StatusInternalServerError, "That did not work. It was our fault: try once more in a moment."
	}
	h.render(ctx, w, code, h.around(nil, shown{title: "Sign in"}), signInPage(view))
}

func (h *handler) signOut(w http.ResponseWriter, r *http.Request) {
	if err := h.access.SignOut(r.Context(), httpedge.SessionToken(r, h.secure), hostOf(r.RemoteAddr)); err != nil {
		h.logger.LogAttrs(r.Context(), slog.LevelError, "session not ended", slog.String("error", err.Error()))
		h.problem(r.Context(), w, http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, httpedge.SessionCookie("", h.secure, 0))
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
