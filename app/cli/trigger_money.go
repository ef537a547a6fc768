package cli

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// authorizationLife is longer than any provider holds an authorization.
const authorizationLife = 30 * 24 * time.Hour

func paymentScenarios() []scenario {
	pay := func(card, capture string, statuses ...string) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error {
			_, err := w.paid(ctx, card, capture, statuses...)
			return err
		}
	}
	after := func(verb string, body map[string]any, status string) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error {
			payment, err := w.paid(ctx, "success", "manual", "authorized")
			if err != nil {
				return err
			}
			if err := w.call(ctx, http.MethodPost, "/v1/payments/"+payment+"/"+verb, body, &object{}); err != nil {
				return err
			}
			_, err = w.await(ctx, "/v1/payments/"+payment, status)
			return err
		}
	}
	return []scenario{
		{name: "payment.succeeded", run: pay("success", "automatic", "succeeded")},
		{name: "payment.authorized", run: pay("success", "manual", "authorized")},
		{name: "payment.failed", run: pay("declined", "automatic", "failed", "requires_action")},
		{name: "payment.insufficient_funds", run: pay("insufficient_funds", "automatic", "failed", "requires_action")},
		{name: "payment.authenticated", run: pay("3ds", "automatic", "succeeded")},
		{name: "payment.captured", run: after("capture", map[string]any{}, "succeeded")},
		{name: "payment.canceled", run: after("cancel", map[string]any{}, "canceled")},
		{name: "payment.expired", run: func(ctx context.Context, w *world) error {
			payment, err := w.paid(ctx, "success", "manual", "authorized")
			if err != nil {
				return err
			}
			if err := w.advance(ctx, authorizationLife); err != nil {
				return err
			}
			_, err = w.await(ctx, "/v1/payments/"+payment, "expired", "canceled")
			return err
		}},
	}
}

// paid makes a payment and waits until it stands as it should; the one that was named is taken as
// it is.
func (w *world) paid(ctx context.Context, card, capture string, statuses ...string) (string, error) {
	if w.command.Payment != "" {
		w.told["payment"] = w.command.Payment
		return w.command.Payment, nil
	}
	checkout, err := w.checkout(ctx, map[string]any{"capture": capture})
	if err != nil {
		return "", err
	}
	done, err := w.buy(ctx, checkout, card)
	if err != nil {
		return "", err
	}
	_, err = w.await(ctx, "/v1/payments/"+done.Payment, statuses...)
	return done.Payment, err
}

func refundScenarios() []scenario {
	refund := func(card string, part int64, statuses ...string) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error {
			payment, err := w.paid(ctx, card, "automatic", "succeeded")
			if err != nil {
				return err
			}
			body := map[string]any{"reason": "requested_by_customer"}
			if part > 0 {
				body["amount"] = w.command.Amount / part
			}
			var made object
			if err := w.call(ctx, http.MethodPost, "/v1/payments/"+payment+"/refunds", body, &made); err != nil {
				return err
			}
			w.told["refund"] = made.ID
			if statuses[0] == "failed" {
				if err := w.advance(ctx, 3*24*time.Hour); err != nil {
					return err
				}
			}
			_, err = w.await(ctx, "/v1/refunds/"+made.ID, statuses...)
			return err
		}
	}
	return []scenario{
		{name: "refund.succeeded", run: refund("success", 0, "succeeded", "pending")},
		{name: "refund.partial", run: refund("success", 2, "succeeded", "pending")},
		{name: "refund.pending", run: refund("refund_pending", 0, "pending")},
		{name: "refund.failed", run: refund("refund_fails", 0, "failed")},
		{name: "refund.elsewhere", run: func(ctx context.Context, w *world) error {
			payment, err := w.paid(ctx, "success", "automatic", "succeeded")
			if err != nil {
				return err
			}
			_, err = w.steer(ctx, "/refunds", map[string]any{"account": w.command.Provider, "payment": payment, "amount": w.command.Amount / 2})
			if err != nil {
				return err
			}
			found, err := w.awaitFirst(ctx, "/v1/payments/"+payment+"/refunds", nil, func(object) bool { return true })
			w.told["refund"], w.told["status"] = found.ID, found.Status
			return err
		}},
	}
}

func disputeScenarios() []scenario {
	open := func(inquiry bool) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error {
			_, err := w.disputed(ctx, inquiry)
			return err
		}
	}
	decide := func(inquiry bool, outcome string, statuses ...string) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error {
			dispute, err := w.disputed(ctx, inquiry)
			if err != nil {
				return err
			}
			if _, err := w.steer(ctx, "/disputes/"+dispute.ProviderDisputeID, map[string]string{"outcome": outcome}); err != nil {
				return err
			}
			_, err = w.await(ctx, "/v1/disputes/"+dispute.ID, statuses...)
			return err
		}
	}
	return []scenario{
		{name: "dispute.opened", run: open(false)},
		{name: "dispute.inquiry", run: open(true)},
		{name: "dispute.escalated", run: decide(true, "escalated", "needs_response")},
		{name: "dispute.won", run: decide(false, "won", "won")},
		{name: "dispute.lost", run: decide(false, "lost", "lost")},
	}
}

// disputed has a payment disputed and waits until that is known; the dispute that was named is
// taken as it is.
func (w *world) disputed(ctx context.Context, inquiry bool) (object, error) {
	if w.command.Dispute != "" {
		var named object
		err := w.call(ctx, http.MethodGet, "/v1/disputes/"+w.command.Dispute, nil, &named)
		w.told["dispute"] = named.ID
		return named, err
	}
	payment, err := w.paid(ctx, "success", "automatic", "succeeded")
	if err != nil {
		return object{}, err
	}
	opened, err := w.steer(ctx, "/disputes", map[string]any{"account": w.command.Provider, "payment": payment, "reason": "fraudulent", "inquiry": inquiry})
	if err != nil {
		return object{}, err
	}
	found, err := w.awaitFirst(ctx, "/v1/disputes", url.Values{"payment": {payment}}, func(one object) bool { return one.ProviderDisputeID == opened.ID })
	w.told["dispute"], w.told["status"] = found.ID, found.Status
	return found, err
}
