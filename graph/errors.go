package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// The codes in extensions.code that this package gives. Clients branch on them; they
// never change. The library adds GRAPHQL_PARSE_FAILED, GRAPHQL_VALIDATION_FAILED,
// COMPLEXITY_LIMIT_EXCEEDED and PERSISTED_QUERY_NOT_FOUND.
const (
	codeUnauthenticated  = "UNAUTHENTICATED"
	codeForbidden        = "FORBIDDEN"
	codeInput            = "BAD_USER_INPUT"
	codeRequest          = "BAD_REQUEST"
	codeBatch            = "BATCH_REFUSED"
	codeForeign          = "CROSS_SITE_REFUSED"
	codeMethod           = "METHOD_NOT_ALLOWED"
	codeMediaType        = "UNSUPPORTED_MEDIA_TYPE"
	codeTooLarge         = "REQUEST_TOO_LARGE"
	codeDepth            = "DEPTH_LIMIT_EXCEEDED"
	codeAliases          = "ALIAS_LIMIT_EXCEEDED"
	codeFields           = "FIELD_LIMIT_EXCEEDED"
	codeStreams          = "SUBSCRIPTION_LIMIT_EXCEEDED"
	codeTimeout          = "TIMEOUT"
	codeInternal         = "INTERNAL"
	messageInternal      = "Something went wrong on our side. The trace id helps to find out what."
	messageTimeout       = "The query took too long. Ask for less at once."
	messageForbidden     = "Your role may not do this."
	messageUnstorable    = "A text holds characters that no text of ours can hold."
	extensionCode        = "code"
	extensionTrace       = "traceId"
	panicStackCharacters = 4 << 10
)

// refusal is an error whose text is for the caller.
type refusal struct{ code, message string }

// Error is the text for the caller.
func (r *refusal) Error() string { return r.message }

func refuse(code, format string, args ...any) error {
	return &refusal{code: code, message: fmt.Sprintf(format, args...)}
}

// present is the last step of every error: it gets a code and the trace's id, and what
// is none of the caller's business is logged and told in words that say nothing of it.
func (s *server) present(ctx context.Context, err error) *gqlerror.Error {
	presented := *graphql.DefaultErrorPresenter(ctx, err) // a copy: validation errors may be shared
	code, message := s.classify(ctx, &presented, err)
	presented.Message = message
	presented.Extensions = map[string]any{extensionCode: code}
	if id := traceID(ctx); id != "" {
		presented.Extensions[extensionTrace] = id
	}
	return &presented
}

func (s *server) classify(ctx context.Context, presented *gqlerror.Error, err error) (code, message string) {
	var refused *refusal
	var input *model.InputError
	switch {
	case errors.As(err, &refused):
		return refused.code, refused.message
	case errors.As(err, &input):
		return codeInput, input.Problem
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return codeTimeout, messageTimeout
	case errors.Is(err, ports.ErrText):
		return codeInput, messageUnstorable
	}
	if given, ok := presented.Extensions[extensionCode].(string); ok {
		return given, presented.Message
	}
	s.logger.LogAttrs(ctx, slog.LevelError, "admin query failed",
		slog.String("field", fieldName(ctx)), slog.String("error", err.Error()), slog.String("trace_id", traceID(ctx)))
	return codeInternal, messageInternal
}

// recovered turns a panic into an error, which is logged by its presenter.
func (s *server) recovered(ctx context.Context, cause any) error {
	stack := debug.Stack()
	if len(stack) > panicStackCharacters {
		stack = stack[:panicStackCharacters]
	}
	s.logger.LogAttrs(ctx, slog.LevelError, "admin query panicked",
		slog.String("stack", string(stack)), slog.String("trace_id", traceID(ctx)))
	return fmt.Errorf("panic: %v", cause)
}

// fieldName is the schema's name of the field at work, for logs. The path in the answer
// is in the caller's own words.
func fieldName(ctx context.Context) string {
	if field := graphql.GetFieldContext(ctx); field != nil && field.Field.Field != nil {
		return field.Object + "." + field.Field.Name
	}
	return ""
}

func traceID(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}
