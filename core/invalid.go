package core

import "strings"

// FieldError says what is wrong with one field of a request, and how to mend it.
type FieldError struct {
	Field   string // path with dots and indexes: "line_items[0].amount"
	Message string // never repeats the value
}

// InvalidError refuses a request because of its fields. Nothing was stored.
type InvalidError struct {
	Fields []FieldError // never empty
}

// Error is one line that names every field.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		lines[i] = f.Field + " " + f.Message
	}
	return strings.Join(lines, "; ")
}

// RefusedError is a definite no from a provider to something that was asked of it.
type RefusedError struct {
	Failure Failure
}

// Error is one line for logs.
func (e *RefusedError) Error() string {
	return "refused by the provider: " + string(e.Failure.Code) + " (" + e.Failure.ProviderCode + ")"
}
