package graph

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// Fields of inputs that errors are about. Empty stands for the one that names the mutation's subject.
const (
	fieldSubject  = ""
	fieldAmount   = "amountMinor"
	fieldKey      = "idempotencyKey"
	fieldPassword = "password"
	fieldCode     = "code"
)

// inputFields are the schema's names for fields that the use cases call otherwise.
var inputFields = map[string]string{"amount": fieldAmount, "price": "priceId"}

// ruled are the errors of the use cases that are the business's answer, not a fault.
var ruled = []struct {
	err     error
	code    model.UserErrorCode
	field   string
	message string
}{
	{ports.ErrNotFound, model.UserErrorCodeNotFound, fieldSubject, "There is no such object."},
	{core.ErrPaymentInProgress, model.UserErrorCodePaymentInProgress, fieldSubject, "Another step of this payment is under way or its outcome is not known yet. Look again in a moment."},
	{core.ErrPaymentNotOpen, model.UserErrorCodeInvalidPaymentState, fieldSubject, "The payment's status does not allow this."},
	{core.ErrAmountNotAvailable, model.UserErrorCodeAmountNotAvailable, fieldAmount, "The amount must be positive and no more than what is left to capture, or to give back."},
	{core.ErrAuthorizationExpired, model.UserErrorCodeAuthorizationExpired, fieldSubject, "The authorization has run out, and with it the right to the money."},
	{core.ErrCurrencyOther, model.UserErrorCodeCurrencyMismatch, fieldAmount, "The currency must be the one of what it is about."},
	{core.ErrPaymentDisputed, model.UserErrorCodePaymentDisputed, fieldSubject, "The buyer's bank has the money, or may yet take it. Answer the dispute, or accept it."},
	{core.ErrDisputeClosed, model.UserErrorCodeDisputeClosed, fieldSubject, "The dispute has ended."},
	{core.ErrEvidenceSubmitted, model.UserErrorCodeEvidenceSubmitted, fieldSubject, "Evidence was submitted already, for good. The bank decides."},
	{core.ErrEvidenceLate, model.UserErrorCodeEvidenceLate, fieldSubject, "The deadline for evidence has passed."},
	{core.ErrEvidenceEmpty, model.UserErrorCodeEvidenceEmpty, fieldSubject, "Save texts or files first: there is nothing to submit."},
	{core.ErrSubscriptionEnded, model.UserErrorCodeSubscriptionEnded, fieldSubject, "The subscription has ended. Sell a new one by a checkout."},
	{core.ErrSubscriptionState, model.UserErrorCodeInvalidSubscriptionState, fieldSubject, "The subscription's status does not allow this."},
	{core.ErrNothingToChange, model.UserErrorCodeNothingToChange, fieldSubject, "It has that price and quantity already."},
	{core.ErrNotSupported, model.UserErrorCodeUnsupported, fieldSubject, "The provider does not offer this, or not now. It may be possible in its own dashboard."},
	{core.ErrAccountNotOffered, model.UserErrorCodeAccountNotConfigured, fieldSubject, "The account at the provider is not configured any more."},
	{core.ErrOperationOpen, model.UserErrorCodeOperationOpen, fieldSubject, "An earlier call on this object is not settled yet. Look again in a moment."},
	{core.ErrApprovalOwn, model.UserErrorCodeApprovalOwn, fieldSubject, "You asked for it, or said so: another person must approve it."},
	{core.ErrApprovalDecided, model.UserErrorCodeApprovalDecided, fieldSubject, "It was approved or rejected before."},
	{core.ErrApprovalExpired, model.UserErrorCodeApprovalExpired, fieldSubject, "Nobody decided it in time. Ask for the refund anew."},
	{core.ErrNotForStaff, model.UserErrorCodeInvalidState, fieldSubject, "Its outcome is known, or still asked for by itself."},
	{ports.ErrDuplicate, model.UserErrorCodeAlreadyExists, fieldSubject, "There is one already."},
	{core.ErrOwnAccount, model.UserErrorCodeOwnAccount, fieldSubject, "Somebody else must do this to your account."},
	{core.ErrLastAdmin, model.UserErrorCodeLastAdmin, fieldSubject, "Nobody would be left who may let others in. Make somebody else an ADMIN first."},
	{core.ErrPasswordWrong, model.UserErrorCodePasswordWrong, fieldPassword, "Your password is another one."},
	{core.ErrCodeWrong, model.UserErrorCodeCodeWrong, fieldCode, "The app shows another code. Its clock may be wrong."},
	{notify.ErrEndpointRemoved, model.UserErrorCodeInvalidState, fieldSubject, "Its endpoint was removed."},
	{idempotency.ErrReused, model.UserErrorCodeIdempotencyKeyReused, fieldKey, "The key was used with another input."},
	{idempotency.ErrInProgress, model.UserErrorCodeIdempotencyInProgress, fieldKey, "The first call with this key is still running."},
}

// userErrors says why a mutation did nothing, where that is the business's answer. Any other error
// comes back as it is. subject is the input's field that names what the mutation works on.
func (r *Resolver) userErrors(ctx context.Context, subject string, err error) ([]*model.UserError, error) {
	if err == nil {
		return []*model.UserError{}, nil
	}
	if invalid, ok := errors.AsType[*core.InvalidError](err); ok {
		all := make([]*model.UserError, len(invalid.Fields))
		for i, field := range invalid.Fields {
			name := field.Field
			if ours, ok := inputFields[name]; ok {
				name = ours
			}
			all[i] = &model.UserError{Field: []string{name}, Message: name + " " + field.Message, Code: model.UserErrorCodeInvalidRequest}
		}
		return all, nil
	}
	for _, rule := range ruled {
		if errors.Is(err, rule.err) {
			field := rule.field
			if field == fieldSubject {
				field = subject
			}
			return []*model.UserError{{Field: []string{field}, Message: rule.message, Code: rule.code}}, nil
		}
	}
	if locked, ok := errors.AsType[*core.LockedError](err); ok {
		message := "Too many tries in a row were wrong. The next one is looked at from " + locked.Until.UTC().Format(time.RFC3339) + " on."
		return []*model.UserError{{Field: []string{fieldPassword}, Message: message, Code: model.UserErrorCodeLocked}}, nil
	}
	if refused, ok := errors.AsType[*core.RefusedError](err); ok {
		return []*model.UserError{{Message: refused.Failure.Message, Code: model.UserErrorCodePaymentRefused}}, nil
	}
	if lost, ok := errors.AsType[*core.ProviderError](err); ok {
		r.logger.LogAttrs(ctx, slog.LevelWarn, "provider not reached", slog.String("error", lost.Error()), slog.String("trace_id", traceID(ctx)))
		return []*model.UserError{{Message: "The provider cannot be reached. Make the same call again in a moment.", Code: model.UserErrorCodeProviderUnavailable}}, nil
	}
	return nil, err
}
