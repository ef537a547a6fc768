package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/paydesk/paydesk/core"
)

const (
	mediaStream = "text/event-stream"
	// socketProtocol is the one way to speak over a WebSocket.
	//
	// Source: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
	socketProtocol = "graphql-transport-ws"
	// socketBeginMax is how long a WebSocket may wait for its first message.
	socketBeginMax = 5 * time.Second
	// streamWriteMax is how long one part of a stream may take to leave.
	streamWriteMax = 10 * time.Second
)

var notStreamed = problem{http.StatusBadRequest, codeRequest, "Subscriptions, and nothing else, go by Accept: text/event-stream or over a WebSocket."}

func wantsStream(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), mediaStream) }

func wantsSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// events answers with a stream of events, one a line of JSON, until it ends or the reader goes.
//
// Source: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct connections mode.
func (t httpTransport) events(w http.ResponseWriter, r *http.Request, params *graphql.RawParams, exec graphql.GraphExecutor) *problem {
	operation, errs := subscriptionsOnly{exec}.CreateOperationContext(r.Context(), params)
	if len(errs) > 0 {
		answer := exec.DispatchError(graphql.WithOperationContext(r.Context(), operation), errs)
		writeJSON(w, http.StatusBadRequest, mediaGraphQL, answer)
		return nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	run, ctx := exec.DispatchOperation(ctx, operation)
	answers := make(chan *graphql.Response)
	go func() {
		defer close(answers)
		for answer := run(ctx); answer != nil; answer = run(ctx) {
			select {
			case answers <- answer:
			case <-ctx.Done():
				return
			}
		}
	}()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", mediaStream+"; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // proxies hand it on at once
	write := func(text string) bool {
		_ = control.SetWriteDeadline(time.Now().Add(streamWriteMax))
		_, err := w.Write([]byte(text))
		return err == nil && control.Flush() == nil
	}
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for good := write(":\n\n"); good; {
		select {
		case answer, more := <-answers:
			if !more {
				write("event: complete\ndata:\n\n")
				return nil
			}
			text, err := json.Marshal(answer)
			good = err == nil && write(fmt.Sprintf("event: next\ndata: %s\n\n", text))
		case <-heartbeat.C:
			good = write(":\n\n")
		case <-ctx.Done():
			write("event: complete\ndata:\n\n")
			return nil
		}
	}
	return nil
}

// socket speaks over a WebSocket. Who speaks is known before, from the request.
func (t httpTransport) socket(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) *problem {
	protocols := strings.FieldsFunc(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), func(c rune) bool { return c == ',' || c == ' ' })
	if !slices.Contains(protocols, socketProtocol) {
		return &problem{http.StatusBadRequest, codeRequest, "Speak graphql-transport-ws over a WebSocket."}
	}
	// A browser asks for no leave before it opens a WebSocket, with its cookies, to another site.
	if origin := r.Header.Get("Origin"); origin != "" {
		if from, err := url.Parse(origin); err != nil || !strings.EqualFold(from.Host, r.Host) {
			return &problem{http.StatusForbidden, codeForeign, "A page of another site may not do this in your session."}
		}
	}
	release, err := t.server.sockets.take(requestOf(r.Context()).staff.ID)
	if err != nil {
		return &problem{http.StatusTooManyRequests, codeStreams, err.Error()}
	}
	defer release()
	most := int64(bodyBytesMax)
	transport.Websocket{
		Implementation: oneProtocol{}, InitTimeout: socketBeginMax, PingPongInterval: heartbeatEvery, PayloadReadLimit: &most,
	}.Do(w, r, subscriptionsOnly{exec})
	return nil
}

// oneProtocol offers no other than [socketProtocol].
type oneProtocol struct {
	transport.CoderWebsocketImplementation
}

// Accept implements transport.WebsocketImplementation.
func (o oneProtocol) Accept(w http.ResponseWriter, r *http.Request, options transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	options.Subprotocols = []string{socketProtocol}
	return o.CoderWebsocketImplementation.Accept(w, r, options)
}

// subscriptionsOnly refuses what belongs to a request of its own, and what looks like a card number.
type subscriptionsOnly struct{ graphql.GraphExecutor }

// CreateOperationContext implements graphql.GraphExecutor.
func (s subscriptionsOnly) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	if holdsCardNumber(params) {
		return nil, gqlerror.List{{Message: "A value looks like a card number. It was not used.", Extensions: map[string]any{extensionCode: codeInput}}}
	}
	operation, errs := s.GraphExecutor.CreateOperationContext(ctx, params)
	if len(errs) == 0 && operation.Operation.Operation != ast.Subscription {
		return operation, gqlerror.List{{Message: notStreamed.message, Extensions: map[string]any{extensionCode: notStreamed.code}}}
	}
	return operation, coded(errs)
}

// stillAllowed makes the question whether the one who asked may still read as then.
func (s *server) stillAllowed(r *http.Request, was core.Staff) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-s.ended:
			return errEnded
		default:
		}
		now, err := s.callerAgain(ctx, r)
		if err == nil && (now.ID != was.ID || now.Role != was.Role) {
			err = core.ErrUnauthenticated
		}
		return err
	}
}

// callerAgain is caller without its being a use of the session: a page that is left open does not keep it.
func (s *server) callerAgain(ctx context.Context, r *http.Request) (core.Staff, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		return s.access.StaffByToken(ctx, bearer(r))
	}
	session, staff, err := s.store.SessionByTokenHash(ctx, core.HashSecret(s.session(r)))
	if err == nil && (session.Ended(s.resolver.payments.Now()) || !staff.DisabledAt.IsZero()) {
		err = core.ErrUnauthenticated
	}
	return staff, err
}

var errEnded = errors.New("the service stops")
