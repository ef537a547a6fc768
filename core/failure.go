package core

import (
	"fmt"
	"time"
)

// FailureCode says why a payment did not work, in words that are stable across
// providers (contract 4.1).
type FailureCode string

// The failure codes.
const (
	FailureCardDeclined           FailureCode = "card_declined"
	FailureInsufficientFunds      FailureCode = "insufficient_funds"
	FailureExpiredCard            FailureCode = "expired_card"
	FailureIncorrectCVC           FailureCode = "incorrect_cvc"
	FailureAuthenticationRequired FailureCode = "authentication_required"
	FailureSuspectedFraud         FailureCode = "suspected_fraud"
	FailureProcessingError        FailureCode = "processing_error"
	FailureProviderUnavailable    FailureCode = "provider_unavailable"
	FailureInvalidRequest         FailureCode = "invalid_request"
	FailureCanceledByBuyer        FailureCode = "canceled_by_buyer"
	FailureRefundFailed           FailureCode = "refund_failed" // of refunds alone
)

// Failure is why an attempt to take money did not work.
type Failure struct {
	Code         FailureCode
	ProviderCode string // the provider's own code, for staff; may be empty
	Message      string // ours, fit for a buyer's eyes; tells a fraudster nothing
	Retryable    bool   // whether another try, perhaps with another card, makes sense
}

// NewFailure makes a failure with the message and the advice that go with its code.
func NewFailure(code FailureCode, providerCode string) *Failure {
	advice, ok := failureAdvice[code]
	if !ok {
		code, advice = FailureProcessingError, failureAdvice[FailureProcessingError]
	}
	return &Failure{Code: code, ProviderCode: providerCode, Message: advice.message, Retryable: advice.retryable}
}

// failureAdvice is what a buyer is told for each code. Suspected fraud reads as a plain
// decline on purpose.
var failureAdvice = map[FailureCode]struct {
	message   string
	retryable bool
}{
	FailureCardDeclined:           {"Your card was declined. Try another card or ask your bank.", true},
	FailureInsufficientFunds:      {"Your card does not have enough funds. Try another card.", true},
	FailureExpiredCard:            {"Your card has expired. Try another card.", true},
	FailureIncorrectCVC:           {"The security code is not right. Check it and try again.", true},
	FailureAuthenticationRequired: {"Your bank asks you to confirm this payment. Try again and follow its steps.", true},
	FailureSuspectedFraud:         {"Your card was declined. Try another card or ask your bank.", false},
	FailureProcessingError:        {"The payment could not be processed. Try again in a moment.", true},
	FailureProviderUnavailable:    {"The payment service cannot be reached. Try again in a moment.", true},
	FailureInvalidRequest:         {"This payment cannot be made. Ask the shop for help.", false},
	FailureCanceledByBuyer:        {"The payment was canceled.", true},
	FailureRefundFailed:           {"The money could not be given back to where it came from.", false},
}

// Class says what may be done after a provider call went wrong. The zero value is the
// careful one.
type Class uint8

// The classes of provider errors.
const (
	ClassUnknown   Class = iota // no usable answer: money may have moved; look, or send the same key again
	ClassDeclined               // a final no from the provider or the bank
	ClassRetryable              // refused before any effect: a limit, a refused connection
	ClassInvalid                // our request is wrong; repeating it cannot help
)

// String names the class for logs and metrics.
func (c Class) String() string {
	switch c {
	case ClassDeclined:
		return "declined"
	case ClassRetryable:
		return "retryable"
	case ClassInvalid:
		return "invalid"
	case ClassUnknown:
		return "unknown"
	}
	return "unknown"
}

// ProviderError is the only error a provider adapter returns from a call. It holds no
// secret and no card data.
type ProviderError struct {
	Class     Class
	Code      FailureCode // ours, stable; empty where the class says it all
	Foreign   string      // the provider's own code, for staff; may be empty
	Op        string      // "stripe_eu capture pi_1": the account, then what was tried
	RequestID string      // the provider's id of the call; empty where no answer came
	ObjectID  string      // the provider object the answer named; may be empty
	// RetryAfter is how long the provider asks to be left alone; 0 where it does not say.
	RetryAfter time.Duration
	Err        error // redacted cause; may be nil
}

// Error is one line for logs: what was tried, its class and the provider's code.
func (e *ProviderError) Error() string {
	text := fmt.Sprintf("%s: %s", e.Op, e.Class)
	if e.Foreign != "" {
		text += " (" + e.Foreign + ")"
	}
	if e.RequestID != "" {
		text += " [" + e.RequestID + "]"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the redacted cause.
func (e *ProviderError) Unwrap() error { return e.Err }

// Failure is what the error means for a payment; nil where the class is unknown, since
// then nobody can say that anything failed.
func (e *ProviderError) Failure() *Failure {
	if e.Class == ClassUnknown {
		return nil
	}
	code := e.Code
	if code == "" {
		switch e.Class {
		case ClassDeclined:
			code = FailureCardDeclined
		case ClassRetryable:
			code = FailureProviderUnavailable
		case ClassInvalid, ClassUnknown:
			code = FailureInvalidRequest
		}
	}
	return NewFailure(code, e.Foreign)
}
