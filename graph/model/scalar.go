package model

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
)

// timeLayout is RFC 3339 in UTC, always with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// InputError says what is wrong with a value that the caller sent. The text is for the
// caller and never repeats the value.
type InputError struct{ Problem string }

// Error is the problem.
func (e *InputError) Error() string { return e.Problem }

func invalid(format string, args ...any) error {
	return &InputError{Problem: fmt.Sprintf(format, args...)}
}

// text writes a string, and null for an empty one.
func text(value string) graphql.Marshaler {
	if value == "" {
		return graphql.Null
	}
	return graphql.MarshalString(value)
}

func readText[T ~string](value any) (T, error) {
	read, err := graphql.UnmarshalString(value)
	if err != nil {
		return "", invalid("must be a string")
	}
	return T(read), nil
}

// MarshalInt writes a 32-bit number.
func MarshalInt(value int) graphql.Marshaler { return graphql.MarshalInt(value) }

// UnmarshalInt reads a 32-bit number.
func UnmarshalInt(value any) (int, error) {
	read, err := graphql.UnmarshalInt64(value)
	if err != nil || read < math.MinInt32 || read > math.MaxInt32 {
		return 0, invalid("must be a whole number of 32 bits")
	}
	return int(read), nil
}

// MarshalInt64 writes a number.
func MarshalInt64(value int64) graphql.Marshaler { return graphql.MarshalInt64(value) }

// UnmarshalInt64 reads a number.
func UnmarshalInt64(value any) (int64, error) {
	read, err := graphql.UnmarshalInt64(value)
	if err != nil {
		return 0, invalid("must be a whole number of 64 bits")
	}
	return read, nil
}

// MarshalDateTime writes a time in UTC with microseconds, and null for the zero time.
func MarshalDateTime(at time.Time) graphql.Marshaler {
	if at.IsZero() {
		return graphql.Null
	}
	return graphql.MarshalString(at.UTC().Format(timeLayout))
}

// UnmarshalDateTime reads RFC 3339.
func UnmarshalDateTime(value any) (time.Time, error) {
	read, ok := value.(string)
	if !ok {
		return time.Time{}, invalid("must be a time as RFC 3339 writes it")
	}
	at, err := time.Parse(time.RFC3339Nano, read)
	if err != nil {
		return time.Time{}, invalid("must be a time as RFC 3339 writes it, for example 2026-01-31T09:30:00Z")
	}
	return at.UTC(), nil
}

// MarshalMetadata writes an object of texts.
func MarshalMetadata(values map[string]string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		written, err := json.Marshal(values)
		if err != nil {
			written = []byte("{}") // texts and no more: there is nothing that could fail
		}
		_, _ = w.Write(written)
	})
}

// UnmarshalMetadata reads an object of texts.
func UnmarshalMetadata(value any) (map[string]string, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, invalid("must be an object")
	}
	values := make(map[string]string, len(object))
	for key, value := range object {
		if values[key], ok = value.(string); !ok {
			return nil, invalid("must be an object whose values are strings")
		}
	}
	return values, nil
}

// Ids are written as they are: each is unique over all types. An empty one is null.

// MarshalCheckoutID writes an id.
func MarshalCheckoutID(id core.CheckoutID) graphql.Marshaler { return text(string(id)) }

// UnmarshalCheckoutID reads an id.
func UnmarshalCheckoutID(value any) (core.CheckoutID, error) { return readID[core.CheckoutID](value) }

// MarshalPaymentID writes an id.
func MarshalPaymentID(id core.PaymentID) graphql.Marshaler { return text(string(id)) }

// UnmarshalPaymentID reads an id.
func UnmarshalPaymentID(value any) (core.PaymentID, error) { return readID[core.PaymentID](value) }

// MarshalOperationID writes an id.
func MarshalOperationID(id core.OperationID) graphql.Marshaler { return text(string(id)) }

// UnmarshalOperationID reads an id.
func UnmarshalOperationID(value any) (core.OperationID, error) {
	return readID[core.OperationID](value)
}

// MarshalCustomerID writes an id.
func MarshalCustomerID(id core.CustomerID) graphql.Marshaler { return text(string(id)) }

// UnmarshalCustomerID reads an id.
func UnmarshalCustomerID(value any) (core.CustomerID, error) { return readID[core.CustomerID](value) }

// MarshalMethodID writes an id.
func MarshalMethodID(id core.MethodID) graphql.Marshaler { return text(string(id)) }

// UnmarshalMethodID reads an id.
func UnmarshalMethodID(value any) (core.MethodID, error) { return readID[core.MethodID](value) }

// MarshalInboundID writes an id.
func MarshalInboundID(id core.InboundID) graphql.Marshaler { return text(string(id)) }

// UnmarshalInboundID reads an id.
func UnmarshalInboundID(value any) (core.InboundID, error) { return readID[core.InboundID](value) }

// MarshalStaffID writes an id.
func MarshalStaffID(id core.StaffID) graphql.Marshaler { return text(string(id)) }

// UnmarshalStaffID reads an id.
func UnmarshalStaffID(value any) (core.StaffID, error) { return readID[core.StaffID](value) }

// MarshalSessionID writes an id.
func MarshalSessionID(id core.SessionID) graphql.Marshaler { return text(string(id)) }

// UnmarshalSessionID reads an id.
func UnmarshalSessionID(value any) (core.SessionID, error) { return readID[core.SessionID](value) }

// MarshalAPIKeyID writes an id.
func MarshalAPIKeyID(id core.APIKeyID) graphql.Marshaler { return text(string(id)) }

// UnmarshalAPIKeyID reads an id.
func UnmarshalAPIKeyID(value any) (core.APIKeyID, error) { return readID[core.APIKeyID](value) }

// MarshalTimelineID writes an id.
func MarshalTimelineID(id core.TimelineID) graphql.Marshaler { return text(string(id)) }

// UnmarshalTimelineID reads an id.
func UnmarshalTimelineID(value any) (core.TimelineID, error) { return readID[core.TimelineID](value) }

func readID[T core.ID](value any) (T, error) {
	read, err := readText[T](value)
	if err != nil {
		return "", err
	}
	id, err := core.ParseID[T](string(read))
	if err != nil {
		return "", invalid("%s", err.Error())
	}
	return id, nil
}

// MarshalAccountName writes a name.
func MarshalAccountName(name core.AccountName) graphql.Marshaler { return text(string(name)) }

// UnmarshalAccountName reads a name.
func UnmarshalAccountName(value any) (core.AccountName, error) {
	return readText[core.AccountName](value)
}

// MarshalProviderName writes a name.
func MarshalProviderName(name core.ProviderName) graphql.Marshaler { return text(string(name)) }

// UnmarshalProviderName reads a name.
func UnmarshalProviderName(value any) (core.ProviderName, error) {
	return readText[core.ProviderName](value)
}

// MarshalCurrency writes a code.
func MarshalCurrency(code core.Currency) graphql.Marshaler { return text(string(code)) }

// UnmarshalCurrency reads a code.
func UnmarshalCurrency(value any) (core.Currency, error) {
	read, err := readText[string](value)
	if err != nil {
		return "", err
	}
	currency, err := core.ParseCurrency(read)
	if err != nil {
		return "", invalid("must be an ISO 4217 code")
	}
	return currency, nil
}

// MarshalReason writes a reason, and null for none.
func MarshalReason(reason core.Reason) graphql.Marshaler { return text(string(reason)) }

// UnmarshalReason reads a reason.
func UnmarshalReason(value any) (core.Reason, error) { return readText[core.Reason](value) }

// quoted is for names that need no escaping.
func quoted(name string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(name)) })
}

// MarshalRefundID writes an id.
func MarshalRefundID(id core.RefundID) graphql.Marshaler { return text(string(id)) }

// UnmarshalRefundID reads an id.
func UnmarshalRefundID(value any) (core.RefundID, error) { return readID[core.RefundID](value) }

// MarshalApprovalID writes an id.
func MarshalApprovalID(id core.ApprovalID) graphql.Marshaler { return text(string(id)) }

// UnmarshalApprovalID reads an id.
func UnmarshalApprovalID(value any) (core.ApprovalID, error) { return readID[core.ApprovalID](value) }

// MarshalDisputeID writes an id.
func MarshalDisputeID(id core.DisputeID) graphql.Marshaler { return text(string(id)) }

// UnmarshalDisputeID reads an id.
func UnmarshalDisputeID(value any) (core.DisputeID, error) { return readID[core.DisputeID](value) }

// MarshalSubscriptionID writes an id.
func MarshalSubscriptionID(id core.SubscriptionID) graphql.Marshaler { return text(string(id)) }

// UnmarshalSubscriptionID reads an id.
func UnmarshalSubscriptionID(value any) (core.SubscriptionID, error) {
	return readID[core.SubscriptionID](value)
}

// MarshalInvoiceID writes an id.
func MarshalInvoiceID(id core.InvoiceID) graphql.Marshaler { return text(string(id)) }

// UnmarshalInvoiceID reads an id.
func UnmarshalInvoiceID(value any) (core.InvoiceID, error) { return readID[core.InvoiceID](value) }

// MarshalPriceID writes an id.
func MarshalPriceID(id core.PriceID) graphql.Marshaler { return text(string(id)) }

// UnmarshalPriceID reads an id.
func UnmarshalPriceID(value any) (core.PriceID, error) { return readID[core.PriceID](value) }

// MarshalFileID writes an id.
func MarshalFileID(id core.FileID) graphql.Marshaler { return text(string(id)) }

// UnmarshalFileID reads an id.
func UnmarshalFileID(value any) (core.FileID, error) { return readID[core.FileID](value) }

// MarshalAuditID writes an id.
func MarshalAuditID(id core.AuditID) graphql.Marshaler { return text(string(id)) }

// UnmarshalAuditID reads an id.
func UnmarshalAuditID(value any) (core.AuditID, error) { return readID[core.AuditID](value) }
