package httpapi

import (
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// houseStyle makes sure that the library's settings are made once.
var houseStyle sync.Once

// useHouseStyle has huma's own refusals take the form of all others here, and has it read
// names to the letter. These are settings for the whole program; every handler here wants
// the same ones.
func useHouseStyle() {
	houseStyle.Do(func() {
		huma.NewError = libraryProblem
		// Otherwise "Reference" passes for "reference", and wins where both are sent.
		huma.ValidateStrictCasing = true
		huma.DefaultArrayNullable = false
		validation.MsgUnexpectedProperty = "is not a field of this call; leave it out"
		validation.MsgExpectedBoolean = "must be true or false"
		validation.MsgExpectedNumber = "must be a number"
		validation.MsgExpectedInteger = "must be a whole number, not text and without a fraction"
		validation.MsgExpectedString = "must be a text"
		validation.MsgExpectedArray = "must be a list"
		validation.MsgExpectedObject = "must be an object"
		validation.MsgExpectedOneOf = "must be one of %s"
		validation.MsgExpectedMinimumNumber = "must be at least %v"
		validation.MsgExpectedMaximumNumber = "must be at most %v"
		validation.MsgExpectedMinLength = "must have %d or more characters"
		validation.MsgExpectedMaxLength = "must have %d or fewer characters"
		validation.MsgExpectedMinItems = "must have %d or more items"
		validation.MsgExpectedMaxItems = "must have %d or fewer items"
		validation.MsgExpectedRequiredProperty = requiredBefore + "%s" + requiredAfter
	})
}

// What stands around the name of a missing field in the library's message, so that the
// field can be named as all others are.
const (
	requiredBefore = "needs the field "
	requiredAfter  = " that is missing"
)

// libraryProblem is the answer to what huma refuses by itself. Its details repeat the
// value that was sent, and some of its messages do; both stay out.
func libraryProblem(status int, _ string, errs ...error) huma.StatusError {
	switch {
	case status >= http.StatusInternalServerError:
		return internalError
	case status == http.StatusUnsupportedMediaType:
		return unsupported
	}
	var fields []FieldError
	for _, err := range errs {
		if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			fields = append(fields, mendable(detail))
		}
	}
	if len(fields) == 0 {
		fields = []FieldError{{Location: "body", Message: "must be an object with the fields of this call"}}
	}
	p := invalidFields(fields...)
	p.Status, p.Title = status, http.StatusText(status)
	return p
}

// mendable says what is wrong with a field in words of ours.
func mendable(detail *huma.ErrorDetail) FieldError {
	field := FieldError{Location: detail.Location, Message: detail.Message}
	if name, ok := strings.CutPrefix(detail.Message, requiredBefore); ok {
		name, _ = strings.CutSuffix(name, requiredAfter)
		return FieldError{Location: detail.Location + "." + name, Message: "is required"}
	}
	switch {
	case strings.HasPrefix(detail.Message, "json:"):
		field.Message = "must have the form that this call takes"
	case strings.HasPrefix(detail.Message, "invalid integer"):
		field.Message = "must be a whole number"
	case strings.HasPrefix(detail.Message, "invalid date/time"):
		field.Message = "must be an RFC 3339 time, for example 2026-11-23T10:11:12Z"
	case detail.Message == "unknown query parameter":
		field.Message = "is not a parameter of this call; leave it out"
	}
	return field
}
