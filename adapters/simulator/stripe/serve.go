package stripe

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// keyLengthMax is of an idempotency key, in characters.
const keyLengthMax = 255

// exchange is a call on its way through the server.
type exchange struct {
	*engine.Exchange
	call call
	in   *request
}

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c call) {
	var file []byte
	var tooLong error
	if c.uploads { // read before the desk does, which takes less
		file, tooLong = io.ReadAll(http.MaxBytesReader(w, r.Body, uploadBytesMax))
		r.Body = http.NoBody
	}
	opened, body, err := s.desk.Open(w, r)
	if c.uploads {
		body, err = file, errors.Join(tooLong, err)
	}
	x := &exchange{Exchange: opened, call: c}
	x.Key = r.Header.Get("Idempotency-Key")
	if x.Instead(func(status int) { s.send(x, outage(status)) }) {
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
	switch {
	case r.Method != http.MethodPost || x.Key == "":
		x.Linger()
		s.send(x, c.do(in))
	case len(x.Key) > keyLengthMax:
		s.send(x, refused(http.StatusBadRequest, apiError{Type: typeIdempotency, Message: "Keys for idempotent requests must be at most 255 characters long."}))
	default:
		s.serveKeyed(x, x.Key)
	}
}

// outage is the answer of a Stripe that is down, or that was asked too much.
func outage(status int) result {
	if status == http.StatusTooManyRequests {
		return refused(status, apiError{Type: typeInvalidRequest, Code: "rate_limit", Message: "Request rate limit exceeded."})
	}
	return refused(status, apiError{Type: typeAPI, Message: "An error occurred while processing your request."})
}

// serveKeyed answers a call under an idempotency key.
//
// Source: docs.stripe.com/api/idempotent_requests.
func (s *Server) serveKeyed(x *exchange, key string) {
	x.W.Header().Set("Idempotency-Key", key)
	verdict, stored := s.keys.Begin(key, s.fingerprint(x.R, x.in))
	switch verdict {
	case engine.KeyReplay:
		x.W.Header().Set("Idempotent-Replayed", "true")
		x.Replayed = true
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
	x.Linger()
	out := x.call.do(x.in)
	text := encode(out.object)
	if !out.released {
		s.keys.Finish(key, engine.Stored{Status: out.status, Body: text})
	}
	s.sendText(x, out.status, text)
}

func (s *Server) send(x *exchange, out result) { s.sendText(x, out.status, encode(out.object)) }

// sendText answers, unless a fault keeps the answer.
func (s *Server) sendText(x *exchange, status int, body []byte) {
	s.mu.Lock()
	id := s.newID("req")
	s.mu.Unlock()
	header := x.W.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Request-Id", id)
	header.Set("Stripe-Version", apiVersion)
	if x.call.public {
		header.Set("Access-Control-Allow-Origin", "*") // browsers call these
	}
	x.Answer(status, body)
}

func clip(text string) string { return text[:min(len(text), keyLengthMax)] }

func encode(object any) []byte {
	text, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		return []byte(`{"error":{"type":"api_error","message":"The object cannot be written."}}`)
	}
	return append(text, '\n')
}
