package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// syncMethod looks at a saved method, or at what the buyer agrees to so that there is one.
func (s *Service) syncMethod(ctx context.Context, ref core.ProviderRef, cause core.Cause) (ports.Observation, error) {
	vault := s.vault(ref.Account)
	if vault == nil {
		return ports.Observation{Reason: core.ReasonNotOurs}, s.noteInbound(ctx, cause, "the account saves no methods")
	}
	held, err := s.store.MethodByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
	}
	if held.ID != "" {
		ref = held.Ref() // once it is saved it is looked at by itself
	}
	seen, err := vault.GetMethod(ctx, ref)
	if err != nil {
		return s.missing(ctx, ports.Observation{Method: held}, err, cause)
	}
	if held.ID == "" {
		if held, err = s.methodOwner(ctx, seen); err != nil {
			return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
		}
	}
	if held.ID == "" {
		return ports.Observation{Reason: core.ReasonNotOurs}, s.noteInbound(ctx, cause, "the object belongs to no method here")
	}
	observation, err := s.applyMethod(ctx, held, seen, cause)
	if errors.Is(err, ports.ErrDuplicate) {
		return observation, ports.ErrConflict // another look stored the same counterpart
	}
	return observation, err
}

// vault gives what can be asked of an account's saved methods; nil where it has none.
func (s *Service) vault(account core.AccountName) ports.Vault {
	provider, ok := s.providers[account]
	if !ok || !provider.Capabilities().Vault {
		return nil
	}
	vault, _ := provider.(ports.Vault)
	return vault
}

// isMissing reports whether a look failed since the provider knows no such object.
func isMissing(err error) bool {
	refused, ok := errors.AsType[*core.ProviderError](err)
	return ok && refused.Foreign == ports.ForeignMissing
}

// methodOwner finds the method that the provider's object names as its own. The zero method means
// nobody's.
func (s *Service) methodOwner(ctx context.Context, seen core.MethodSnapshot) (core.SavedMethod, error) {
	if seen.Method == "" {
		return core.SavedMethod{}, nil
	}
	method, err := s.store.Method(ctx, seen.Method)
	if errors.Is(err, ports.ErrNotFound) || err == nil && method.Account != seen.Ref.Account {
		return core.SavedMethod{}, nil
	}
	return method, err
}

// applyMethod judges a sight against the method as it was before the fetch, and commits what
// follows. It is [ports.ErrConflict] where the method has changed since.
func (s *Service) applyMethod(ctx context.Context, before core.SavedMethod, seen core.MethodSnapshot, cause core.Cause) (ports.Observation, error) {
	found, err := s.methodAround(ctx, before, seen)
	if err != nil {
		return ports.Observation{}, err
	}
	var observation ports.Observation
	err = s.inTx(ctx, func(ctx context.Context, tx *work) error {
		checkout, held, err := lockMethod(ctx, tx, before)
		if err != nil {
			return err
		}
		if held.Version != before.Version {
			return ports.ErrConflict
		}
		if observation, err = s.applyMethodLocked(ctx, tx, checkout, held, seen, found, cause); err != nil || cause.Inbound == "" {
			return err
		}
		return tx.SetInboundStatus(ctx, cause.Inbound, core.InboundProcessed, string(observation.Reason), s.clock.Now())
	})
	if err != nil {
		return ports.Observation{}, fmt.Errorf("apply what was seen of %s: %w", seen.Ref, err)
	}
	return observation, nil
}

// around is what stands beside a method, read before its transaction.
type around struct {
	// counterpart is the customer's at the account, as the method shows it, where none is stored yet.
	counterpart *core.CustomerAccount
	// twin is another row that names the same method of the provider's; empty for none.
	twin core.MethodID
}

func (s *Service) methodAround(ctx context.Context, held core.SavedMethod, seen core.MethodSnapshot) (around, error) {
	var found around
	if seen.Customer != "" && held.Customer != "" {
		_, err := s.store.CustomerAccount(ctx, held.Customer, held.Account)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return found, err
		}
		if err != nil {
			found.counterpart = &core.CustomerAccount{Customer: held.Customer, Account: held.Account, ProviderCustomerID: seen.Customer, CreatedAt: s.clock.Now()}
		}
	}
	if seen.Ref.ID == "" || held.ProviderMethodID == seen.Ref.ID {
		return found, nil
	}
	twin, err := s.store.MethodByRef(ctx, core.ProviderRef{Account: held.Account, Kind: core.ObjectMethod, ID: seen.Ref.ID})
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return found, err
	}
	if twin.ID != held.ID {
		found.twin = twin.ID
	}
	return found, nil
}

// lockMethod locks a method's checkout and then the method, in this order as everywhere.
func lockMethod(ctx context.Context, tx ports.Tx, method core.SavedMethod) (checkout core.Checkout, held core.SavedMethod, err error) {
	if method.Checkout != "" {
		if checkout, err = tx.LockCheckout(ctx, method.Checkout); err != nil {
			return checkout, method, err
		}
	}
	held, err = tx.LockMethod(ctx, method.ID)
	return checkout, held, err
}

// applyMethodLocked does the work of applyMethod on rows that are locked.
func (s *Service) applyMethodLocked(ctx context.Context, tx *work, checkout core.Checkout, held core.SavedMethod, seen core.MethodSnapshot,
	found around, cause core.Cause,
) (ports.Observation, error) {
	application := core.ApplyMethodSnapshot(held, seen)
	method := application.Method
	if found.twin != "" && method.ProviderMethodID != held.ProviderMethodID {
		// Some providers give a method that was saved before again: the newest consent counts.
		if err := s.replaced(ctx, tx, found.twin); err != nil {
			return ports.Observation{}, err
		}
	}
	if application.Changed {
		now := s.clock.Now()
		method.SyncedAt, method.UpdatedAt = now, now
		if method.Status == core.MethodRemoved && method.RemovedAt.IsZero() {
			method.RemovedAt = now
		}
		var err error
		if method, err = tx.UpdateMethod(ctx, method); err != nil {
			return ports.Observation{}, err
		}
	}
	if found.counterpart != nil && application.Reason != core.ReasonOtherObject {
		if err := tx.InsertCustomerAccount(ctx, *found.counterpart); err != nil {
			return ports.Observation{}, err
		}
	}
	if application.Changed || cause.Kind == core.CauseRepair {
		shown := func(op core.Operation) bool { return op.ShownByMethod(seen) }
		if err := s.settleSubject(ctx, tx, string(method.ID), string(method.Status), seen.Ref.ID, shown); err != nil {
			return ports.Observation{}, err
		}
	}
	// One that took its provider's method from another row is the one that counts.
	second := application.Moved && method.Status == core.MethodActive && checkout.SupersededMethod(method) && found.twin == ""
	if second {
		application.Anomaly, application.Verdict = true, core.Impossible
	}
	if application.Anomaly && application.Reason != core.ReasonOtherObject {
		tx.odds(core.ObjectMethod)
	}
	if application.Changed || application.Anomaly || cause.Kind == core.CauseWebhook || cause.Kind == core.CauseStaff {
		entry := s.record.SubjectEntry(ctx, string(method.ID), "", string(method.Status), core.TimelineObservation, cause)
		entry.From, entry.Verdict, entry.Reason, entry.Status = string(held.Status), application.Verdict.String(), application.Reason, seen.ForeignStatus
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return ports.Observation{}, err
		}
	}
	if second {
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobDropMethod, Subject: string(method.ID)}); err != nil {
			return ports.Observation{}, err
		}
	}
	if application.Moved {
		if err := s.methodMoved(ctx, tx, checkout, method); err != nil {
			return ports.Observation{}, err
		}
	}
	return ports.Observation{
		Method: method, Reason: application.Reason, Confirmable: seen.Confirmable && method.Status == core.MethodPending,
	}, nil
}

// replaced takes a provider's method away from the row that held it before.
func (s *Service) replaced(ctx context.Context, tx ports.Tx, id core.MethodID) error {
	older, err := tx.LockMethod(ctx, id)
	if err != nil {
		return err
	}
	entry := s.record.SubjectEntry(ctx, string(id), "", string(core.MethodRemoved), core.TimelineObservation, core.Cause{Kind: core.CauseOperation})
	entry.From, entry.Verdict, entry.Note = string(older.Status), core.Advance.String(), "saved again"
	older.ProviderMethodID, older.Status, older.Failure = "", core.MethodRemoved, nil
	older.RemovedAt, older.UpdatedAt = s.clock.Now(), s.clock.Now()
	if _, err := tx.UpdateMethod(ctx, older); err != nil {
		return err
	}
	return tx.AppendTimeline(ctx, entry)
}

// methodMoved lets a method's checkout follow, and has the subscription paid with the method that
// it was saved for.
func (s *Service) methodMoved(ctx context.Context, tx ports.Tx, checkout core.Checkout, method core.SavedMethod) error {
	if checkout.ID == "" {
		return nil
	}
	next, event := checkout.AfterMethod(method)
	if next.Status == checkout.Status && next.Lease == checkout.Lease && next.Method == checkout.Method {
		return nil
	}
	next.UpdatedAt = s.clock.Now()
	next, err := tx.UpdateCheckout(ctx, next)
	if err != nil || event == "" {
		return err
	}
	if next.Lease != string(method.ID) {
		// Another attempt is open beside the one that was saved: nobody needs it.
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobDropMethod, Subject: next.Lease}); err != nil {
			return err
		}
	}
	if next.Subscription != "" {
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobSwapMethod, Subject: string(method.ID)}); err != nil {
			return err
		}
	}
	return s.record.Checkout(ctx, tx, event, next)
}

// settleSubject settles the operations on an object that were open and that a sight proves done.
func (s *Service) settleSubject(ctx context.Context, tx ports.Tx, subject, status, objectID string, shown func(core.Operation) bool) error {
	operations, err := tx.SubjectOperations(ctx, subject)
	if err != nil {
		return err
	}
	for _, op := range operations {
		if op.Status.Settled() || !shown(op) {
			continue
		}
		if _, err := s.settleOn(ctx, tx, op.ID, nil, objectID, status); err != nil {
			return err
		}
	}
	return nil
}

// SettleMethod implements [ports.Observer]. What an older call's answer shows is not applied but
// looked at afresh.
func (s *Service) SettleMethod(ctx context.Context, op core.Operation, snapshot *core.MethodSnapshot, refused *core.ProviderError, cause core.Cause) (core.SavedMethod, error) {
	before, err := s.store.Method(ctx, core.MethodID(op.Subject))
	if err != nil {
		return before, fmt.Errorf("settle %s: %w", op.ID, err)
	}
	var found around
	objectID := ""
	if snapshot != nil {
		objectID = snapshot.Ref.ID
		if found, err = s.methodAround(ctx, before, *snapshot); err != nil {
			return before, fmt.Errorf("settle %s: %w", op.ID, err)
		}
	}
	var method core.SavedMethod
	lookAgain := false
	err = s.inTx(ctx, func(ctx context.Context, tx *work) error {
		checkout, held, err := lockMethod(ctx, tx, before)
		if err != nil {
			return err
		}
		method = held
		settled, err := s.settleOn(ctx, tx, op.ID, refused, objectID, string(held.Status))
		if err != nil {
			return err
		}
		switch {
		case settled.Status == core.OperationFailed:
			next := held.Rejected(settled, refused)
			method, err = s.moveMethod(ctx, tx, checkout, held, next, settled.ID, cause)
			return err
		case settled.Status == core.OperationSucceeded && settled.Kind == core.OpDetachMethod:
			next := held
			next.Status, next.RemovedAt = core.MethodRemoved, s.clock.Now()
			method, err = s.moveMethod(ctx, tx, checkout, held, next, settled.ID, cause)
			return err
		case snapshot == nil:
			return nil
		}
		lookAgain = held.Version != before.Version || settled.Attempts > 1
		// At some providers nothing but this answer ever names the method that was saved.
		names := held.ProviderMethodID == "" && snapshot.Ref.ID != ""
		if lookAgain && held.Ref().ID != "" && !names {
			return nil
		}
		observation, err := s.applyMethodLocked(ctx, tx, checkout, held, *snapshot, found, cause)
		method = observation.Method
		return err
	})
	if err != nil {
		return before, fmt.Errorf("settle %s: %w", op.ID, err)
	}
	if !lookAgain {
		return method, nil
	}
	observation, err := s.Sync(ctx, method.Ref(), cause)
	if err != nil || observation.Method.ID == "" {
		return method, err
	}
	return observation.Method, nil
}

// AbandonMethod implements [ports.Observer].
func (s *Service) AbandonMethod(ctx context.Context, id core.MethodID, cause core.Cause) (method core.SavedMethod, err error) {
	before, err := s.store.Method(ctx, id)
	if err != nil {
		return before, fmt.Errorf("abandon %s: %w", id, err)
	}
	err = s.inTx(ctx, func(ctx context.Context, tx *work) error {
		checkout, held, err := lockMethod(ctx, tx, before)
		if err != nil {
			return err
		}
		if method = held; held.Status != core.MethodPending {
			return nil
		}
		operations, err := tx.SubjectOperations(ctx, string(id))
		if err != nil {
			return err
		}
		next := held.Abandoned(operations)
		if next.Status == held.Status {
			return core.ErrPaymentInProgress
		}
		method, err = s.moveMethod(ctx, tx, checkout, held, next, "", cause)
		return err
	})
	if err != nil {
		return method, fmt.Errorf("abandon %s: %w", id, err)
	}
	return method, nil
}

// moveMethod stores a method whose status follows from our own record and no sight.
func (s *Service) moveMethod(ctx context.Context, tx ports.Tx, checkout core.Checkout, held, next core.SavedMethod, op core.OperationID, cause core.Cause) (core.SavedMethod, error) {
	if next.Status == held.Status {
		return held, nil
	}
	next.UpdatedAt = s.clock.Now()
	next, err := tx.UpdateMethod(ctx, next)
	if err != nil {
		return next, err
	}
	entry := s.record.SubjectEntry(ctx, string(next.ID), "", string(next.Status), core.TimelineObservation, cause)
	entry.From, entry.Operation, entry.Verdict = string(held.Status), op, core.Advance.String()
	if next.Status == core.MethodFailed && op != "" {
		entry.Reason = core.ReasonProviderError
	}
	if err := tx.AppendTimeline(ctx, entry); err != nil {
		return next, err
	}
	return next, s.methodMoved(ctx, tx, checkout, next)
}
