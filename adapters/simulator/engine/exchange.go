package engine

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	bodyBytesMax = 1 << 20
	// hangMax is how long a call that times out on purpose is held.
	hangMax = 35 * time.Second
	// noteCharsMax bounds what is remembered of an idempotency key.
	noteCharsMax = 255
)

// Desk takes the calls of one account: it has them go wrong as asked, and remembers them.
type Desk struct {
	Account  string
	Clock    *Clock
	Faults   *Faults
	Requests *Requests
	// BodyBytesMax bounds a call's body; 0 for the usual bound.
	BodyBytesMax int64
}

// Exchange is a call on its way through an account's server.
type Exchange struct {
	W     http.ResponseWriter
	R     *http.Request
	Fault Fault // the zero one for none
	// Key is the call's idempotency key, as far as it is known yet, and Replayed whether the
	// answer is that of an earlier call; for the memory of requests.
	Key      string
	Replayed bool

	desk *Desk
}

// Open begins a call. The error is that its body is too long or ended early.
//
// The body is read before anything is waited for: only then does the net/http server notice
// that the caller has gone.
func (d *Desk) Open(w http.ResponseWriter, r *http.Request) (*Exchange, []byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, cmp.Or(d.BodyBytesMax, bodyBytesMax)))
	x := &Exchange{W: w, R: r, desk: d}
	x.Fault, _ = d.Faults.TakeCall(d.Account, r.Method+" "+r.URL.Path)
	return x, body, err
}

// Instead does what a fault does in place of the call, and reports whether it did. refuse
// answers with the provider's own words for an HTTP status, 500 or 429.
func (x *Exchange) Instead(refuse func(status int)) bool {
	switch x.Fault.Fault {
	case FaultError500:
		refuse(http.StatusInternalServerError)
	case FaultError429:
		x.W.Header().Set("Retry-After", "1")
		refuse(http.StatusTooManyRequests)
	case FaultTimeoutBefore:
		x.hang()
	case FaultReset:
		x.note(0)
		reset(x.W)
	case FaultGarbage:
		x.note(http.StatusBadGateway)
		x.W.Header().Set("Content-Type", "text/html")
		x.W.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(x.W, "<html>Bad gateway</html>")
	default:
		return false
	}
	return true
}

// Linger takes the time that a fault asks for, while the call counts as running.
func (x *Exchange) Linger() {
	if x.Fault.Fault == FaultLatency {
		wait(x.R, x.Fault.Latency())
	}
}

// Answer sends what the call came to, with the headers that are set, unless a fault keeps
// the answer.
func (x *Exchange) Answer(status int, body []byte) {
	if x.Fault.Fault == FaultTimeoutAfterCommit {
		x.hang()
	}
	x.note(status)
	x.W.WriteHeader(status)
	_, _ = x.W.Write(body) // whoever asked may have gone
}

// hang holds a call until its caller has gone, and answers nothing.
func (x *Exchange) hang() {
	x.note(0)
	wait(x.R, hangMax)
	panic(http.ErrAbortHandler)
}

// note remembers a call without its parameters, which may be card data.
func (x *Exchange) note(status int) {
	x.desk.Requests.Add(Request{
		Account: x.desk.Account, Method: x.R.Method, Path: x.R.URL.Path, Status: status,
		IdempotencyKey: x.Key[:min(len(x.Key), noteCharsMax)], Replayed: x.Replayed, Fault: x.Fault.Fault, At: x.desk.Clock.Now(),
	})
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
