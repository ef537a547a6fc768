package core

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Why an approval is not decided.
var (
	ErrApprovalOwn     = errors.New("approval is one's own")
	ErrApprovalDecided = errors.New("approval is decided")
	ErrApprovalExpired = errors.New("approval has expired")
)

// ApprovalKept is how long an approval may be decided. What nobody decided by then must be asked for anew.
const ApprovalKept = 7 * 24 * time.Hour

// ApprovalStatus is where an approval stands.
type ApprovalStatus string

// The statuses of an approval. ApprovalExpired is never stored: it follows from the time.
const (
	ApprovalPending  ApprovalStatus = "pending"
	ApprovalApproved ApprovalStatus = "approved"
	ApprovalRejected ApprovalStatus = "rejected"
	ApprovalExpired  ApprovalStatus = "expired"
)

// Known reports whether s is one of the statuses that are stored.
func (s ApprovalStatus) Known() bool {
	return slices.Contains([]ApprovalStatus{ApprovalPending, ApprovalApproved, ApprovalRejected}, s)
}

// Approval is a refund that one person asked for and a second must agree to. Its amount is not
// reserved: whether it is still there is seen when it is approved.
type Approval struct {
	ID          ApprovalID
	Version     int64 // grows by one with every stored change; 0 before the first
	Status      ApprovalStatus
	Payment     PaymentID
	Amount      Money
	Reason      RefundReason
	Note        string  // of who asked; may be empty
	AskedBy     StaffID // who may not decide it
	DecidedBy   StaffID // empty while nobody did
	Refund      RefundID
	RequestKey  RequestKey // of the call that asked; empty for none
	Environment Environment
	CreatedAt   time.Time
	ExpiresAt   time.Time
	DecidedAt   time.Time // zero while nobody did
}

// StatusAt is the status that an approval has at a time.
func (a Approval) StatusAt(now time.Time) ApprovalStatus {
	if a.Status == ApprovalPending && !now.Before(a.ExpiresAt) {
		return ApprovalExpired
	}
	return a.Status
}

// Decided is the approval after somebody's decision: [ErrApprovalDecided], [ErrApprovalExpired], or
// [ErrApprovalOwn] for who asked and wants to approve. Who asked may take it back, by rejecting it.
func (a Approval) Decided(status ApprovalStatus, by StaffID, now time.Time) (Approval, error) {
	switch {
	case a.Status != ApprovalPending:
		return a, ErrApprovalDecided
	case a.StatusAt(now) == ApprovalExpired:
		return a, ErrApprovalExpired
	case status == ApprovalApproved && by == a.AskedBy:
		return a, ErrApprovalOwn
	}
	a.Status, a.DecidedBy, a.DecidedAt = status, by, now
	return a, nil
}

// RefundLimits say above which amount a refund waits for a second person.
type RefundLimits struct {
	Each  map[Currency]int64 // minor units
	Other *int64             // of all other currencies; nil for no limit
}

// Above reports whether an amount is above its currency's limit.
func (l RefundLimits) Above(amount Money) bool {
	if limit, ok := l.Each[amount.Currency()]; ok {
		return amount.Minor() > limit
	}
	return l.Other != nil && amount.Minor() > *l.Other
}

// ParseRefundLimits reads a comma list of CURRENCY:MINOR, in which MINOR alone is for all others.
func ParseRefundLimits(text string) (limits RefundLimits, err error) {
	limits.Each = make(map[Currency]int64)
	for entry := range strings.SplitSeq(text, ",") {
		name, number, named := strings.Cut(strings.ReplaceAll(strings.TrimSpace(entry), "=", ":"), ":")
		if !named {
			name, number = "", name
		}
		minor, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || minor < 0 {
			return RefundLimits{}, fmt.Errorf("must be a comma list of CURRENCY:MINOR, with whole minor units, such as EUR:50000,JPY:80000")
		}
		if !named {
			limits.Other = &minor
			continue
		}
		currency, err := ParseCurrency(strings.ToUpper(strings.TrimSpace(name)))
		if err != nil {
			return RefundLimits{}, err
		}
		limits.Each[currency] = minor
	}
	return limits, nil
}
