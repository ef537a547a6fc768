package stripe

import (
	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
)

// declines are Stripe's decline and error codes that mean more than a plain decline.
//
// Source: docs.stripe.com/declines/codes and docs.stripe.com/error-codes.
var declines = map[string]core.FailureCode{
	"insufficient_funds": core.FailureInsufficientFunds,

	"expired_card": core.FailureExpiredCard,

	"incorrect_cvc": core.FailureIncorrectCVC,
	"invalid_cvc":   core.FailureIncorrectCVC,

	"authentication_required":               core.FailureAuthenticationRequired,
	"payment_intent_authentication_failure": core.FailureAuthenticationRequired,

	"fraudulent":         core.FailureSuspectedFraud,
	"lost_card":          core.FailureSuspectedFraud,
	"merchant_blacklist": core.FailureSuspectedFraud,
	"pickup_card":        core.FailureSuspectedFraud,
	"restricted_card":    core.FailureSuspectedFraud,
	"security_violation": core.FailureSuspectedFraud,
	"stolen_card":        core.FailureSuspectedFraud,

	"issuer_not_available": core.FailureProcessingError,
	"processing_error":     core.FailureProcessingError,
	"reenter_transaction":  core.FailureProcessingError,
	"try_again_later":      core.FailureProcessingError,

	"payment_intent_payment_attempt_expired": core.FailureProcessingError,
	"payment_method_provider_timeout":        core.FailureProcessingError,
	"payment_method_customer_decline":        core.FailureCanceledByBuyer,
}

// declineCode is ours for the bank's or Stripe's reason. What the card's bank says
// counts before what Stripe calls it.
func declineCode(answer *stripesdk.Error) core.FailureCode {
	for _, code := range []string{string(answer.DeclineCode), string(answer.Code)} {
		if ours, ok := declines[code]; ok {
			return ours
		}
	}
	return core.FailureCardDeclined
}

// failure is why the last try to pay an intent did not work.
func failure(last *stripesdk.Error) *core.Failure {
	if last == nil {
		return nil
	}
	code := declineCode(last)
	if code == core.FailureCardDeclined && last.Type != stripesdk.ErrorTypeCard {
		code = core.FailureProcessingError // nobody declined anything
	}
	return core.NewFailure(code, foreignCode(last))
}
