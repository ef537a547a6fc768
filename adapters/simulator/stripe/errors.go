package stripe

import "net/http"

// The types of errors.
//
// Source: docs.stripe.com/api/errors.
const (
	typeInvalidRequest = "invalid_request_error"
	typeCard           = "card_error"
	typeIdempotency    = "idempotency_error"
	typeAPI            = "api_error"
)

// apiError is the inside of an error's body.
type apiError struct {
	Type          string         `json:"type"`
	Code          string         `json:"code,omitempty"`
	DeclineCode   string         `json:"decline_code,omitempty"`
	Message       string         `json:"message"`
	Param         string         `json:"param,omitempty"`
	Charge        string         `json:"charge,omitempty"`
	DocURL        string         `json:"doc_url,omitempty"`
	PaymentIntent *intent        `json:"payment_intent,omitempty"`
	PaymentMethod *paymentMethod `json:"payment_method,omitempty"`
	SetupIntent   *setup         `json:"setup_intent,omitempty"`
}

type errorBody struct {
	Error apiError `json:"error"`
}

// result is an answer's status and object; the object of an error is an errorBody.
type result struct {
	status int
	object any
	// released says that the call was refused before its work began, so that its
	// idempotency key stays free.
	released bool
}

func done(object any) result { return result{status: http.StatusOK, object: object} }

// failed is an error of a call whose work had begun. Under an idempotency key it is
// given again for as long as the key is kept.
func failed(status int, e apiError) result {
	if e.Code != "" {
		e.DocURL = "https://stripe.com/docs/error-codes/" + e.Code
	}
	return result{status: status, object: errorBody{e}}
}

// refused is an error of a call that never began, for its parameters or its caller.
func refused(status int, e apiError) result {
	out := failed(status, e)
	out.released = true
	return out
}

// invalid refuses a parameter.
func invalid(code, param, message string) result {
	return refused(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Code: code, Param: param, Message: message})
}

func missingParam(name string) result {
	return invalid("parameter_missing", name, "Missing required param: "+name+".")
}

func invalidInteger(name string) result {
	return invalid("parameter_invalid_integer", name, "Invalid integer: "+name)
}

// notFound answers for an object of the path that there is not.
func notFound(kind, param, id string) result {
	return failed(http.StatusNotFound, apiError{Type: typeInvalidRequest, Code: "resource_missing", Param: param, Message: "No such " + kind + ": '" + id + "'"})
}
