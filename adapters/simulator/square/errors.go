package square

import "net/http"

// The categories of errors.
//
// Source: developer.squareup.com/reference/square/enums/ErrorCategory.
const (
	apiTrouble     = "API_ERROR"
	authentication = "AUTHENTICATION_ERROR"
	invalidRequest = "INVALID_REQUEST_ERROR"
	rateLimit      = "RATE_LIMIT_ERROR"
	methodTrouble  = "PAYMENT_METHOD_ERROR"
	refundTrouble  = "REFUND_ERROR"
)

// errorsMax bounds the errors of one answer.
const errorsMax = 20

// apiError is one of an answer's errors.
//
// Source: developer.squareup.com/reference/square/objects/Error.
type apiError struct {
	Category string `json:"category"`
	Code     string `json:"code"`
	Detail   string `json:"detail,omitempty"`
	Field    string `json:"field,omitempty"`
}

// errorBody is an answer that is no success. A payment that was declined stands beside its
// errors.
type errorBody struct {
	Errors  []apiError `json:"errors"`
	Payment any        `json:"payment,omitempty"`
}

// result is an answer's status and object; the object of an error is an errorBody.
type result struct {
	status int
	object any
	// released says that the call was refused before its work began, so that its
	// idempotency key stays free.
	released bool
}

// done answers with one object under its name.
func done(name string, object any) result {
	return result{status: http.StatusOK, object: map[string]any{name: object}}
}

// failed is an error of a call whose work had begun. Under an idempotency key it is given
// again for as long as the key is kept.
func failed(status int, errors ...apiError) result {
	return result{status: status, object: errorBody{Errors: errors[:min(len(errors), errorsMax)]}}
}

// refused is an error of a call that never began, for its fields or its caller.
func refused(status int, errors ...apiError) result {
	out := failed(status, errors...)
	out.released = true
	return out
}

// invalid refuses a field.
func invalid(code, field, detail string) result {
	return refused(http.StatusBadRequest, invalidField(code, field, detail))
}

func invalidField(code, field, detail string) apiError {
	return apiError{Category: invalidRequest, Code: code, Field: field, Detail: detail}
}

// notAllowed answers a call that the object's state does not allow.
func notAllowed(category, code, detail string) result {
	return failed(http.StatusBadRequest, apiError{Category: category, Code: code, Detail: detail})
}

// notFound answers for an object that there is not. field is the one that names it; empty
// for the address.
func notFound(what, id, field string) result {
	return failed(http.StatusNotFound, apiError{Category: invalidRequest, Code: "NOT_FOUND", Field: field, Detail: "Could not find " + what + " with id: " + clip(id)})
}

// toldCharsMax bounds what is told back of a request.
const toldCharsMax = 200

func clip(text string) string { return text[:min(len(text), toldCharsMax)] }
