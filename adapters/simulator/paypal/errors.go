package paypal

import "net/http"

// The names of errors.
//
// Source: developer.paypal.com/api/rest/responses.
const (
	nameInvalid       = "INVALID_REQUEST"
	nameUnauthorized  = "AUTHENTICATION_FAILURE"
	nameForbidden     = "NOT_AUTHORIZED"
	nameNotFound      = "RESOURCE_NOT_FOUND"
	nameConflict      = "RESOURCE_CONFLICT"
	nameUnprocessable = "UNPROCESSABLE_ENTITY"
	nameMediaType     = "UNSUPPORTED_MEDIA_TYPE"
	nameLimited       = "RATE_LIMIT_REACHED"
	nameInternal      = "INTERNAL_SERVER_ERROR"
)

// detail is one reason of an error.
type detail struct {
	Issue       string `json:"issue"`
	Description string `json:"description"`
	Field       string `json:"field,omitempty"`
	Location    string `json:"location,omitempty"` // body, path, query or header
}

// problem is the body of an error.
type problem struct {
	Name    string   `json:"name"`
	Message string   `json:"message"`
	DebugID string   `json:"debug_id"`
	Details []detail `json:"details,omitempty"`
	Links   []link   `json:"links"`
}

// tokenProblem is the body of an error that is about the access token.
type tokenProblem struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// result is an answer's status and object; no object is no body.
type result struct {
	status int
	object any
	// ref names what the call made or changed, "capture ID", so that a repeat under the same
	// request id can show it as it stands then. Empty for what is never remembered.
	ref string
}

var messages = map[string]string{
	nameInvalid:       "Request is not well-formed, syntactically incorrect, or violates schema.",
	nameUnauthorized:  "Authentication failed due to invalid authentication credentials or a missing Authorization header.",
	nameForbidden:     "Authorization failed due to insufficient permissions.",
	nameNotFound:      "The specified resource does not exist.",
	nameConflict:      "The server has detected a conflict while processing this request.",
	nameUnprocessable: "The requested action could not be performed, semantically incorrect, or failed business validation.",
	nameMediaType:     "The server does not support the request payload's media type.",
	nameLimited:       "Too many requests. Blocked due to rate limiting.",
	nameInternal:      "An internal server error has occurred.",
}

// descriptions say what an issue is about, in few words.
var descriptions = map[string]string{
	"ACCEPT_CLAIM_TYPE_NOT_ALLOWED":               "The dispute can only be accepted with a full refund.",
	"ACTION_DOES_NOT_MATCH_INTENT":                "The order was created with another intent than this call is for.",
	"ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE": "The dispute's state does not allow this action. Look at its links.",
	"AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE":     "The capture amount can not be greater than the current outstanding balance.",
	"AMOUNT_MISMATCH":                             "The amount is not the sum of its breakdown.",
	"AUTHORIZATION_ALREADY_CAPTURED":              "The authorization was captured already.",
	"AUTHORIZATION_AMOUNT_LIMIT_EXCEEDED":         "The amount is more than a reauthorization can be of.",
	"AUTHORIZATION_DENIED":                        "A denied authorization cannot be captured.",
	"AUTHORIZATION_EXPIRED":                       "An expired authorization cannot be captured.",
	"AUTHORIZATION_VOIDED":                        "A voided authorization cannot be captured or reauthorized.",
	"AUTH_CAPTURE_CURRENCY_MISMATCH":              "A capture must be in the currency of its authorization.",
	"AUTH_CURRENCY_MISMATCH":                      "A reauthorization must be in the currency of its authorization.",
	"CANNOT_BE_VOIDED":                            "An authorization in this status cannot be voided.",
	"CANNOT_BE_ZERO_OR_NEGATIVE":                  "The amount must be greater than zero.",
	"CAPTURE_FULLY_REFUNDED":                      "The capture was fully refunded already.",
	"CURRENCY_MISMATCH":                           "The currency code is different from the plan's currency code.",
	"DECIMALS_NOT_SUPPORTED":                      "The currency does not support decimals.",
	"DECIMAL_PRECISION":                           "The currency supports two decimal places.",
	"DUPLICATE_INVOICE_ID":                        "The invoice id was used already. Possible duplicate transaction.",
	"DUPLICATE_REFERENCE_ID":                      "The reference_id must be unique among the purchase units.",
	"DUPLICATE_REQUEST_ID":                        "The value of the PayPal-Request-Id header was used already, for another request.",
	"DUPLICATE_RESOURCE_IDENTIFIER":               "The id is used already.",
	"EMPTY_FILE":                                  "The file is empty.",
	"FILE_SIZE_LIMIT_EXCEEDED":                    "The file is too large.",
	"INSTRUMENT_DECLINED":                         "The instrument presented was either declined by the processor or bank, or it can't be used for this payment.",
	"INVALID_ARRAY_MAX_ITEMS":                     "The number of items in an array is too large.",
	"INVALID_ARRAY_MIN_ITEMS":                     "The number of items in an array is too small.",
	"INVALID_BILLING_CYCLE_SEQUENCE":              "The provided billing cycle sequence is not available.",
	"INVALID_CURRENCY_CODE":                       "The currency code is invalid or not supported.",
	"INVALID_INTEGER_MAX_VALUE":                   "The integer value of a field is too large.",
	"INVALID_INTEGER_MIN_VALUE":                   "The integer value of a field is too small.",
	"INVALID_PARAMETER":                           "The simulator does not know this field.",
	"INVALID_PARAMETER_SYNTAX":                    "The value of a field does not conform to the expected format.",
	"INVALID_PARAMETER_VALUE":                     "The value of a field is invalid.",
	"INVALID_RESOURCE_ID":                         "Specified resource ID does not exist. Please check the resource ID and try again.",
	"INVALID_SETUP_TOKEN_STATUS":                  "The setup token was not approved by its buyer, or was used already.",
	"INVALID_STRING_LENGTH":                       "The value of a field is either too short or too long.",
	"INVALID_TRIAL_TENURE":                        "A trial must have an end.",
	"ITEM_TOTAL_MISMATCH":                         "The item_total is not the sum of the items.",
	"ITEM_TOTAL_REQUIRED":                         "Items need an item_total in the breakdown of the amount.",
	"MALFORMED_REQUEST_JSON":                      "The request JSON is not well formed.",
	"MAX_CAPTURE_AMOUNT_EXCEEDED":                 "The capture amount exceeds the allowable limit.",
	"MAX_CAPTURE_COUNT_EXCEEDED":                  "The authorization was captured as often as it can be.",
	"MISSING_REQUIRED_PARAMETER":                  "A required field / parameter is missing.",
	"MULTI_CURRENCY_ORDER":                        "All purchase units must be in one currency.",
	"ORDER_ALREADY_AUTHORIZED":                    "The order was authorized already.",
	"ORDER_ALREADY_CAPTURED":                      "The order was captured already.",
	"ORDER_NOT_APPROVED":                          "Payer has not yet approved the Order for payment. Please redirect the payer to the 'rel':'approve' url.",
	"PAYER_ACTION_REQUIRED":                       "The payer must act first. Redirect the payer to the 'rel':'payer-action' url.",
	"PAYPAL_REQUEST_ID_REQUIRED":                  "A PayPal-Request-Id is required for an order with a payment_source.",
	"PENDING_CAPTURE":                             "A pending capture cannot be refunded.",
	"PERMISSION_DENIED":                           "You do not have permission to access or perform operations on this resource.",
	"PLAN_PRODUCT_NOT_COMPATIBLE":                 "The old and the new plans should be for the same product.",
	"PLAN_STATUS_INVALID":                         "The plan's status does not allow this action.",
	"PREVIOUSLY_CAPTURED":                         "The authorization was captured already and hence cannot be voided.",
	"PREVIOUSLY_VOIDED":                           "The authorization was voided already and hence cannot be voided again.",
	"PREVIOUS_REQUEST_IN_PROGRESS":                "A previous request on this resource is currently in progress. Please wait for some time and try again.",
	"QUANTITY_NOT_SUPPORTED":                      "The plan does not support a quantity.",
	"REAUTHORIZATION_NOT_ALLOWED":                 "The authorization cannot be reauthorized any more.",
	"REAUTHORIZATION_TOO_SOON":                    "A reauthorization is only allowed once from Day 4 to Day 29 since the date of the original authorization.",
	"REFUND_AMOUNT_EXCEEDED":                      "The refund amount must be at most what of the capture has not been refunded yet.",
	"REFUND_AMOUNT_NOT_ALLOWED":                   "The amount must be the disputed one.",
	"REFUND_CAPTURE_CURRENCY_MISMATCH":            "A refund must be in the currency of its capture.",
	"REFUND_NOT_ALLOWED":                          "The capture cannot be refunded.",
	"REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK":      "The capture cannot be refunded because of a chargeback.",
	"REFUND_TIME_LIMIT_EXCEEDED":                  "The capture is too old to be refunded.",
	"SUBSCRIPTION_CANNOT_BE_ACTIVATED":            "Subscription cannot be activated after payment failure threshold has reached.",
	"SUBSCRIPTION_STATUS_INVALID":                 "The subscription's status does not allow this action.",
	"TRANSACTION_DISPUTED":                        "The capture cannot be refunded in part while a case is open.",
	"TRANSACTION_REFUSED":                         "PayPal's internal controls prevent the authorization from being captured.",
	"TRIAL_BILLING_CYCLES_LIMIT_EXCEEDED":         "A plan can have two trials at most.",
	"UNSUPPORTED_FILE_TYPE":                       "The file must be a JPEG, PNG, GIF or PDF.",
	"VALIDATION_ERROR":                            "The card is not valid in this field.",
	"ZERO_OUTSTANDING_BALANCE":                    "Current outstanding balance should be greater than zero.",
}

// created says what was made; it is shown as it stands when the call is over.
func created(ref string) result { return result{status: http.StatusCreated, ref: ref} }

func done(object any) result { return result{status: http.StatusOK, object: object} }

// refused is an error by its name.
func refused(status int, name string, details ...detail) result {
	return result{status: status, object: problem{Name: name, Message: messages[name], Details: details, Links: []link{}}}
}

// invalid refuses a request for its form.
func invalid(details ...detail) result {
	for i, one := range details {
		details[i].Description = descriptions[one.Issue]
	}
	return refused(http.StatusBadRequest, nameInvalid, details...)
}

// unprocessable refuses a request for what it says, or for the state of what it is about.
func unprocessable(issue, field string, links ...link) result {
	one := detail{Issue: issue, Description: descriptions[issue]}
	if field != "" {
		one.Field, one.Location = field, "body"
	}
	return result{status: http.StatusUnprocessableEntity, object: problem{
		Name: nameUnprocessable, Message: messages[nameUnprocessable], Details: []detail{one}, Links: append([]link{}, links...),
	}}
}

// notFound answers for an object of the path that there is not.
func notFound() result {
	return refused(http.StatusNotFound, nameNotFound, detail{
		Issue: "INVALID_RESOURCE_ID", Description: descriptions["INVALID_RESOURCE_ID"], Field: "id", Location: "path",
	})
}

// missing answers for an object of the body that there is not.
func missing(field string) result {
	return refused(http.StatusNotFound, nameNotFound, detail{
		Issue: "INVALID_RESOURCE_ID", Description: descriptions["INVALID_RESOURCE_ID"], Field: field, Location: "body",
	})
}

// conflict answers for a request that runs already.
func conflict() result {
	return refused(http.StatusConflict, nameConflict, detail{Issue: "PREVIOUS_REQUEST_IN_PROGRESS", Description: descriptions["PREVIOUS_REQUEST_IN_PROGRESS"]})
}

func tokenRefused(status int, code, description string) result {
	return result{status: status, object: tokenProblem{Error: code, Description: description}}
}
