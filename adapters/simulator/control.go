package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	controlBytesMax = 64 << 10
	// advanceMost is the longest step of the clock.
	advanceMost = 10 * 365 * 24 * time.Hour
	// paymentReference is where Paydesk keeps its payment's id with a provider's object.
	paymentReference = "paydesk_payment"
)

// fieldProblem is a control call's error.
type fieldProblem struct {
	status int
	text   string
}

func wrong(format string, args ...any) *fieldProblem {
	return &fieldProblem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// control mounts the control calls.
func (s *Simulator) control() {
	s.post("/_control/pay", s.controlPay)
	s.post("/_control/faults", s.controlFaults)
	s.post("/_control/disputes", s.controlDispute)
	s.post("/_control/disputes/{id}", s.controlDisputeEnd)
	s.post("/_control/clock/advance", s.controlAdvance)
	s.post("/_control/reset", s.controlReset)
	s.mux.HandleFunc("GET /_control/objects", s.controlObjects)
	s.mux.HandleFunc("GET /_control/requests", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, map[string]any{"data": s.requests.List()})
	})
	s.mux.HandleFunc("/_control/", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusNotFound, map[string]string{"error": "no control call " + r.Method + " " + r.URL.Path})
	})
}

// post mounts a control call that takes and gives JSON.
func (s *Simulator) post(path string, do func(*http.Request, []byte) (any, *fieldProblem)) {
	s.mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, controlBytesMax))
		if err != nil {
			write(w, http.StatusBadRequest, map[string]string{"error": "the body is too long or ended early"})
			return
		}
		answer, problem := do(r, body)
		if problem != nil {
			write(w, problem.status, map[string]string{"error": problem.text})
			return
		}
		write(w, http.StatusOK, answer)
	})
}

func write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // whoever asked may have gone
}

// read reads a body into a value. Unknown fields are refused: most are typing errors.
func read(body []byte, into any) *fieldProblem {
	if len(body) == 0 {
		body = []byte("{}")
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return wrong("the body is not what this call takes: %v", err)
	}
	return nil
}

func knownAccount(name string) *fieldProblem {
	if name != "stripe" {
		return wrong("account: must be stripe")
	}
	return nil
}

func (s *Simulator) controlFaults(_ *http.Request, body []byte) (any, *fieldProblem) {
	var fault engine.Fault
	if problem := read(body, &fault); problem != nil {
		return nil, problem
	}
	if fault.Account != "" {
		if problem := knownAccount(fault.Account); problem != nil {
			return nil, problem
		}
	}
	if err := s.faults.Add(fault); err != nil {
		return nil, wrong("%v", err)
	}
	return map[string]bool{"ok": true}, nil
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

func (s *Simulator) controlReset(*http.Request, []byte) (any, *fieldProblem) {
	s.faults.Reset()
	s.requests.Reset()
	s.stripe.Reset()
	return map[string]bool{"ok": true}, nil
}

func (s *Simulator) controlDispute(_ *http.Request, body []byte) (any, *fieldProblem) {
	var in struct {
		Account string `json:"account"`
		Payment string `json:"payment"`
		Reason  string `json:"reason"`
		Amount  int64  `json:"amount"`
	}
	if problem := read(body, &in); problem != nil {
		return nil, problem
	}
	if problem := knownAccount(in.Account); problem != nil {
		return nil, problem
	}
	if in.Reason == "" {
		in.Reason = "fraudulent"
	}
	if in.Amount < 0 {
		return nil, wrong("amount: must not be negative")
	}
	id, ok := s.stripe.OpenDispute(paymentReference, in.Payment, in.Reason, in.Amount)
	if !ok {
		return nil, &fieldProblem{http.StatusNotFound, "payment: names none that took money"}
	}
	return map[string]string{"id": id}, nil
}

func (s *Simulator) controlDisputeEnd(r *http.Request, body []byte) (any, *fieldProblem) {
	var in struct {
		Outcome string `json:"outcome"`
	}
	if problem := read(body, &in); problem != nil {
		return nil, problem
	}
	if in.Outcome != "won" && in.Outcome != "lost" {
		return nil, wrong("outcome: must be won or lost")
	}
	if !s.stripe.CloseDispute(r.PathValue("id"), in.Outcome) {
		return nil, &fieldProblem{http.StatusNotFound, "no open dispute has this id"}
	}
	return map[string]string{"id": r.PathValue("id"), "status": in.Outcome}, nil
}

func (s *Simulator) controlObjects(w http.ResponseWriter, r *http.Request) {
	if account := r.URL.Query().Get("account"); account != "" {
		if problem := knownAccount(account); problem != nil {
			write(w, problem.status, map[string]string{"error": problem.text})
			return
		}
	}
	if kind := r.URL.Query().Get("type"); kind != "" {
		objects, ok := s.stripe.Objects(kind)
		if !ok {
			write(w, http.StatusBadRequest, map[string]string{"error": "type: must be payment_intent, charge, dispute or event"})
			return
		}
		write(w, http.StatusOK, map[string]any{"data": objects})
		return
	}
	all := make([]any, 0)
	for _, kind := range []string{"payment_intent", "charge", "dispute"} {
		objects, _ := s.stripe.Objects(kind)
		text, _ := json.Marshal(objects)
		var list []any
		_ = json.Unmarshal(text, &list)
		all = append(all, list...)
	}
	write(w, http.StatusOK, map[string]any{"data": all})
}
