// Package httpapi is the storefront API: it reads and checks requests, calls the use
// cases and writes their answers. It decides nothing about money.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/paydesk/paydesk/adapters/httpedge"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
)

// Options are what the API is made of. All but Logger are required.
type Options struct {
	Payments      *payments.Service
	Refunds       *refunds.Service
	Disputes      *disputes.Service
	Customers     *customers.Service
	Subscriptions *subscriptions.Service
	Idempotency   *idempotency.Service
	Keys          *access.Service
	Endpoints     *notify.Service
	PublicURL     core.PublicURL
	Version       string
	Logger        *slog.Logger // nil for slog's default
	Clock         ports.Clock
}

type server struct {
	payments      *payments.Service
	refunds       *refunds.Service
	disputes      *disputes.Service
	customers     *customers.Service
	subscriptions *subscriptions.Service
	replays       *idempotency.Service
	keys          *access.Service
	endpoints     *notify.Service
	clock         ports.Clock
	logger        *slog.Logger
	edge          *httpedge.Edge
}

// NewHandler serves /v1, /openapi.json and /docs.
func NewHandler(options Options) (http.Handler, error) {
	if options.Payments == nil || options.Refunds == nil || options.Disputes == nil || options.Customers == nil || options.Subscriptions == nil ||
		options.Idempotency == nil || options.Keys == nil || options.Endpoints == nil || options.Clock == nil {
		return nil, errors.New("the storefront API needs all of its use cases")
	}
	s := &server{
		payments: options.Payments, refunds: options.Refunds, disputes: options.Disputes, customers: options.Customers, subscriptions: options.Subscriptions,
		replays: options.Idempotency, keys: options.Keys, endpoints: options.Endpoints,
		clock: options.Clock, logger: options.Logger,
	}
	if s.logger == nil {
		s.logger = slog.Default()
	}
	var err error
	if s.edge, err = httpedge.New(httpedge.Options{
		Face: "api", Secure: options.PublicURL.Secure(), Logger: options.Logger,
		Panicked: func(ctx context.Context, w http.ResponseWriter) { internal(ctx).write(w) },
	}); err != nil {
		return nil, err
	}
	useHouseStyle()
	mux := http.NewServeMux()
	api := humago.New(mux, config(options))
	s.checkouts(api)
	s.paymentCalls(api)
	s.refundCalls(api)
	s.disputeCalls(api)
	s.customerCalls(api)
	s.priceCalls(api)
	s.subscriptionCalls(api)
	s.events(api)
	s.endpointCalls(api)
	if err := describe(api.OpenAPI(), options.PublicURL); err != nil {
		return nil, err
	}
	if err := serveDocuments(mux, api.OpenAPI()); err != nil {
		return nil, err
	}
	return s.around(mux), nil
}

// config is huma's: strict, without links or pages of its own.
func config(options Options) huma.Config {
	c := huma.DefaultConfig("Paydesk storefront API", options.Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil // they put a link with the host into every answer
	c.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	c.RejectUnknownQueryParameters = true
	c.Info.Description = "Send your key with each call: `Authorization: Bearer pd_test_…`. " +
		"Amounts are whole numbers of the currency's minor unit. Times are RFC 3339 in UTC with microseconds. " +
		"Every POST takes an `Idempotency-Key`: the same key with the same request gives the first answer again, with `Idempotent-Replayed: true`. " +
		"Fields and parameters that a call does not know are refused. New fields and values in answers may come."
	c.Servers = []*huma.Server{{URL: string(options.PublicURL)}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "An API key, pd_test_… or pd_live_…"}}
	c.Security = []map[string][]string{{"key": {}}}
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[view.Time](), reflect.TypeFor[time.Time]())
	return c
}

// operation describes a call. errs are the statuses of its problems beside those that
// every call has.
func operation(id, method, path string, status int, summary string, errs ...int) huma.Operation {
	errs = append(errs, http.StatusBadRequest, http.StatusUnauthorized, http.StatusUnprocessableEntity)
	if method == http.MethodPost || method == http.MethodPut {
		errs = append(errs, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if strings.Contains(path, "{id}") {
		errs = append(errs, http.StatusNotFound)
	}
	return huma.Operation{
		OperationID: id, Method: method, Path: path, DefaultStatus: status, Summary: summary, MaxBodyBytes: bodyBytesMax, Errors: errs,
	}
}

// answer is a JSON answer whose status the call decides.
type answer[T any] struct {
	Status int
	Body   T
}

func answered[T any](status int, body T) *answer[T] { return &answer[T]{status, body} }

// list is a part of a list.
type list[T any] struct {
	Data       []T     `json:"data" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Give it as ?cursor= to go on; null at the end"`
}

// parseID reads an id from the path. One of another kind is told so.
func parseID[T core.ID](text string) (T, error) { return parseIDAt[T]("path.id", text) }

func parseIDAt[T core.ID](location, text string) (T, error) {
	id, err := core.ParseID[T](text)
	if err != nil {
		p := problem(http.StatusBadRequest, "invalid_id", "The id in the path is not of the right kind.")
		p.Errors = []FieldError{{Location: location, Message: err.Error()}}
		return "", p
	}
	return id, nil
}
