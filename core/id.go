package core

import (
	"fmt"
	"strings"
)

// Ids are TypeIDs: a prefix that names the kind of thing, an underscore and 26
// characters of base32 that hold a UUID. Version 7 UUIDs make them sort by age.
//
// Source: the TypeID specification, version 0.3.
type (
	// CheckoutID names a [Checkout] ("chk_…"); empty means none.
	CheckoutID string
	// PaymentID names a [Payment] ("pay_…"); empty means none.
	PaymentID string
	// OperationID names an [Operation] ("op_…"); empty means none.
	OperationID string
	// InboundID names an [InboundEvent] ("evt_…"); empty means none.
	InboundID string
	// EventID names an [Event] of ours ("msg_…"); empty means none. It is the
	// webhook-id under which storefronts are notified.
	EventID string
	// CustomerID names a customer ("cus_…"); empty means none.
	CustomerID string
	// MethodID names a saved payment method ("pm_…"); empty means none.
	MethodID string
	// RefundID names a [Refund] ("ref_…"); empty means none.
	RefundID string
	// DisputeID names a [Dispute] ("dsp_…"); empty means none.
	DisputeID string
	// FileID names an [EvidenceFile] ("fil_…"); empty means none.
	FileID string
	// PriceID names a [Price] ("prc_…"); empty means none.
	PriceID string
	// SubscriptionID names a [Subscription] ("sub_…"); empty means none.
	SubscriptionID string
	// InvoiceID names an [Invoice] ("inv_…"); empty means none.
	InvoiceID string
	// APIKeyID names an [APIKey] ("key_…"); empty means none.
	APIKeyID string
	// StaffID names a [Staff] member ("usr_…"); empty means none.
	StaffID string
	// SessionID names a [Session] ("ses_…"); empty means none.
	SessionID string
	// EndpointID names a storefront's webhook endpoint ("whk_…"); empty means none.
	EndpointID string
	// NotificationID names a [Notification] ("ntf_…"); empty means none.
	NotificationID string
	// TimelineID names a [TimelineEntry] ("tml_…").
	TimelineID string
	// AuditID names an [AuditEntry] ("aud_…").
	AuditID string
	// ApprovalID names an [Approval] ("apr_…"); empty means none.
	ApprovalID string
)

func (CheckoutID) prefix() string     { return "chk" }
func (PaymentID) prefix() string      { return "pay" }
func (OperationID) prefix() string    { return "op" }
func (InboundID) prefix() string      { return "evt" }
func (EventID) prefix() string        { return "msg" }
func (CustomerID) prefix() string     { return "cus" }
func (MethodID) prefix() string       { return "pm" }
func (RefundID) prefix() string       { return "ref" }
func (DisputeID) prefix() string      { return "dsp" }
func (FileID) prefix() string         { return "fil" }
func (PriceID) prefix() string        { return "prc" }
func (SubscriptionID) prefix() string { return "sub" }
func (InvoiceID) prefix() string      { return "inv" }
func (APIKeyID) prefix() string       { return "key" }
func (StaffID) prefix() string        { return "usr" }
func (SessionID) prefix() string      { return "ses" }
func (EndpointID) prefix() string     { return "whk" }
func (NotificationID) prefix() string { return "ntf" }
func (TimelineID) prefix() string     { return "tml" }
func (AuditID) prefix() string        { return "aud" }
func (ApprovalID) prefix() string     { return "apr" }

// ID is any of the id types of this package.
type ID interface {
	~string
	prefix() string
}

const (
	idAlphabet     = "0123456789abcdefghjkmnpqrstvwxyz"
	idSuffixLength = 26 // characters that hold 128 bits, 5 a character
)

// NewID makes an id of type T from a UUID's 16 bytes.
func NewID[T ID](uuid [16]byte) T {
	var kind T
	var suffix [idSuffixLength]byte
	// 130 bits of text for 128 bits of UUID: the two spare bits lead and are zero.
	var acc uint32
	bits := 2
	at := 0
	for _, octet := range uuid {
		acc = acc<<8 | uint32(octet)
		bits += 8
		for bits >= 5 {
			bits -= 5
			suffix[at] = idAlphabet[acc>>bits&31]
			at++
		}
	}
	return T(kind.prefix() + "_" + string(suffix[:]))
}

// ParseID checks that text is a well-formed id of type T: the right prefix and 26
// characters of base32 that hold no more than 128 bits. The error says what is wrong
// and never repeats the text, which may be anything a stranger sent.
func ParseID[T ID](text string) (T, error) {
	var kind T
	suffix, ok := strings.CutPrefix(text, kind.prefix()+"_")
	if !ok {
		return "", fmt.Errorf("must start with %q", kind.prefix()+"_")
	}
	if len(suffix) != idSuffixLength {
		return "", fmt.Errorf("must have %d characters after %q", idSuffixLength, kind.prefix()+"_")
	}
	if suffix[0] > '7' {
		return "", fmt.Errorf("must hold 128 bits after %q", kind.prefix()+"_")
	}
	for i := range len(suffix) {
		if strings.IndexByte(idAlphabet, suffix[i]) < 0 {
			return "", fmt.Errorf("must have only characters of %q after %q", idAlphabet, kind.prefix()+"_")
		}
	}
	return T(text), nil
}
