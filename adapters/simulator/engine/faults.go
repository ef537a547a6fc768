package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// The faults of calls and of webhooks.
const (
	FaultError500           = "error_500"
	FaultError429           = "error_429"
	FaultTimeoutBefore      = "timeout_before"
	FaultTimeoutAfterCommit = "timeout_after_commit"
	FaultLatency            = "latency"
	FaultReset              = "reset"
	FaultGarbage            = "garbage"
	FaultWebhookDrop        = "webhook_drop"
	FaultWebhookDuplicate   = "webhook_duplicate"
	FaultWebhookReorder     = "webhook_reorder"
	FaultWebhookDelay       = "webhook_delay"
	FaultWebhookCorrupt     = "webhook_corrupt"
)

// faultNames lists all of them.
var faultNames = []string{
	FaultError500, FaultError429, FaultTimeoutBefore, FaultTimeoutAfterCommit, FaultLatency, FaultReset, FaultGarbage,
	FaultWebhookDrop, FaultWebhookDuplicate, FaultWebhookReorder, FaultWebhookDelay, FaultWebhookCorrupt,
}

const (
	// faultsMax bounds how many faults wait.
	faultsMax = 1000
	// faultCountMax is how many calls one fault can be for.
	faultCountMax = 1_000_000
	// latencyMax is the longest latency that can be asked for.
	latencyMax = time.Minute
	// latencyDefault is what faults that delay take where none is said.
	latencyDefault = time.Second
)

// Fault is something that goes wrong on purpose.
type Fault struct {
	Account string `json:"account"`
	// Match is what "METHOD /path" of a call must contain, case aside, with or without the
	// account's folder; "webhook" for deliveries, or a part of their event's type. Empty
	// matches every call, or every delivery for the webhooks' faults.
	Match     string `json:"match"`
	Fault     string `json:"fault"`
	Count     int    `json:"count"`
	LatencyMS int    `json:"latency_ms"`
}

// Latency is how long the fault delays.
func (f Fault) Latency() time.Duration {
	if f.LatencyMS == 0 {
		return latencyDefault
	}
	return time.Duration(f.LatencyMS) * time.Millisecond
}

// forWebhooks reports whether the fault is one of deliveries.
func (f Fault) forWebhooks() bool { return strings.HasPrefix(f.Fault, "webhook_") }

// matchesDeliveries reports whether the match is the word for deliveries.
func (f Fault) matchesDeliveries() bool { return strings.EqualFold(f.Match, "webhook") }

// Check reports which field is wrong, or nil.
func (f Fault) Check() error {
	switch {
	case !slices.Contains(faultNames, f.Fault):
		return fmt.Errorf("fault: must be one of %s", strings.Join(faultNames, ", "))
	case f.Count < 0:
		return errors.New("count: must not be negative")
	case f.Count > faultCountMax:
		return fmt.Errorf("count: must be at most %d", faultCountMax)
	case f.matchesDeliveries() && !f.forWebhooks() && f.Fault != FaultLatency:
		return fmt.Errorf("fault: deliveries can have latency and the faults that start with webhook_, not %s", f.Fault)
	case f.LatencyMS < 0 || f.Latency() > latencyMax:
		return fmt.Errorf("latency_ms: must be from 0 to %d", latencyMax.Milliseconds())
	}
	return nil
}

// Faults holds what is to go wrong.
type Faults struct {
	mu      sync.Mutex
	waiting []*Fault
}

// Add has the next calls go wrong. A count of 0 means one.
func (f *Faults) Add(fault Fault) error {
	if err := fault.Check(); err != nil {
		return err
	}
	fault.Count = max(fault.Count, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) >= faultsMax {
		return fmt.Errorf("count: there are %d faults waiting already", faultsMax)
	}
	f.waiting = append(f.waiting, &fault)
	return nil
}

// TakeCall gives the fault of a call, "METHOD /path". The path may start with the
// account's folder, which a match need not say.
func (f *Faults) TakeCall(account, call string) (Fault, bool) {
	call = strings.ToLower(call)
	short := strings.Replace(call, " /"+account+"/", " /", 1)
	return f.take(account, func(fault *Fault) bool {
		match := strings.ToLower(fault.Match)
		return !fault.forWebhooks() && !fault.matchesDeliveries() && (strings.Contains(call, match) || strings.Contains(short, match))
	})
}

// TakeWebhook gives the fault of a delivery, "METHOD /path type".
func (f *Faults) TakeWebhook(account, call string) (Fault, bool) {
	return f.take(account, func(fault *Fault) bool {
		return (fault.forWebhooks() || fault.matchesDeliveries()) &&
			strings.Contains("webhook "+strings.ToLower(call), strings.ToLower(fault.Match))
	})
}

func (f *Faults) take(account string, fits func(*Fault) bool) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.waiting {
		if fault.Account != "" && fault.Account != account || !fits(fault) {
			continue
		}
		fault.Count--
		taken := *fault
		if fault.Count <= 0 {
			f.waiting = slices.Delete(f.waiting, i, i+1)
		}
		return taken, true
	}
	return Fault{}, false
}

// Reset forgets what waits.
func (f *Faults) Reset() { f.Lift("") }

// Lift forgets what waits for an account; for all of them where it is empty. Faults that were asked
// for without an account go with any.
func (f *Faults) Lift(account string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = slices.DeleteFunc(f.waiting, func(fault *Fault) bool {
		return account == "" || fault.Account == "" || fault.Account == account
	})
}
