package stripe

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	bodyBytesMax = 1 << 20
	keyLengthMax = 255 // of an idempotency key
	// hangMax is how long a call that times out on purpose is held.
	hangMax = 35 * time.Second
)

// exchange is a call on its way through the server.
type exchange struct {
	w     http.ResponseWriter
	r     *http.Request
	call  call
	fault engine.Fault // the zero one for none
	in    *request
}

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c call) {
	x := &exchange{w: w, r: r, call: c}
	// The body is read before anything is waited for: only then does the net/http server
	// notice that the caller has gone.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	x.fault, _ = s.Faults.TakeCall(account, r.Method+" "+r.URL.Path)
	if s.instead(x) {
		return
	}
	if err != nil {
		s.send(x, invalid("", "", "Invalid request: the body is too long or ended early."))
		return
	}
	in, bad := s.read(r, c, body)
	if bad != nil {
		s.send(x, *bad)
		return
	}
	x.in = in
	key := r.Header.Get("Idempotency-Key")
	switch {
	case r.Method != http.MethodPost || key == "":
		s.linger(x)
		s.send(x, c.do(in))
	case len(key) > keyLengthMax:
		s.send(x, refused(http.StatusBadRequest, apiError{Type: typeIdempotency, Message: "Keys for idempotent requests must be at most 255 characters long."}))
	default:
		s.serveKeyed(x, key)
	}
}

// serveKeyed answers a call under an idempotency key.
//
// Source: docs.stripe.com/api/idempotent_requests.
func (s *Server) serveKeyed(x *exchange, key string) {
	x.w.Header().Set("Idempotency-Key", key)
	verdict, stored := s.keys.Begin(key, s.fingerprint(x.r, x.in))
	switch verdict {
	case engine.KeyReplay:
		x.w.Header().Set("Idempotent-Replayed", "true")
		s.sendText(x, stored.Status, stored.Body)
		return
	case engine.KeyMismatch:
		s.send(x, refused(http.StatusBadRequest, apiError{
			Type:    typeIdempotency,
			Message: "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '" + key + "' if you meant to execute a different request.",
		}))
		return
	case engine.KeyBusy:
		s.send(x, refused(http.StatusConflict, apiError{
			Type: typeIdempotency, Code: "idempotency_key_in_use",
			Message: "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through).",
		}))
		return
	case engine.KeyRun:
	}
	defer s.keys.Release(key) // nothing, once it has its answer
	s.linger(x)
	out := x.call.do(x.in)
	text := encode(out.object)
	if !out.released {
		s.keys.Finish(key, engine.Stored{Status: out.status, Body: text})
	}
	s.sendText(x, out.status, text)
}

// instead does what a fault does in place of the call, and reports whether it did.
func (s *Server) instead(x *exchange) bool {
	switch x.fault.Fault {
	case engine.FaultError500:
		s.send(x, refused(http.StatusInternalServerError, apiError{Type: typeAPI, Message: "An error occurred while processing your request."}))
	case engine.FaultError429:
		x.w.Header().Set("Retry-After", "1")
		s.send(x, refused(http.StatusTooManyRequests, apiError{
			Type: typeInvalidRequest, Code: "rate_limit",
			Message: "Request rate limit exceeded.",
		}))
	case engine.FaultTimeoutBefore:
		s.hang(x)
	case engine.FaultReset:
		s.note(x, 0)
		reset(x.w)
	case engine.FaultGarbage:
		s.note(x, http.StatusBadGateway)
		x.w.Header().Set("Content-Type", "text/html")
		x.w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(x.w, "<html>Bad gateway</html>")
	default:
		return false
	}
	return true
}

// linger takes the time that a fault asks for, while the call counts as running.
func (s *Server) linger(x *exchange) {
	if x.fault.Fault == engine.FaultLatency {
		wait(x.r, x.fault.Latency())
	}
}

// hang holds a call until its caller has gone, and answers nothing.
func (s *Server) hang(x *exchange) {
	s.note(x, 0)
	wait(x.r, hangMax)
	panic(http.ErrAbortHandler)
}

// reset breaks the connection, by TCP's own means where it can.
func reset(w http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a connection that breaks in another way breaks as well
		}
		_ = connection.Close()
		return
	}
	panic(http.ErrAbortHandler)
}

// wait waits, no longer than until the caller has gone.
func wait(r *http.Request, longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

func (s *Server) send(x *exchange, out result) { s.sendText(x, out.status, encode(out.object)) }

// sendText answers, unless a fault keeps the answer.
func (s *Server) sendText(x *exchange, status int, body []byte) {
	if x.fault.Fault == engine.FaultTimeoutAfterCommit {
		s.hang(x)
	}
	s.note(x, status)
	s.mu.Lock()
	id := s.newID("req")
	s.mu.Unlock()
	header := x.w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Request-Id", id)
	header.Set("Stripe-Version", apiVersion)
	if x.call.public {
		header.Set("Access-Control-Allow-Origin", "*") // browsers call these
	}
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // whoever asked may have gone
}

// note remembers a call without its parameters, which may be card data.
func (s *Server) note(x *exchange, status int) {
	s.Requests.Add(engine.Request{
		Account: account, Method: x.r.Method, Path: x.r.URL.Path, Status: status,
		IdempotencyKey: clip(x.r.Header.Get("Idempotency-Key")), Replayed: x.w.Header().Get("Idempotent-Replayed") != "",
		Fault: x.fault.Fault, At: s.Clock.Now(),
	})
}

func clip(text string) string { return text[:min(len(text), keyLengthMax)] }

func encode(object any) []byte {
	text, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		return []byte(`{"error":{"type":"api_error","message":"The object cannot be written."}}`)
	}
	return append(text, '\n')
}
