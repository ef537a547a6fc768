package subscriptions

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/ports"
)

// NewPrice is what something shall cost.
type NewPrice struct {
	RequestKey core.RequestKey // empty where the caller gave none
	Name       string
	Amount     int64 // minor units, of one piece
	Currency   string
	Recurring  *core.Recurring // nil for a price that is paid once; its Count of 0 means 1
}

// CreatePrice stores a price, or gives the one that the same RequestKey made before. What is wrong
// with the request is a *[core.InvalidError].
func (s *Service) CreatePrice(ctx context.Context, in NewPrice) (core.Price, error) {
	fields := &check.Fields{}
	price := core.Price{
		ID: core.NewID[core.PriceID](s.ids.UUID()), Name: in.Name, RequestKey: in.RequestKey,
		Environment: s.environment, CreatedAt: s.clock.Now(),
	}
	fields.Text("name", in.Name, 1, check.ItemNameMax)
	if currency := fields.Currency("currency", in.Currency); currency != "" {
		price.Amount = fields.Amount("amount", in.Amount, currency)
	}
	if in.Recurring != nil {
		recurring := *in.Recurring
		if recurring.Count == 0 {
			recurring.Count = 1
		}
		checkRecurring(fields, recurring)
		price.Recurring = &recurring
	}
	if err := fields.Err(); err != nil {
		return core.Price{}, err
	}
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		stored, err := tx.InsertPrice(ctx, price)
		if err == nil {
			price = stored
		}
		return err
	})
	if errors.Is(err, ports.ErrDuplicate) && in.RequestKey != "" {
		return s.store.PriceByRequestKey(ctx, in.RequestKey)
	}
	if err != nil {
		return core.Price{}, fmt.Errorf("create price: %w", err)
	}
	return price, nil
}

func checkRecurring(fields *check.Fields, r core.Recurring) {
	if !r.Interval.Known() {
		fields.Refuse("recurring.interval", "must be day, week, month or year")
	}
	if r.Count < 1 || r.Count > core.IntervalCountMax {
		fields.Refuse("recurring.interval_count", "must be from 1 to %d", core.IntervalCountMax)
	}
	if r.TrialDays < 0 || r.TrialDays > core.TrialDaysMax {
		fields.Refuse("recurring.trial_days", "must be from 0 to %d", core.TrialDaysMax)
	}
}

// Price gives a price; [ports.ErrNotFound] where there is none.
func (s *Service) Price(ctx context.Context, id core.PriceID) (core.Price, error) {
	return s.store.Price(ctx, id)
}

// Prices lists prices, newest first.
func (s *Service) Prices(ctx context.Context, page core.PageRequest) (core.Page[core.Price], error) {
	return s.store.Prices(ctx, page)
}

// priceAt gives the provider's id of a price at an account, and has the counterpart made where there
// is none yet. An outcome that is not known yet is [core.ErrPaymentInProgress].
func (s *Service) priceAt(ctx context.Context, id core.PriceID, account core.AccountName) (string, error) {
	known, err := s.store.PriceAccount(ctx, id, account)
	if err == nil || !errors.Is(err, ports.ErrNotFound) {
		return known.ProviderPriceID, err
	}
	err = s.calls.SettleOpen(ctx, string(id), s)
	if errors.Is(err, core.ErrOperationOpen) {
		return "", core.ErrPaymentInProgress
	}
	if err != nil {
		return "", err
	}
	if known, err = s.store.PriceAccount(ctx, id, account); err == nil || !errors.Is(err, ports.ErrNotFound) {
		return known.ProviderPriceID, err
	}
	var op core.Operation
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		// Two at once make two counterparts, of which the first to be settled is kept: no harm is in it.
		op, err = s.calls.WriteDown(ctx, tx, calls.Asked{Kind: core.OpCreatePrice, Account: account, Subject: string(id)})
		return err
	})
	if err != nil {
		return "", err
	}
	if err := s.sendPrice(ctx, op); err != nil {
		return "", err
	}
	known, err = s.store.PriceAccount(ctx, id, account)
	if errors.Is(err, ports.ErrNotFound) {
		return "", core.ErrPaymentInProgress // no answer came; it is settled later
	}
	return known.ProviderPriceID, err
}

// sendPrice makes the call of a counterpart's creation and settles it.
func (s *Service) sendPrice(ctx context.Context, op core.Operation) error {
	provider, err := s.subscriber(op.Account)
	if err != nil {
		return err
	}
	price, err := s.store.Price(ctx, core.PriceID(op.Subject))
	if err != nil {
		return fmt.Errorf("send %s: %w", op.ID, err)
	}
	made := ""
	key, err := s.calls.Key(op, provider)
	if err == nil {
		made, err = provider.CreatePrice(ctx, key, price)
	}
	refused := calls.ProviderError(err)
	if err := s.settlePrice(ctx, op, refused, made); err != nil {
		return fmt.Errorf("settle %s: %w", op.ID, err)
	}
	return calls.Refusal(refused)
}

func (s *Service) settlePrice(ctx context.Context, op core.Operation, refused *core.ProviderError, made string) error {
	for range startTriesMax {
		_, err := s.store.PriceAccount(ctx, core.PriceID(op.Subject), op.Account)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return err
		}
		known := err == nil
		err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			if _, err := s.calls.Settled(ctx, tx, op.ID, refused, made, ""); err != nil || refused != nil || known {
				return err
			}
			return tx.InsertPriceAccount(ctx, core.PriceAccount{Price: core.PriceID(op.Subject), Account: op.Account, ProviderPriceID: made, CreatedAt: s.clock.Now()})
		})
		if !errors.Is(err, ports.ErrDuplicate) {
			return err
		}
	}
	return ports.ErrDuplicate
}
