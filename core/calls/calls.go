// Package calls is the one way of every mutating provider call: written down as an operation and
// committed, sent under its key, settled by its answer, and, where none came, sent again under
// the same key or looked up. Services share it so that none sends anything else.
package calls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

const (
	// TimeMax is how long a provider call and the recording of its outcome may take, whether or
	// not the caller still waits.
	TimeMax = 20 * time.Second
	// repairDelay is how long after an operation was written down its outcome is checked: by then its
	// call has been given up, which is after ten seconds, and its buyer may still wait.
	repairDelay = 12 * time.Second
)

// Desk writes operations down and has those settled that are open. It is safe for concurrent use
// and keeps no state.
type Desk struct {
	store     ports.Store
	providers ports.Providers
	clock     ports.Clock
	ids       ports.IDs
	record    *record.Recorder
}

// New makes a desk.
func New(store ports.Store, providers ports.Providers, clock ports.Clock, ids ports.IDs, recorder *record.Recorder) *Desk {
	return &Desk{store: store, providers: providers, clock: clock, ids: ids, record: recorder}
}

// Asked is what is about to be asked of a provider.
type Asked struct {
	Kind    core.OperationKind
	Account core.AccountName
	Payment core.PaymentID // whose money it is about; empty for none
	Subject string         // the object that it works on
	Status  string         // of the subject, for the line that tells of the call
	Amount  core.Money     // the zero Money where nothing about the subject has an amount
	Key     core.RequestKey
	Source  string // a one-time token; a secret
	// More is what else is asked, stored as JSON so that the same request can go again; nil for
	// nothing.
	More any
	// Parts are what the request is made of beside all that, for its fingerprint.
	Parts []string
}

// WriteDown stores an operation as about to be sent, the line that tells of it, and the job that
// settles it should nobody else. Should the job be lost, the row itself says when it is due.
func (d *Desk) WriteDown(ctx context.Context, tx ports.Tx, asked Asked) (core.Operation, error) {
	var more []byte
	if asked.More != nil {
		var err error
		if more, err = json.Marshal(asked.More); err != nil {
			return core.Operation{}, fmt.Errorf("write down %s of %s: %w", asked.Kind, asked.Subject, err)
		}
	}
	parts := append([]string{
		string(asked.Kind), string(asked.Payment), asked.Subject, asked.Amount.String(), string(more), asked.Source,
	}, asked.Parts...)
	now := d.clock.Now()
	op := core.Operation{
		ID: core.NewID[core.OperationID](d.ids.UUID()), Kind: asked.Kind, Account: asked.Account, Payment: asked.Payment,
		Subject: asked.Subject, Amount: asked.Amount, Asked: more, RequestHash: core.HashRequest(parts...), RequestKey: asked.Key,
		Source: asked.Source, Status: core.OperationPending, CreatedAt: now,
	}.Sending(now)
	op, err := tx.InsertOperation(ctx, op)
	if err != nil {
		return op, fmt.Errorf("write down %s of %s: %w", asked.Kind, asked.Subject, err)
	}
	if err := tx.AppendTimeline(ctx, d.record.Operation(ctx, op, asked.Status, core.Cause{Kind: core.CauseOperation})); err != nil {
		return op, err
	}
	if err := d.record.Acted(ctx, tx, record.Change{
		Subject: asked.Subject, Before: core.AuditState{"status": asked.Status}, After: acted(op),
	}); err != nil {
		return op, err
	}
	return op, tx.Enqueue(ctx, ports.Job{Kind: ports.JobRepairOperation, Operation: op.ID, Delay: repairDelay})
}

// acted is what the audit log shows of an operation: what was asked. What came of it stands in the
// history.
func acted(op core.Operation) core.AuditState {
	state := core.AuditState{"operation": op.ID, "asked": op.Kind}
	if op.Payment != "" {
		state["payment"] = op.Payment
	}
	if !op.Amount.IsZero() {
		state["amount"], state["currency"] = op.Amount.Minor(), op.Amount.Currency()
	}
	return state
}

// Again notes that an operation goes out once more under its key. One that is settled is given as
// it is, and must not be sent.
func (d *Desk) Again(ctx context.Context, id core.OperationID) (op core.Operation, err error) {
	err = d.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if op, err = tx.LockOperation(ctx, id); err != nil || op.Status.Settled() {
			return err
		}
		op, err = tx.UpdateOperation(ctx, op.Sending(d.clock.Now()))
		return err
	})
	if err != nil {
		return op, fmt.Errorf("send %s again: %w", id, err)
	}
	return op, nil
}

// Settled records how an operation's call ended, under the locks of whoever calls: the row, the
// line that tells of it. One that [core.Operation.Stands] stays as it is. status is the subject's.
func (d *Desk) Settled(ctx context.Context, tx ports.Tx, id core.OperationID, refused *core.ProviderError, objectID, status string) (core.Operation, error) {
	op, err := tx.LockOperation(ctx, id)
	if err != nil || op.Stands(refused) {
		return op, err
	}
	if op, err = tx.UpdateOperation(ctx, op.Outcome(refused, objectID, d.clock.Now())); err != nil {
		return op, err
	}
	return op, tx.AppendTimeline(ctx, d.record.Operation(ctx, op, status, core.Cause{Kind: core.CauseOperation}))
}

// Sender is a service that sends operations of some kinds.
type Sender interface {
	// Send makes the call of an operation that is written down, and settles it. A refusal by the
	// provider is a *[core.RefusedError]; no answer is no error, and leaves it open.
	Send(ctx context.Context, op core.Operation, cause core.Cause) error
	// LookUp settles, by a look at the provider's object, an operation whose key the provider may
	// have forgotten. Finding nothing is no error, and leaves it open.
	LookUp(ctx context.Context, op core.Operation) error
}

// Senders say who sends operations of a kind.
type Senders map[core.OperationKind]Sender

// Add has a service send operations of some kinds.
func (s Senders) Add(by Sender, kinds ...core.OperationKind) {
	for _, kind := range kinds {
		s[kind] = by
	}
}

// CatcherUp is a sender that makes up for a look at what an operation did: its outcome was committed,
// and the look that had to follow failed.
type CatcherUp interface {
	CatchUp(ctx context.Context, op core.Operation) error
}

// SettleOpen settles what is open on an object just before its next operation, or is
// [core.ErrOperationOpen].
func (d *Desk) SettleOpen(ctx context.Context, subject string, by Sender) error {
	operations, err := d.store.SubjectOperations(ctx, subject)
	if err != nil {
		return err
	}
	for _, op := range operations {
		if op, err = d.Resume(ctx, op, by, core.Cause{Kind: core.CauseRepair}); err != nil {
			return err
		}
		if !op.Status.Settled() {
			return core.ErrOperationOpen
		}
	}
	return nil
}

// Resume goes on with an operation, and gives it as it then stands: one that is open is sent again
// while its provider surely keeps the key, and looked up after that, since a key that is forgotten
// would have a second effect. Where there is nothing more to ask it is handed to staff, whoever
// resumed it. That it was refused is no error here, see [Replayed].
func (d *Desk) Resume(ctx context.Context, op core.Operation, by Sender, cause core.Cause) (core.Operation, error) {
	if op.Status.Settled() || op.Confirmed() {
		return op, nil // what two people said is recorded by whoever repairs, and nothing is sent any more
	}
	err := d.ask(ctx, op, by, cause)
	// The call may have been settled, or noted, though what followed failed.
	after, readErr := d.store.Operation(ctx, op.ID)
	if readErr != nil {
		return op, errors.Join(err, readErr)
	}
	if after.Status.Settled() {
		return after, err
	}
	if why := d.why(after, err); why != "" {
		var giveErr error
		after, giveErr = d.giveUp(ctx, after, why)
		err = errors.Join(err, giveErr)
	}
	return after, err
}

// ask asks for the outcome of an operation that is open.
func (d *Desk) ask(ctx context.Context, op core.Operation, by Sender, cause core.Cause) error {
	forgotten, err := d.keyForgotten(op)
	if err != nil {
		return err
	}
	if !forgotten {
		return d.resend(ctx, op, by, cause)
	}
	if op, err = d.Looked(ctx, op.ID); err != nil || op.Status.Settled() {
		return err
	}
	return by.LookUp(ctx, op)
}

func (d *Desk) resend(ctx context.Context, op core.Operation, by Sender, cause core.Cause) error {
	op, err := d.Again(ctx, op.ID)
	if err != nil || op.Status.Settled() {
		return err
	}
	err = by.Send(ctx, op, cause)
	if _, refused := errors.AsType[*core.RefusedError](err); refused {
		return nil // that settles it
	}
	return err
}

// Looked notes that an operation's outcome is being asked for by a look, and gives the operation.
func (d *Desk) Looked(ctx context.Context, id core.OperationID) (op core.Operation, err error) {
	err = d.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if op, err = tx.LockOperation(ctx, id); err != nil || op.Status.Settled() {
			return err
		}
		op, err = tx.UpdateOperation(ctx, op.Looked(d.clock.Now()))
		return err
	})
	if err != nil {
		return op, fmt.Errorf("note the look for %s: %w", id, err)
	}
	return op, nil
}

// keyForgotten reports whether the provider may have forgotten the operation's key, so that
// sending it again could have a second effect.
func (d *Desk) keyForgotten(op core.Operation) (bool, error) {
	provider, ok := d.providers[op.Account]
	if !ok {
		return false, fmt.Errorf("account %q: %w", op.Account, core.ErrAccountNotOffered)
	}
	return d.Forgotten(op, provider), nil
}

// Forgotten reports whether a provider may have forgotten an operation's key, so that sending it
// again could have a second effect.
func (d *Desk) Forgotten(op core.Operation, provider ports.Provider) bool {
	return d.clock.Now().Sub(op.CreatedAt)+TimeMax >= provider.Capabilities().KeyKept
}

// Key is what an operation is sent under, asked for just before it goes out. Where the provider may
// have forgotten it since the operation was written down, as where the process was suspended in
// between, it is a *[core.ProviderError] of the class unknown: nothing may be sent, and the outcome is
// looked up.
func (d *Desk) Key(op core.Operation, provider ports.Provider) (core.OperationKey, error) {
	if d.Forgotten(op, provider) {
		return "", &core.ProviderError{Class: core.ClassUnknown, Op: string(op.Account) + " " + string(op.Kind), Err: errKeyTooOld}
	}
	return op.Key(), nil
}

var errKeyTooOld = errors.New("its key may be forgotten: not sent")

// KeyForgotten is the refusal under which an operation is settled whose provider may have forgotten its
// key, and that did nothing, or nothing that does harm.
func KeyForgotten(op core.Operation) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassInvalid, Foreign: "key_forgotten", Op: string(op.Account) + " " + string(op.Kind)}
}

// Refuted gives [KeyForgotten] for an operation that is still open after a look at its object, which
// does not show what it would have done; nil where it was sent too lately for that to prove anything.
func (d *Desk) Refuted(ctx context.Context, id core.OperationID) (*core.ProviderError, error) {
	op, err := d.store.Operation(ctx, id)
	if err != nil || op.Status.Settled() || !d.shown(op) {
		return nil, err
	}
	return KeyForgotten(op), nil
}

// Replayed is what an operation of a repeated storefront's call comes to: nil where it was done,
// the refusal where it was refused, [core.ErrOperationOpen] while nobody knows.
func Replayed(op core.Operation) error {
	switch op.Status {
	case core.OperationSucceeded:
		return nil
	case core.OperationFailed:
		if op.Failure == nil {
			return &core.RefusedError{Failure: *core.NewFailure(core.FailureProcessingError, "")}
		}
		return &core.RefusedError{Failure: *op.Failure}
	case core.OperationPending, core.OperationUnknown:
	}
	return core.ErrOperationOpen
}

// Refusal is a provider's error in the words of a service: a *[core.RefusedError] where it said
// no, the error itself where nothing was done and the call can be made again, nil where the
// outcome is not known and settles later.
func Refusal(err *core.ProviderError) error {
	if err == nil || err.Class == core.ClassUnknown {
		return nil
	}
	if err.Class == core.ClassRetryable {
		return err
	}
	return &core.RefusedError{Failure: *err.Failure()}
}

// ProviderError is a call's error, which is one of the provider's; nil for none. Any other says
// nothing about the outcome.
func ProviderError(err error) *core.ProviderError {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*core.ProviderError](err); ok {
		return known
	}
	return &core.ProviderError{Class: core.ClassUnknown, Err: err}
}

// Detached is a context that goes on, for [TimeMax], though its caller gives up: money may be on
// its way.
func Detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), TimeMax)
}
