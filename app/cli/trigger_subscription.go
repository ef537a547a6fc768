package cli

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	// renewalMargin is how far behind the end of a period the clock is moved, so that the provider
	// has asked for the next one: some make an invoice an hour before they charge it.
	renewalMargin = 3 * time.Hour
	// retriesTime is longer than any provider tries a failed payment again.
	retriesTime = 45 * 24 * time.Hour
)

func subscriptionScenarios() []scenario {
	elsewhere := func(do string, statuses ...string) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error {
			s, err := w.subscribed(ctx, 0)
			if err != nil {
				return err
			}
			if _, err := w.steer(ctx, "/subscriptions/"+s.ProviderSubscriptionID, map[string]string{"do": do}); err != nil {
				return err
			}
			_, err = w.await(ctx, "/v1/subscriptions/"+s.ID, statuses...)
			return err
		}
	}
	running := []scenario{
		{name: "method.saved", run: func(ctx context.Context, w *world) error {
			checkout, err := w.checkout(ctx, map[string]any{"mode": "setup", "line_items": []any{}, "customer": triggerBuyer()})
			if err != nil {
				return err
			}
			_, err = w.buy(ctx, checkout, "success")
			return err
		}},
		{name: "subscription.created", run: func(ctx context.Context, w *world) error {
			_, err := w.subscribed(ctx, w.command.Trial)
			return err
		}},
		{name: "subscription.trialing", run: func(ctx context.Context, w *world) error {
			_, err := w.subscribed(ctx, max(w.command.Trial, 14))
			return err
		}},
		{name: "subscription.trial_ended", run: func(ctx context.Context, w *world) error {
			s, err := w.subscribed(ctx, max(w.command.Trial, 14))
			if err != nil {
				return err
			}
			return w.elapse(ctx, s, s.TrialEnd, "active")
		}},
		{name: "subscription.renewed", run: func(ctx context.Context, w *world) error {
			s, err := w.subscribed(ctx, 0)
			if err != nil {
				return err
			}
			return w.elapse(ctx, s, s.CurrentPeriodEnd, "active")
		}},
	}
	return slices.Concat(running, failingScenarios(), []scenario{
		{name: "subscription.paused_elsewhere", run: elsewhere("pause", "paused", "active")},
		{name: "subscription.canceled_elsewhere", run: elsewhere("cancel", "canceled")},
	})
}

// failingScenarios are about a renewal that fails.
func failingScenarios() []scenario {
	return []scenario{
		{name: "subscription.past_due", run: func(ctx context.Context, w *world) error { _, err := w.failed(ctx); return err }},
		{name: "subscription.recovered", run: func(ctx context.Context, w *world) error {
			s, err := w.failed(ctx)
			if err != nil {
				return err
			}
			if _, err := w.steer(ctx, "/subscriptions/"+s.ProviderSubscriptionID, map[string]string{"card": "success"}); err != nil {
				return err
			}
			if _, err := w.steer(ctx, "/subscriptions/"+s.ProviderSubscriptionID, map[string]string{"do": "retry"}); err != nil {
				return err
			}
			_, err = w.await(ctx, "/v1/subscriptions/"+s.ID, "active")
			return err
		}},
		{name: "subscription.given_up", run: func(ctx context.Context, w *world) error {
			s, err := w.failed(ctx)
			if err != nil {
				return err
			}
			if err := w.advance(ctx, retriesTime); err != nil {
				return err
			}
			_, err = w.await(ctx, "/v1/subscriptions/"+s.ID, "canceled", "unpaid")
			return err
		}},
	}
}

func triggerBuyer() map[string]string {
	return map[string]string{"email": "ada@example.com", "name": "Ada Example"}
}

// subscribed makes a subscription and waits until it runs; the one that was named is taken as it
// is.
func (w *world) subscribed(ctx context.Context, trialDays int) (object, error) {
	if w.command.Subscription != "" {
		var named object
		err := w.call(ctx, http.MethodGet, "/v1/subscriptions/"+w.command.Subscription, nil, &named)
		w.told["subscription"] = named.ID
		return named, err
	}
	recurring := map[string]any{"interval": w.command.Interval, "interval_count": 1}
	if trialDays > 0 {
		recurring["trial_days"] = trialDays
	}
	var price object
	err := w.call(ctx, http.MethodPost, "/v1/prices", map[string]any{
		"name": "trigger", "amount": w.command.Amount, "currency": w.command.Currency, "recurring": recurring,
	}, &price)
	if err != nil {
		return object{}, fmt.Errorf("make a price: %w", err)
	}
	checkout, err := w.checkout(ctx, map[string]any{
		"mode": "subscription", "customer": triggerBuyer(),
		"line_items": []map[string]any{{"price": price.ID, "quantity": 1}},
	})
	if err != nil {
		return object{}, err
	}
	done, err := w.buy(ctx, checkout, "success")
	if err != nil {
		return object{}, err
	}
	return w.await(ctx, "/v1/subscriptions/"+done.Subscription, "active", "trialing")
}

// elapse moves the clock behind a moment of a subscription and waits until its period is another
// one.
func (w *world) elapse(ctx context.Context, s object, until, status string) error {
	if err := w.advanceTo(ctx, until); err != nil {
		return err
	}
	for {
		seen, err := w.await(ctx, "/v1/subscriptions/"+s.ID, status)
		if err != nil {
			return err
		}
		if seen.CurrentPeriodEnd != s.CurrentPeriodEnd || seen.Status != s.Status {
			return nil
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("the subscription's period stays as it was: %w", err)
		}
	}
}

// advanceTo moves the clock behind a moment, which the clock of the simulator may have reached
// already.
func (w *world) advanceTo(ctx context.Context, until string) error {
	at, err := time.Parse(time.RFC3339Nano, until)
	if err != nil {
		return fmt.Errorf("the subscription has no end of its period: %w", err)
	}
	moved, err := w.steer(ctx, "/clock/advance", map[string]string{"by": "1s"})
	if err != nil {
		return err
	}
	now, err := time.Parse(time.RFC3339Nano, moved.Now)
	if err != nil {
		return fmt.Errorf("read the simulator's clock: %w", err)
	}
	if by := at.Add(renewalMargin).Sub(now); by > 0 {
		return w.advance(ctx, by)
	}
	return nil
}

// failed has the renewal of a subscription fail.
func (w *world) failed(ctx context.Context) (object, error) {
	s, err := w.subscribed(ctx, 0)
	if err != nil {
		return s, err
	}
	if s.Status == "past_due" {
		return s, nil
	}
	if _, err := w.steer(ctx, "/subscriptions/"+s.ProviderSubscriptionID, map[string]string{"card": "declined"}); err != nil {
		return s, err
	}
	if err := w.advanceTo(ctx, s.CurrentPeriodEnd); err != nil {
		return s, err
	}
	return w.await(ctx, "/v1/subscriptions/"+s.ID, "past_due")
}
