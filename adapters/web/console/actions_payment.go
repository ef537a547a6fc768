package console

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

func paymentActions() []action {
	return []action{
		{
			path: "/payments/{id}/capture", role: core.RoleFinance, title: "Capture", submit: "Capture", done: "Captured.", back: paymentPath,
			intro:  "Takes money that the buyer's bank holds for us. What is not captured is let go.",
			fields: amountField("Amount to capture", func(p *PaymentPagePayment) MoneyView { return p.AmountCapturable }),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				amount, wrong := in.amount()
				if wrong != nil {
					return outcome{errors: wrong}, nil
				}
				got, err := PaymentCapture(ctx, c, PaymentCaptureInput{PaymentId: in.id, AmountMinor: amount, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/payments/{id}/cancel", role: core.RoleFinance, title: "Cancel the payment", submit: "Cancel the payment", done: "Canceled.", danger: true, back: paymentPath,
			intro: "Lets go what the buyer's bank holds. Nothing can be captured after it.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := PaymentCancel(ctx, c, PaymentCancelInput{PaymentId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/payments/{id}/sync", role: core.RoleSupport, title: "Look at the provider", submit: "Look now", done: "Looked: what the provider shows stands here now.", back: paymentPath,
			intro: "Fetches the payment from its provider and takes over what it shows, as after a webhook.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := PaymentSync(ctx, c, PaymentSyncInput{PaymentId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		refundAction(),
	}
}

// secondActions are of the second person, and of what the storefront is told.
func secondActions() []action {
	return []action{
		{
			path: "/approvals/{id}/approve", role: core.RoleFinance, title: "Approve a refund", submit: "Approve and refund", done: "Approved: the refund is under way.", back: at("/approvals"),
			intro: "You are the second person. All is checked again, and the money is given back.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := ApprovalApprove(ctx, c, ApprovalApproveInput{ApprovalId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/approvals/{id}/reject", role: core.RoleFinance, title: "End an approval", submit: "End it without a refund", done: "Ended: nothing is refunded.", danger: true, back: at("/approvals"),
			intro: "Nothing is given back. Who asked may take it back so.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := ApprovalReject(ctx, c, ApprovalRejectInput{ApprovalId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/notifications/{id}/redeliver", role: core.RoleSupport, title: "Tell the storefront again", submit: "Redeliver", done: "It goes out again now.", back: at("/notifications"),
			intro: "Sends the same message under the same id. A storefront that had it before takes it as a repeat.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := NotificationRedeliver(ctx, c, NotificationRedeliverInput{NotificationId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
	}
}

func refundAction() action {
	return action{
		path: "/payments/{id}/refund", role: core.RoleSupport, title: "Refund", submit: "Refund", done: "The refund is under way, or waits for a second person: see below.", back: paymentPath,
		intro: "Gives money back to the buyer. Above the limit of the house it waits for a second person.",
		fields: func(ctx context.Context, v *visit, id string) ([]field, error) {
			fields, err := amountField("Amount to give back", func(p *PaymentPagePayment) MoneyView {
				left := core.Money{}
				if captured, err := core.NewMoney(p.AmountCaptured.Minor-p.AmountRefunded.Minor, core.Currency(p.Amount.Currency)); err == nil {
					left = captured
				}
				return MoneyView{Minor: left.Minor(), Currency: p.Amount.Currency, Formatted: left.String()}
			})(ctx, v, id)
			reasons := make([]option, len(AllRefundReason))
			for n, reason := range AllRefundReason {
				reasons[n] = option{string(reason), words(reason)}
			}
			return append(fields, field{name: "reason", label: "Reason", options: reasons, value: string(RefundReasonRequestedByCustomer), required: true},
				field{name: "note", label: "Note", hint: "For colleagues; the buyer does not see it."}), err
		},
		do: func(ctx context.Context, c client, in asked) (outcome, error) {
			amount, wrong := in.amount()
			if wrong != nil {
				return outcome{errors: wrong}, nil
			}
			reason := RefundReasonRequestedByCustomer
			if given := in.given("reason"); given != nil {
				reason = RefundReason(*given)
			}
			got, err := RefundCreate(ctx, c, RefundCreateInput{PaymentId: in.id, AmountMinor: amount, Reason: reason, Note: in.given("note"), IdempotencyKey: in.key, DryRun: in.dry})
			if err != nil {
				return outcome{}, err
			}
			return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
		},
	}
}
