package graph

import (
	"context"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/graph/model"
)

const fieldPayment = "paymentId"

// paymentMutation is a mutation on a payment: what it would do, and how it is done.
type paymentMutation struct {
	mutation

	id      string
	preview func(ctx context.Context, id core.PaymentID) (payments.Preview, error)
	do      func(ctx context.Context, id core.PaymentID, key core.RequestKey) (core.Payment, error)
}

// onPayment makes a mutation, or shows what it would do.
func (r *Resolver) onPayment(ctx context.Context, m paymentMutation) (payment *model.Payment, preview *model.Preview, refused []*model.UserError, err error) {
	id, err := parseID[core.PaymentID]("input."+fieldPayment, m.id)
	if err != nil {
		return nil, nil, nil, err
	}
	m.subject = fieldPayment
	show := func(ctx context.Context) error {
		would, err := m.preview(ctx, id)
		if err != nil {
			return err
		}
		preview = &model.Preview{ProviderCall: &would.Call, Warnings: []string{}}
		if would.StatusAfter != "" {
			preview.StateAfter = new(strings.ToUpper(string(would.StatusAfter)))
		}
		if would.Amount.Currency() != "" {
			preview.Amount, preview.AmountLeft = &would.Amount, &would.Left
		}
		return nil
	}
	done, refused, err := r.mutate(ctx, m.mutation, show, func(ctx context.Context, key core.RequestKey) (string, error) {
		p, err := m.do(ctx, id, key)
		return string(p.ID), err
	})
	if err != nil || done == "" {
		return nil, preview, refused, err
	}
	p, err := r.store.Payment(ctx, id)
	return paymentOf(&p), nil, refused, err
}

func (r *Resolver) capturePayment(ctx context.Context, in model.PaymentCaptureInput) (*model.PaymentCapturePayload, error) {
	payment, preview, refused, err := r.onPayment(ctx, paymentMutation{
		mutation: mutation{action: "payment.capture", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.PaymentID,
		preview: func(ctx context.Context, id core.PaymentID) (payments.Preview, error) {
			return r.payments.PreviewCapture(ctx, id, in.AmountMinor)
		},
		do: func(ctx context.Context, id core.PaymentID, key core.RequestKey) (core.Payment, error) {
			return r.payments.Capture(ctx, payments.Capture{Payment: id, Amount: in.AmountMinor, RequestKey: key, Cause: byStaff(ctx)})
		},
	})
	if err != nil {
		return nil, err
	}
	return &model.PaymentCapturePayload{Payment: payment, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) cancelPayment(ctx context.Context, in model.PaymentCancelInput) (*model.PaymentCancelPayload, error) {
	payment, preview, refused, err := r.onPayment(ctx, paymentMutation{
		mutation: mutation{action: "payment.cancel", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.PaymentID,
		preview: r.payments.PreviewCancel,
		do: func(ctx context.Context, id core.PaymentID, key core.RequestKey) (core.Payment, error) {
			return r.payments.Cancel(ctx, id, key, byStaff(ctx))
		},
	})
	if err != nil {
		return nil, err
	}
	return &model.PaymentCancelPayload{Payment: payment, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) syncPayment(ctx context.Context, in model.PaymentSyncInput) (*model.PaymentSyncPayload, error) {
	payment, preview, refused, err := r.onPayment(ctx, paymentMutation{
		mutation: mutation{action: "payment.sync", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.PaymentID,
		preview: func(ctx context.Context, id core.PaymentID) (payments.Preview, error) {
			_, err := r.store.Payment(ctx, id)
			return payments.Preview{}, err
		},
		do: func(ctx context.Context, id core.PaymentID, _ core.RequestKey) (core.Payment, error) {
			return r.payments.Sync(ctx, id, byStaff(ctx))
		},
	})
	if err != nil {
		return nil, err
	}
	return &model.PaymentSyncPayload{Payment: payment, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) resolveReview(ctx context.Context, in model.PaymentReviewResolveInput) (*model.PaymentReviewResolvePayload, error) {
	payment, preview, refused, err := r.onPayment(ctx, paymentMutation{
		mutation: mutation{action: "payment.review_resolve", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.PaymentID,
		preview: func(ctx context.Context, id core.PaymentID) (payments.Preview, error) {
			return r.payments.PreviewResolve(ctx, id, in.Resolution)
		},
		do: func(ctx context.Context, id core.PaymentID, _ core.RequestKey) (core.Payment, error) {
			return r.payments.ResolveReview(ctx, id, in.Resolution, byStaff(ctx))
		},
	})
	if err != nil {
		return nil, err
	}
	return &model.PaymentReviewResolvePayload{Payment: payment, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) addNote(ctx context.Context, in model.NoteAddInput) (*model.NoteAddPayload, error) {
	id, err := parseID[core.PaymentID]("input."+fieldPayment, in.PaymentID)
	if err != nil {
		return nil, err
	}
	payload := &model.NoteAddPayload{}
	m := mutation{action: "note.add", input: in, key: in.IdempotencyKey, dryRun: in.DryRun, subject: fieldPayment}
	done, refused, err := r.mutate(ctx, m, func(ctx context.Context) error {
		payload.Preview = nothingElse()
		return r.payments.PreviewNote(ctx, id, in.Text)
	}, func(ctx context.Context, key core.RequestKey) (string, error) {
		entry, err := r.payments.AddNote(ctx, payments.AddNote{Payment: id, Text: in.Text, RequestKey: key, Cause: byStaff(ctx)})
		return string(entry.ID), err
	})
	if payload.UserErrors = refused; err != nil || done == "" {
		return payload, err
	}
	entry, err := r.store.TimelineEntry(ctx, core.TimelineID(done))
	payload.Note = &model.TimelineEntry{TimelineEntry: entry}
	return payload, err
}
