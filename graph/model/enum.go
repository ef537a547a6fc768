package model

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
)

// The core's words are lower case; the schema's are the same words in upper case.

// enum writes a word of the core, and null for none.
func enum[T ~string](word T) graphql.Marshaler {
	if word == "" {
		return graphql.Null
	}
	return quoted(strings.ToUpper(string(word)))
}

// readEnum reads a word. That it is one of the schema's is checked before.
func readEnum[T ~string](value any) (T, error) {
	word, err := readText[string](value)
	return T(strings.ToLower(word)), err
}

// VerdictName is a verdict as a timeline keeps it; empty for none.
type VerdictName string

// MarshalVerdict writes a verdict.
func MarshalVerdict(verdict VerdictName) graphql.Marshaler { return enum(verdict) }

// UnmarshalVerdict reads a verdict.
func UnmarshalVerdict(value any) (VerdictName, error) { return readEnum[VerdictName](value) }

// MarshalRole writes a role.
func MarshalRole(role core.Role) graphql.Marshaler { return enum(role) }

// UnmarshalRole reads a role.
func UnmarshalRole(value any) (core.Role, error) {
	word, err := readText[string](value)
	if err != nil {
		return "", err
	}
	role, err := core.ParseRole(word)
	if err != nil {
		return "", invalid("%s", err.Error())
	}
	return role, nil
}

// MarshalEnvironment writes an environment.
func MarshalEnvironment(word core.Environment) graphql.Marshaler { return enum(word) }

// UnmarshalEnvironment reads an environment.
func UnmarshalEnvironment(value any) (core.Environment, error) {
	return readEnum[core.Environment](value)
}

// MarshalPaymentStatus writes a status.
func MarshalPaymentStatus(word core.PaymentStatus) graphql.Marshaler { return enum(word) }

// UnmarshalPaymentStatus reads a status.
func UnmarshalPaymentStatus(value any) (core.PaymentStatus, error) {
	return readEnum[core.PaymentStatus](value)
}

// MarshalCaptureMode writes a mode.
func MarshalCaptureMode(word core.CaptureMode) graphql.Marshaler { return enum(word) }

// UnmarshalCaptureMode reads a mode.
func UnmarshalCaptureMode(value any) (core.CaptureMode, error) {
	return readEnum[core.CaptureMode](value)
}

// MarshalReviewReason writes a reason.
func MarshalReviewReason(word core.ReviewReason) graphql.Marshaler { return enum(word) }

// UnmarshalReviewReason reads a reason.
func UnmarshalReviewReason(value any) (core.ReviewReason, error) {
	return readEnum[core.ReviewReason](value)
}

// MarshalFailureCode writes a code.
func MarshalFailureCode(word core.FailureCode) graphql.Marshaler { return enum(word) }

// UnmarshalFailureCode reads a code.
func UnmarshalFailureCode(value any) (core.FailureCode, error) {
	return readEnum[core.FailureCode](value)
}

// MarshalCheckoutStatus writes a status.
func MarshalCheckoutStatus(word core.CheckoutStatus) graphql.Marshaler { return enum(word) }

// UnmarshalCheckoutStatus reads a status.
func UnmarshalCheckoutStatus(value any) (core.CheckoutStatus, error) {
	return readEnum[core.CheckoutStatus](value)
}

// MarshalCheckoutMode writes a mode.
func MarshalCheckoutMode(word core.CheckoutMode) graphql.Marshaler { return enum(word) }

// UnmarshalCheckoutMode reads a mode.
func UnmarshalCheckoutMode(value any) (core.CheckoutMode, error) {
	return readEnum[core.CheckoutMode](value)
}

// MarshalOperationKind writes a kind of operation.
func MarshalOperationKind(word core.OperationKind) graphql.Marshaler { return enum(word) }

// UnmarshalOperationKind reads a kind of operation.
func UnmarshalOperationKind(value any) (core.OperationKind, error) {
	return readEnum[core.OperationKind](value)
}

// MarshalGivenUp writes why an operation waits for staff.
func MarshalGivenUp(word core.GivenUp) graphql.Marshaler { return enum(word) }

// UnmarshalGivenUp reads why.
func UnmarshalGivenUp(value any) (core.GivenUp, error) { return readEnum[core.GivenUp](value) }

// MarshalOperationStatus writes a status.
func MarshalOperationStatus(word core.OperationStatus) graphql.Marshaler { return enum(word) }

// UnmarshalOperationStatus reads a status.
func UnmarshalOperationStatus(value any) (core.OperationStatus, error) {
	return readEnum[core.OperationStatus](value)
}

// MarshalReviewResolution writes a resolution.
func MarshalReviewResolution(word core.ReviewResolution) graphql.Marshaler { return enum(word) }

// UnmarshalReviewResolution reads a resolution.
func UnmarshalReviewResolution(value any) (core.ReviewResolution, error) {
	return readEnum[core.ReviewResolution](value)
}

// MarshalClaimedOutcome writes an outcome.
func MarshalClaimedOutcome(word core.ClaimedOutcome) graphql.Marshaler { return enum(word) }

// UnmarshalClaimedOutcome reads an outcome.
func UnmarshalClaimedOutcome(value any) (core.ClaimedOutcome, error) {
	return readEnum[core.ClaimedOutcome](value)
}

// MarshalTimelineKind writes a kind of entry.
func MarshalTimelineKind(word core.TimelineKind) graphql.Marshaler { return enum(word) }

// UnmarshalTimelineKind reads a kind of entry.
func UnmarshalTimelineKind(value any) (core.TimelineKind, error) {
	return readEnum[core.TimelineKind](value)
}

// MarshalCauseKind writes a kind of cause.
func MarshalCauseKind(word core.CauseKind) graphql.Marshaler { return enum(word) }

// UnmarshalCauseKind reads a kind of cause.
func UnmarshalCauseKind(value any) (core.CauseKind, error) { return readEnum[core.CauseKind](value) }

// MarshalRefundStatus writes a status.
func MarshalRefundStatus(word core.RefundStatus) graphql.Marshaler { return enum(word) }

// UnmarshalRefundStatus reads a status.
func UnmarshalRefundStatus(value any) (core.RefundStatus, error) {
	return readEnum[core.RefundStatus](value)
}

// MarshalRefundReason writes a reason.
func MarshalRefundReason(word core.RefundReason) graphql.Marshaler { return enum(word) }

// UnmarshalRefundReason reads a reason.
func UnmarshalRefundReason(value any) (core.RefundReason, error) {
	return readEnum[core.RefundReason](value)
}

// MarshalOrigin writes an origin.
func MarshalOrigin(word core.Origin) graphql.Marshaler { return enum(word) }

// UnmarshalOrigin reads an origin.
func UnmarshalOrigin(value any) (core.Origin, error) {
	return readEnum[core.Origin](value)
}

// MarshalDisputeStatus writes a status.
func MarshalDisputeStatus(word core.DisputeStatus) graphql.Marshaler { return enum(word) }

// UnmarshalDisputeStatus reads a status.
func UnmarshalDisputeStatus(value any) (core.DisputeStatus, error) {
	return readEnum[core.DisputeStatus](value)
}

// MarshalDisputeReason writes a reason.
func MarshalDisputeReason(word core.DisputeReason) graphql.Marshaler { return enum(word) }

// UnmarshalDisputeReason reads a reason.
func UnmarshalDisputeReason(value any) (core.DisputeReason, error) {
	return readEnum[core.DisputeReason](value)
}

// MarshalSubscriptionStatus writes a status.
func MarshalSubscriptionStatus(word core.SubscriptionStatus) graphql.Marshaler { return enum(word) }

// UnmarshalSubscriptionStatus reads a status.
func UnmarshalSubscriptionStatus(value any) (core.SubscriptionStatus, error) {
	return readEnum[core.SubscriptionStatus](value)
}

// MarshalApprovalStatus writes a status.
func MarshalApprovalStatus(word core.ApprovalStatus) graphql.Marshaler { return enum(word) }

// UnmarshalApprovalStatus reads a status.
func UnmarshalApprovalStatus(value any) (core.ApprovalStatus, error) {
	return readEnum[core.ApprovalStatus](value)
}
