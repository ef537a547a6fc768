package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/adapters/httpedge"
	"github.com/paydesk/paydesk/core"
)

// around puts the edge around the calls.
func (s *server) around(calls *http.ServeMux) http.Handler {
	return s.edge.Around(calls, func(w http.ResponseWriter, r *http.Request, route string) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1"):
			w.Header().Set("Cache-Control", "no-store")
			s.guarded(w, r, calls, route)
		case route == httpedge.NoRoute:
			refuseRoute(w, r, calls)
		default:
			calls.ServeHTTP(w, r)
		}
	})
}

// guarded is a call of /v1: it goes on only with a good key and a clean request.
func (s *server) guarded(w http.ResponseWriter, r *http.Request, calls *http.ServeMux, route string) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		unauthorized.write(w)
		return
	}
	key, err := s.keys.APIKey(r.Context(), strings.TrimSpace(token))
	if err != nil {
		s.problemOf(r.Context(), err).write(w)
		return
	}
	body, refused := readBody(w, r, bodyLimit(route))
	upload := takesUpload(route) && r.Method == http.MethodPost
	looked := body
	if upload {
		looked = nil // a picture's bytes may look like anything
	}
	if refused == nil && hasCardNumber(r, looked) {
		refused = cardNumber
	}
	if refused == nil && route == httpedge.NoRoute {
		refuseRoute(w, r, calls)
		return
	}
	if refused == nil {
		refused = checkQuery(r.URL.RawQuery)
	}
	if refused == nil && upload {
		refused = checkUpload(r)
	} else if refused == nil && len(body) > 0 {
		refused = checkBody(r, body)
	}
	if refused != nil {
		refused.write(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) > 0 && !upload {
		r.Header.Set("Content-Type", "application/json") // checked; huma knows it in this spelling only
	}
	r = r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{key: key.ID}))
	if r.Method != http.MethodPost {
		calls.ServeHTTP(w, r)
		return
	}
	s.once(w, r, calls, key.ID, body)
}

// refuseRoute answers what the calls do not: another method, or nothing at all.
func refuseRoute(w http.ResponseWriter, r *http.Request, calls *http.ServeMux) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if route := httpedge.RouteOf(calls, other); strings.HasPrefix(route, method+" ") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		notFound.write(w)
		return
	}
	answer := problem(http.StatusMethodNotAllowed, "method_not_allowed", "This address takes "+strings.Join(allowed, " and ")+".")
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	answer.write(w)
}

// caller is who makes the call, and under which key its objects are found again.
type caller struct {
	key     core.APIKeyID
	request core.RequestKey // empty where no Idempotency-Key was sent
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func (c caller) cause() core.Cause { return core.Cause{Kind: core.CauseAPI, Actor: string(c.key)} }
