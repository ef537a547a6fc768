package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	controlBytesMax = 64 << 10
	// advanceMost is the longest step of the clock.
	advanceMost = 10 * 365 * 24 * time.Hour
)

// fieldProblem is a control call's error: a text that starts with the name of the field
// that is to blame, and whatever else helps.
type fieldProblem struct {
	status int
	text   string
	more   map[string]any
}

func wrong(format string, args ...any) *fieldProblem {
	return &fieldProblem{status: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

func (p *fieldProblem) write(w http.ResponseWriter) {
	answer := map[string]any{"error": p.text}
	maps.Copy(answer, p.more)
	write(w, p.status, answer)
}

// control mounts the control calls.
func (s *Simulator) control() {
	s.post("/_control/pay", s.controlPay)
	s.post("/_control/faults", s.controlFaults)
	s.post("/_control/disputes", s.controlDispute)
	s.post("/_control/disputes/{id}", s.controlDisputeEnd)
	s.post("/_control/refunds", s.controlRefund)
	s.post("/_control/refunds/{id}", s.controlRefundEnd)
	s.post("/_control/subscriptions/{id}", s.controlSubscription)
	s.post("/_control/settings", s.controlSettings)
	s.post("/_control/clock/advance", s.controlAdvance)
	s.post("/_control/reset", s.controlReset)
	s.mux.HandleFunc("GET /_control/objects", s.controlObjects)
	s.mux.HandleFunc("DELETE /_control/faults", s.controlLift)
	s.mux.HandleFunc("GET /_control/requests", s.controlRequests)
	s.mux.HandleFunc("GET /_control/webhook_roots", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(s.WebhookRoots()) // whoever asked may have gone
	})
	s.mux.HandleFunc("/_control/", func(w http.ResponseWriter, r *http.Request) {
		(&fieldProblem{status: http.StatusNotFound, text: "there is no control call " + r.Method + " " + r.URL.Path}).write(w)
	})
}

// post mounts a control call that takes and gives JSON.
func (s *Simulator) post(path string, do func(*http.Request, []byte) (any, *fieldProblem)) {
	s.mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, controlBytesMax))
		if err != nil {
			wrong("the body is too long or ended early").write(w)
			return
		}
		answer, problem := do(r, body)
		if problem != nil {
			problem.write(w)
			return
		}
		write(w, http.StatusOK, answer)
	})
}

func write(w http.ResponseWriter, status int, answer any) {
	text, err := json.Marshal(answer)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // whoever asked may have gone
}

// read reads a body into a value. Unknown fields are refused: most are typing errors.
func read(body []byte, into any) *fieldProblem {
	if len(body) == 0 {
		body = []byte("{}")
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return wrong("the body is not what this call takes: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return wrong("the body is not what this call takes: there is more than one object")
	}
	return nil
}

func (s *Simulator) knownAccount(name string) *fieldProblem {
	if _, known := s.accounts[name]; !known {
		return wrong("account: must be %s", strings.Join(s.names, " or "))
	}
	return nil
}

func (s *Simulator) controlFaults(_ *http.Request, body []byte) (any, *fieldProblem) {
	var fault engine.Fault
	if problem := read(body, &fault); problem != nil {
		return nil, problem
	}
	if fault.Account != "" {
		if problem := s.knownAccount(fault.Account); problem != nil {
			return nil, problem
		}
	}
	if err := s.faults.Add(fault); err != nil {
		return nil, wrong("%v", err)
	}
	return map[string]bool{"ok": true}, nil
}

// controlLift forgets the faults that still wait, of all accounts or of one.
func (s *Simulator) controlLift(w http.ResponseWriter, r *http.Request) {
	account := r.URL.Query().Get("account")
	if account != "" {
		if problem := s.knownAccount(account); problem != nil {
			problem.write(w)
			return
		}
	}
	s.faults.Lift(account)
	write(w, http.StatusOK, map[string]bool{"ok": true})
}

// controlRequests gives the calls after a number; all that are remembered without one.
func (s *Simulator) controlRequests(w http.ResponseWriter, r *http.Request) {
	var after int64
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			wrong("after: must be the number of a request").write(w)
			return
		}
	}
	write(w, http.StatusOK, map[string]any{"data": s.requests.After(after)})
}

func (s *Simulator) controlAdvance(_ *http.Request, body []byte) (any, *fieldProblem) {
	var in struct {
		By string `json:"by"`
	}
	if problem := read(body, &in); problem != nil {
		return nil, problem
	}
	by, err := time.ParseDuration(in.By)
	if err != nil || by <= 0 || by > advanceMost {
		return nil, wrong("by: must be a length of time such as 720h, at most %s", advanceMost)
	}
	s.Advance(by)
	return map[string]string{"now": s.clock.Now().Format(time.RFC3339Nano)}, nil
}

// controlReset forgets everything but the time: whoever was told of an advance cannot be
// told that it never was.
func (s *Simulator) controlReset(*http.Request, []byte) (any, *fieldProblem) {
	s.faults.Reset()
	s.webhooks.Reset()
	for _, name := range s.names {
		s.accounts[name].Reset()
	}
	s.requests.Reset()
	return map[string]bool{"ok": true}, nil
}

func (s *Simulator) controlObjects(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	for name := range query {
		if name != "account" && name != "type" {
			wrong("%s: is not taken here; account and type are", name).write(w)
			return
		}
	}
	objects, err := s.Objects(query.Get("account"), query.Get("type"))
	if err != nil {
		wrong("%v", err).write(w)
		return
	}
	write(w, http.StatusOK, map[string]any{"data": objects})
}
