package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/core/observe"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/repair"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/graph/generated"
	"github.com/paydesk/paydesk/ports"
)

// Limits of the server.
const (
	// queryTimeMax is how long one query may take.
	queryTimeMax = 10 * time.Second
	// bodyBytesMax bounds a request, by POST or GET.
	bodyBytesMax = 256 << 10
	// queriesRemembered is how many parsed queries are kept.
	queriesRemembered = 200
	// persistedMax is how many queries callers may have remembered by their hash, and
	// persistedBytesMax how long each may be.
	persistedMax      = 100
	persistedBytesMax = 16 << 10

	scope = "github.com/paydesk/paydesk/graph"
)

// Options are what the admin API is made of. All but Logger are required.
type Options struct {
	Payments      *payments.Service
	Refunds       *refunds.Service
	Disputes      *disputes.Service
	Subscriptions *subscriptions.Service
	Store         ports.Store
	Access        *access.Service
	Notify        *notify.Service
	Inbox         *observe.Inbox
	Repair        *repair.Service
	Sealer        ports.Sealer // of the addresses of exports
	Health        *health.Service
	Idempotency   *idempotency.Service
	Environment   core.Environment
	// ApprovalAbove is from which amount on a refund waits for a second person; none for the zero value.
	ApprovalAbove core.RefundLimits
	// Session reads the token of the console's session from a request, empty for none; nil where there
	// is no console.
	Session func(*http.Request) string
	Logger  *slog.Logger // nil for slog's default
}

type server struct {
	resolver *Resolver
	graphql  *handler.Server
	store    ports.Reader
	access   *access.Service
	logger   *slog.Logger
	tracer   trace.Tracer
	duration metric.Float64Histogram
	session  func(*http.Request) string
	origins  *http.CrossOriginProtection
	sockets  slots
	ended    chan struct{} // closed when the service stops
}

// Handler is the admin listener's handler.
type Handler struct {
	http.Handler
	end func()
}

// EndStreams ends all subscriptions, which would never end by themselves, and begins no more. Call it when the service stops.
func (h *Handler) EndStreams() { h.end() }

// NewHandler makes the admin API's handler: GraphQL under /graphql, for staff with their token or the
// session of the console. A schema with a root field that says
// nothing of who may see it is an error.
func NewHandler(o Options) (*Handler, error) {
	if o.Payments == nil || o.Refunds == nil || o.Disputes == nil || o.Subscriptions == nil || o.Store == nil || o.Access == nil || o.Notify == nil || o.Inbox == nil || o.Repair == nil || o.Sealer == nil || o.Health == nil || o.Idempotency == nil {
		return nil, errors.New("admin API needs payments, refunds, disputes, subscriptions, a store, access, notifications, an inbox, repair, a sealer and idempotency")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	duration, err := otel.Meter(scope).Float64Histogram("paydesk.graphql.duration",
		metric.WithUnit("s"), metric.WithDescription("How long admin queries take, by outcome."))
	if err != nil {
		return nil, fmt.Errorf("make the admin API's metric: %w", err)
	}
	s := &server{
		resolver: &Resolver{payments: o.Payments, refunds: o.Refunds, disputes: o.Disputes, subscriptions: o.Subscriptions, limits: o.ApprovalAbove, store: o.Store, changes: o.Store, access: o.Access, notify: o.Notify, inbox: o.Inbox, repair: o.Repair, sealer: o.Sealer, health: o.Health, replays: o.Idempotency, summaries: newTogether[summaryAsked, *core.Summary](queryTimeMax), logger: o.Logger},
		store:    o.Store, access: o.Access, logger: o.Logger,
		tracer: otel.Tracer(scope), duration: duration, session: o.Session, origins: http.NewCrossOriginProtection(), ended: make(chan struct{}),
	}
	if s.graphql, err = s.newGraphQL(o.Environment == core.EnvLive); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", s.serveGraphQL)
	mux.HandleFunc("GET "+exportPath+"{file}", s.serveExport)
	return &Handler{Handler: secured(mux), end: sync.OnceFunc(func() { close(s.ended) })}, nil
}

// Paths are what the handler answers, as patterns of [http.ServeMux]; all else of the listener is others'.
func Paths() []string { return []string{"/graphql", exportPath} }

func (s *server) newGraphQL(live bool) (*handler.Server, error) {
	schema := generated.NewExecutableSchema(generated.Config{
		Resolvers:  s.resolver,
		Directives: generated.DirectiveRoot{Requires: s.resolver.requires, Personal: s.resolver.personal},
		Complexity: costs(),
	})
	if err := checkRules(schema.Schema()); err != nil {
		return nil, fmt.Errorf("check the admin API's schema: %w", err)
	}
	server := handler.New(schema)
	server.AddTransport(httpTransport{server: s})
	server.AroundResponses(s.freshly)
	server.SetErrorPresenter(s.present)
	server.SetRecoverFunc(s.recovered)
	server.SetParserTokenLimit(tokensMax)
	server.SetQueryCache(lru.New[*ast.QueryDocument](queriesRemembered))
	if live {
		server.SetDisableSuggestion(true)
		server.SetValidationRulesFn(withoutSuggestions)
	}
	server.Use(extension.AutomaticPersistedQuery{Cache: shortQueries{lru.New[string](persistedMax)}})
	server.Use(limits{resolver: s.resolver, live: live}) // before complexity, which knows no end of fragments
	server.Use(extension.FixedComplexityLimit(complexityMax))
	return server, nil
}

// shortQueries remembers no query that is too long, so that the memory it takes is bounded.
type shortQueries struct{ *lru.LRU[string] }

// Add remembers a query by its hash.
func (q shortQueries) Add(ctx context.Context, hash, query string) {
	if len(query) <= persistedBytesMax {
		q.LRU.Add(ctx, hash, query)
	}
}

// serveGraphQL lets staff in. Who is not known learns nothing else.
func (s *server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	ctx, span := s.tracer.Start(r.Context(), "graphql", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	ctx, cancel := s.bounded(ctx, r)
	defer cancel()
	staff, err := s.caller(ctx, r)
	switch {
	case errors.Is(err, errForeign):
		writeRefusal(ctx, w, http.StatusForbidden, codeForeign, "A page of another site may not do this in your session.")
		return
	case errors.Is(err, core.ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", `Bearer realm="paydesk"`)
		writeRefusal(ctx, w, http.StatusUnauthorized, codeUnauthenticated, "Send a staff token as Authorization: Bearer TOKEN.")
		return
	case err != nil:
		s.logger.LogAttrs(ctx, slog.LevelError, "staff not looked up", slog.String("error", err.Error()), slog.String("trace_id", traceID(ctx)))
		writeRefusal(ctx, w, http.StatusInternalServerError, codeInternal, messageInternal)
		return
	}
	most := int64(bodyBytesMax)
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), mediaMultipart) {
		most = multipartBytesMax
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	ctx = withRequest(ctx, &request{staff: staff, from: address(r), loaders: newLoaders(s.store), still: s.stillAllowed(r, staff)})
	s.graphql.ServeHTTP(w, r.WithContext(ctx))
}

// bounded ends queries after their time, and subscriptions when the service stops.
func (s *server) bounded(ctx context.Context, r *http.Request) (context.Context, context.CancelFunc) {
	if !wantsStream(r) && !wantsSocket(r) {
		return context.WithTimeout(ctx, queryTimeMax)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// errForeign means that a page of another site made the browser send its cookie.
var errForeign = errors.New("the request comes from another site")

// caller is who asks: by a staff token, or else by the session cookie of the console. A browser sends
// the cookie by itself, whoever made the page, so that those requests must come from our own.
func (s *server) caller(ctx context.Context, r *http.Request) (core.Staff, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		return s.access.StaffByToken(ctx, bearer(r))
	}
	token := ""
	if s.session != nil {
		token = s.session(r)
	}
	if token == "" {
		return core.Staff{}, core.ErrUnauthenticated
	}
	if s.origins.Check(r) != nil {
		return core.Staff{}, errForeign
	}
	staff, _, err := s.access.StaffBySession(ctx, token)
	return staff, err
}

// address is the caller's network address, without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// bearer is the token of the Authorization header; empty for none or two.
func bearer(r *http.Request) string {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// secured adds the headers that every answer carries: nothing here is a page to be
// framed, cached, or given scripts.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		next.ServeHTTP(w, r)
	})
}
