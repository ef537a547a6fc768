package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
)

const (
	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
	outcomeOK    = "ok" // beside the codes, for telemetry

	// nameCharactersMax is how much of a query's name telemetry keeps.
	nameCharactersMax = 64
)

// httpTransport reads requests by POST and, for queries alone, by GET.
//
// Source: GraphQL over HTTP, the working draft of 2025: with application/json as the
// answer's type a well-formed request gets 200, with application/graphql-response+json
// one that was not executed gets 400.
type httpTransport struct{ server *server }

// Supports implements graphql.Transport: this one takes all, so that each refusal has a code.
func (httpTransport) Supports(*http.Request) bool { return true }

// problem is a request that never becomes a query.
type problem struct {
	status  int
	code    string
	message string
}

// Do implements graphql.Transport.
func (t httpTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ctx, start := r.Context(), graphql.GetStartTime(r.Context())
	var params *graphql.RawParams
	var wrong *problem
	var answer *graphql.Response
	status := http.StatusOK
	if wantsSocket(r) {
		if wrong = t.socket(w, r, exec); wrong == nil {
			return
		}
	} else {
		params, wrong = readRequest(r)
	}
	switch {
	case wrong != nil:
	case wantsStream(r):
		if wrong = t.events(w, r, params, exec); wrong == nil {
			return
		}
	default:
		params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
		answer, status, wrong = t.execute(ctx, r.Method, params, exec)
	}
	var outcome string
	switch {
	case wrong != nil:
		outcome = wrong.code
		if wrong.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allowed(r.Method))
		}
		writeRefusal(ctx, w, wrong.status, wrong.code, wrong.message)
	case strings.Contains(r.Header.Get("Accept"), mediaGraphQL):
		outcome = outcomeOf(answer)
		writeJSON(w, status, mediaGraphQL, answer)
	default:
		outcome = outcomeOf(answer)
		writeJSON(w, http.StatusOK, mediaJSON, answer)
	}
	t.note(ctx, outcome, graphql.Now().Sub(start))
}

// execute runs the query. The status is for those who ask for GraphQL's own media type.
func (t httpTransport) execute(ctx context.Context, method string, params *graphql.RawParams, exec graphql.GraphExecutor) (*graphql.Response, int, *problem) {
	if method == http.MethodGet && mutates(params) {
		return nil, 0, &getMutates
	}
	operation, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		return exec.DispatchError(graphql.WithOperationContext(ctx, operation), coded(errs)), http.StatusBadRequest, nil
	}
	if method == http.MethodGet && operation.Operation.Operation != ast.Query {
		return nil, 0, &getMutates // one that was remembered by its hash
	}
	if operation.Operation.Operation == ast.Subscription {
		return nil, 0, &notStreamed
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("graphql.operation.type", string(operation.Operation.Operation)),
		attribute.String("graphql.operation.name", operation.Operation.Name[:min(len(operation.Operation.Name), nameCharactersMax)]))
	run, ctx := exec.DispatchOperation(ctx, operation)
	answer := run(ctx)
	if answer == nil { // the library's word for an end of time
		answer = &graphql.Response{Errors: gqlerror.List{t.server.present(ctx, context.DeadlineExceeded)}}
	}
	return answer, http.StatusOK, nil
}

// coded gives the library's own words, where they have none, a code.
func coded(errs gqlerror.List) gqlerror.List {
	for _, err := range errs {
		if err.Extensions == nil && err.Err == nil {
			err.Extensions = map[string]any{extensionCode: codeRequest}
		}
	}
	return errs
}

var getMutates = problem{http.StatusMethodNotAllowed, codeMethod, "GET is for queries; send this by POST."}

// mutates reports whether the request is for anything but a query, also where the schema
// would refuse it anyway.
func mutates(params *graphql.RawParams) bool {
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, tokensMax)
	if err != nil || document == nil {
		return false // told by the executor
	}
	operation := document.Operations.ForName(params.OperationName)
	return operation != nil && operation.Operation != ast.Query
}

// outcomeOf is the first error's code.
func outcomeOf(answer *graphql.Response) string {
	if len(answer.Errors) == 0 {
		return outcomeOK
	}
	code, _ := answer.Errors[0].Extensions[extensionCode].(string)
	return code
}

// note tells telemetry how the request ended.
func (t httpTransport) note(ctx context.Context, outcome string, took time.Duration) {
	t.server.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("outcome", outcome)))
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(attribute.String("graphql.outcome", outcome))
	if outcome == codeInternal || outcome == codeTimeout {
		span.SetStatus(codes.Error, outcome)
	}
}

func allowed(method string) string {
	if method == http.MethodGet {
		return http.MethodPost
	}
	return http.MethodGet + ", " + http.MethodPost
}

// readRequest reads what is asked, from the body or the address.
func readRequest(r *http.Request) (*graphql.RawParams, *problem) {
	params := &graphql.RawParams{Headers: r.Header}
	var wrong *problem
	switch r.Method {
	case http.MethodPost:
		wrong = readBody(r, params)
	case http.MethodGet:
		wrong = readAddress(r, params)
	default:
		wrong = &problem{http.StatusMethodNotAllowed, codeMethod, "Use POST, or GET for queries."}
	}
	if wrong == nil && holdsCardNumber(params) {
		wrong = &problem{http.StatusBadRequest, codeInput, "A value looks like a card number. It was not used."}
	}
	return params, wrong
}

// holdsCardNumber keeps card numbers out of everything that comes after.
func holdsCardNumber(params *graphql.RawParams) bool {
	return core.HasCardNumber(params.Query) || core.HasCardNumber(params.OperationName) || anyCardNumber(params.Variables)
}

func anyCardNumber(value any) bool {
	switch value := value.(type) {
	case string:
		return core.HasCardNumber(value)
	case json.Number:
		return core.HasCardNumber(value.String())
	case []any:
		return slices.ContainsFunc(value, anyCardNumber)
	case map[string]any:
		for key, item := range value {
			if core.HasCardNumber(key) || anyCardNumber(item) {
				return true
			}
		}
	}
	return false
}

func readBody(r *http.Request, params *graphql.RawParams) *problem {
	media, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := options["charset"]
	if err == nil && media == mediaMultipart {
		return readMultipart(r, options["boundary"], params)
	}
	if err != nil || media != mediaJSON || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return &problem{http.StatusUnsupportedMediaType, codeMediaType, "Send the query as application/json, or as multipart/form-data where it has files."}
	}
	body, err := io.ReadAll(r.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &tooLong
	}
	if err != nil {
		return &problem{http.StatusBadRequest, codeRequest, "The body could not be read."}
	}
	return readQuery(body, params)
}

// readQuery reads a query of the form of JSON.
func readQuery(body []byte, params *graphql.RawParams) *problem {
	if body = bytes.TrimSpace(body); len(body) > 0 && body[0] == '[' {
		return &problem{http.StatusBadRequest, codeBatch, "Send one query a request, not a list of them."}
	}
	var in struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
	}
	if len(body) == 0 || body[0] != '{' || decodeJSON(body, &in) != nil {
		return &problem{http.StatusBadRequest, codeRequest, "The body must be a JSON object with query, and perhaps operationName, variables and extensions."}
	}
	params.Query, params.OperationName, params.Variables, params.Extensions = in.Query, in.OperationName, in.Variables, in.Extensions
	return nil
}

var tooLong = problem{http.StatusRequestEntityTooLarge, codeTooLarge, "The request is larger than 256 KiB."}

func readAddress(r *http.Request, params *graphql.RawParams) *problem {
	if len(r.URL.RawQuery) > bodyBytesMax {
		return &tooLong
	}
	values := r.URL.Query()
	params.Query, params.OperationName = values.Get("query"), values.Get("operationName")
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := values.Get(name); text != "" && decodeJSON([]byte(text), into) != nil {
			return &problem{http.StatusBadRequest, codeRequest, name + " must be a JSON object."}
		}
	}
	return nil
}

// decodeJSON reads one JSON value and nothing after it; numbers keep their digits.
func decodeJSON(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the value")
	}
	return nil
}

// writeRefusal answers a request that never becomes a query, in the form of GraphQL's errors.
func writeRefusal(ctx context.Context, w http.ResponseWriter, status int, code, message string) {
	extensions := map[string]any{extensionCode: code}
	if id := traceID(ctx); id != "" {
		extensions[extensionTrace] = id
	}
	writeJSON(w, status, mediaJSON, map[string]any{
		"errors": gqlerror.List{{Message: message, Extensions: extensions}},
	})
}

func writeJSON(w http.ResponseWriter, status int, media string, answer any) {
	text, err := json.Marshal(answer)
	if err != nil { // our own types: a broken one is a bug, and the caller learns no more than that
		status, text = http.StatusInternalServerError, []byte(`{"errors":[{"message":"`+messageInternal+`","extensions":{"code":"`+codeInternal+`"}}]}`)
	}
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
