package square

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The statuses of a payment.
//
// Source: developer.squareup.com/docs/payments-api/take-payments.
const (
	approved  = "APPROVED"
	pending   = "PENDING"
	completed = "COMPLETED"
	canceled  = "CANCELED"
	lost      = "FAILED"
)

const (
	delayDefault   = "P7D" // of payments online
	delayLeast     = time.Minute
	delayMost      = 7 * 24 * time.Hour // a bank holds money no longer
	keyCharsMax    = 45
	idCharsMax     = 192
	emailCharsMax  = 255
	noteCharsMax   = 500
	editAmountDown = "EDIT_AMOUNT_DOWN"
	entryKeyed     = "KEYED"
	entryOnFile    = "ON_FILE"
)

// Amounts at which the bank finds a payment risky.
//
// Source: developer.squareup.com/docs/devtools/sandbox/payments.
var risks = map[int64]string{2222: "MODERATE", 3333: "HIGH"}

var addressShape = shape{kind: object, of: fields{
	"address_line_1": {kind: text}, "address_line_2": {kind: text}, "address_line_3": {kind: text}, "locality": {kind: text}, "sublocality": {kind: text},
	"administrative_district_level_1": {kind: text}, "postal_code": {kind: text}, "country": {kind: text, least: 2, most: 2},
	"first_name": {kind: text}, "last_name": {kind: text},
}}

var createPaymentBody = fields{
	"source_id": needed(upTo(idCharsMax)), "idempotency_key": needed(upTo(keyCharsMax)), "amount_money": needed(moneyShape),
	"delay_duration": {kind: text}, "delay_action": {kind: text, words: []string{"CANCEL", "COMPLETE"}}, "autocomplete": {kind: boolean},
	"order_id": upTo(idCharsMax), "customer_id": upTo(191), "location_id": upTo(50), "reference_id": {kind: text, most: 40},
	"verification_token": {kind: text}, "accept_partial_authorization": {kind: boolean}, "buyer_email_address": {kind: text, most: emailCharsMax},
	"buyer_phone_number": {kind: text}, "billing_address": addressShape, "shipping_address": addressShape, "note": {kind: text, most: noteCharsMax},
	"statement_description_identifier": {kind: text, most: 20},
	"customer_details":                 {kind: object, of: fields{"customer_initiated": {kind: boolean}, "seller_keyed_in": {kind: boolean}}},
	"tip_money":                        {kind: unsupported}, "app_fee_money": {kind: unsupported}, "team_member_id": {kind: unsupported},
	"cash_details": {kind: unsupported}, "external_details": {kind: unsupported}, "offline_payment_details": {kind: unsupported},
}

var updatePaymentBody = fields{
	"idempotency_key": needed(upTo(keyCharsMax)),
	"payment": needed(shape{kind: object, of: fields{
		"amount_money": moneyShape, "version_token": {kind: text}, "tip_money": {kind: unsupported}, "approved_money": {kind: unsupported},
	}}),
}

var (
	completePaymentBody = fields{"version_token": {kind: text}}
	cancelByKeyBody     = fields{"idempotency_key": needed(upTo(keyCharsMax))}
)

// newPayment is what a payment is made of.
type newPayment struct {
	SourceID          string `json:"source_id"`
	AmountMoney       money  `json:"amount_money"`
	DelayDuration     string `json:"delay_duration"`
	DelayAction       string `json:"delay_action"`
	Autocomplete      *bool  `json:"autocomplete"`
	OrderID           string `json:"order_id"`
	CustomerID        string `json:"customer_id"`
	LocationID        string `json:"location_id"`
	ReferenceID       string `json:"reference_id"`
	VerificationToken string `json:"verification_token"`
	BuyerEmailAddress string `json:"buyer_email_address"`
	Note              string `json:"note"`
	Statement         string `json:"statement_description_identifier"`
	CustomerDetails   struct {
		CustomerInitiated *bool `json:"customer_initiated"` // nil for not said
	} `json:"customer_details"`
}

// createPayment charges a source.
//
// Source: POST /v2/payments.
func (s *Server) createPayment(in *request) result {
	var given newPayment
	in.into(&given)
	if bad := s.checkNew(&given); bad != nil {
		return *bad
	}
	delay, ok := parseDelay(given.DelayDuration)
	if !ok {
		return invalid("INVALID_VALUE", "delay_duration", "The delay must be an ISO 8601 duration from one minute to seven days.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	bill, bad := s.billFor(given)
	if bad != nil {
		return *bad
	}
	made := s.newPayment(given, delay, in.key)
	with, acts, bad := s.sourceOf(given, made)
	if bad != nil {
		return *bad
	}
	if bill == nil {
		bill = s.newOrder(order{LocationID: s.LocationID, TotalMoney: given.AmountMoney, single: true})
	}
	return s.pay(made, bill, with, acts)
}

// checkNew refuses what can be told to be wrong from the fields alone.
func (s *Server) checkNew(given *newPayment) *result {
	if given.LocationID != "" && given.LocationID != s.LocationID {
		return new(invalid("INVALID_LOCATION", "location_id", "Not authorized to take payments with location_id="+clip(given.LocationID)))
	}
	if given.BuyerEmailAddress != "" && !strings.Contains(given.BuyerEmailAddress, "@") {
		return new(invalid("INVALID_EMAIL_ADDRESS", "buyer_email_address", "The email address is not valid."))
	}
	return checkMoney("amount_money", given.AmountMoney)
}

var delayPattern = regexp.MustCompile(`^P(?:(\d{1,3})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$`)

// parseDelay reads an ISO 8601 duration; the default one where it is empty.
func parseDelay(said string) (time.Duration, bool) {
	if said == "" {
		said = delayDefault
	}
	parts := delayPattern.FindStringSubmatch(said)
	if parts == nil {
		return 0, false
	}
	var delay time.Duration
	for n, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		count, _ := strconv.Atoi(parts[n+1]) // digits alone, or nothing
		delay += time.Duration(count) * unit
	}
	return delay, delay >= delayLeast && delay <= delayMost
}

// billFor is the order that a payment is for; nil where it names none. The caller holds mu.
func (s *Server) billFor(given newPayment) (*order, *result) {
	if given.OrderID == "" {
		return nil, nil //nolint:nilnil // no order was named
	}
	bill, ok := s.orders.Get(given.OrderID)
	switch {
	case !ok:
		return nil, new(notFound("order", given.OrderID, "order_id"))
	case !s.payableOrder(bill):
		return nil, new(notAllowed(invalidRequest, "BAD_REQUEST", "The order is already paid, being paid or canceled."))
	case bill.TotalMoney != given.AmountMoney:
		return nil, new(invalid("PAYMENT_AMOUNT_MISMATCH", "amount_money", "The payment total does not match the order total."))
	}
	return bill, nil
}

// newPayment makes a payment that was not tried yet. The caller holds mu.
func (s *Server) newPayment(given newPayment, delay time.Duration, key string) *payment {
	now := s.now()
	made := &payment{
		ID: s.newID("PAY"), CreatedAt: stamp(now), AmountMoney: given.AmountMoney, TotalMoney: given.AmountMoney,
		LocationID: s.LocationID, ReferenceID: given.ReferenceID, CustomerID: given.CustomerID, BuyerEmailAddress: given.BuyerEmailAddress,
		Note: given.Note, Statement: given.Statement, Application: map[string]any{"square_product": "ECOMMERCE_API", "application_id": s.ApplicationID},
		DelayDuration: given.DelayDuration, DelayAction: given.DelayAction, DelayedUntil: stamp(now.Add(delay)),
		created: now, delayedUntil: now.Add(delay), key: key, autocomplete: given.Autocomplete == nil || *given.Autocomplete, entry: entryKeyed,
	}
	if made.DelayDuration == "" {
		made.DelayDuration = delayDefault
	}
	if made.DelayAction == "" {
		made.DelayAction = "CANCEL"
	}
	return made
}

// touch gives a payment that changes its new version. The caller holds mu.
func (s *Server) touch(p *payment) {
	p.updated, p.VersionToken = s.now(), rand.Text()
	p.UpdatedAt = stamp(p.updated)
}

// pay tries a payment for an order. with is nil for a bank account. The caller holds mu.
func (s *Server) pay(p *payment, bill *order, with *card, acts behavior) result {
	p.OrderID, p.behavior, p.SourceType, bill.by = bill.ID, acts, "CARD", p
	s.payments.Put(p.ID, p)
	if acts.bank {
		p.SourceType, p.Status = "BANK_ACCOUNT", pending
		p.BankDetails = map[string]any{"bank_name": "Simulated Bank", "transfer_type": "ACH", "account_ownership_type": "INDIVIDUAL", "country": "US"}
		p.DelayDuration, p.DelayAction, p.DelayedUntil = "", "", ""
		s.tellPayment(p, "payment.created")
		s.soon(func() { s.clear(p, bill) })
		return done("payment", shown(p))
	}
	p.CardDetails = &cardDetails{Card: with, EntryMethod: p.entry, CVVStatus: "CVV_ACCEPTED", AVSStatus: "AVS_ACCEPTED"}
	if p.entry == entryOnFile {
		p.CardDetails.CVVStatus = "CVV_NOT_CHECKED" // a code is never stored
	}
	risk := "NORMAL"
	if other, ok := risks[p.AmountMoney.Amount]; ok {
		risk = other
	}
	p.RiskEvaluation = map[string]any{"created_at": p.CreatedAt, "risk_level": risk}
	if acts.code != "" {
		return s.decline(p, bill, acts.code)
	}
	p.Status, p.ApprovedMoney, p.CardDetails.Status, p.CardDetails.AuthResultCode = approved, new(p.AmountMoney), "AUTHORIZED", "111111"
	if p.AmountMoney.Currency != "JPY" { // sellers in Japan cannot take a part
		p.Capabilities = []string{editAmountDown}
	}
	s.tellPayment(p, "payment.created")
	if p.autocomplete {
		s.complete(p)
	} else {
		s.later(p.delayedUntil, func() { s.age(p) })
	}
	return done("payment", shown(p))
}

// clear ends a payment by bank account, as the bank answers. The caller holds mu.
func (s *Server) clear(p *payment, bill *order) {
	if p.behavior.code == "" {
		s.complete(p)
		return
	}
	p.Status = lost
	s.tellPayment(p, "payment.updated")
	s.abandon(bill)
}

// decline ends a payment that the bank refuses, and shows it beside the error. The caller
// holds mu.
func (s *Server) decline(p *payment, bill *order, code string) result {
	why := apiError{Category: methodTrouble, Code: code, Detail: "Authorization error: '" + code + "'"}
	p.Status = lost
	p.CardDetails.Status, p.CardDetails.Errors = lost, []apiError{why}
	switch code {
	case "CVV_FAILURE":
		p.CardDetails.CVVStatus = "CVV_REJECTED"
	case "ADDRESS_VERIFICATION_FAILURE":
		p.CardDetails.AVSStatus = "AVS_REJECTED"
	}
	p.DelayDuration, p.DelayAction, p.DelayedUntil = "", "", ""
	s.tellPayment(p, "payment.created")
	s.abandon(bill)
	return result{status: http.StatusBadRequest, object: errorBody{Errors: []apiError{why}, Payment: shown(p)}}
}

// complete takes a payment's money. The caller holds mu.
func (s *Server) complete(p *payment) {
	p.Status, p.Capabilities = completed, nil
	if p.CardDetails != nil {
		p.CardDetails.Status = "CAPTURED"
	}
	p.ReceiptNumber = p.ID[len(p.ID)-4:]
	s.tellPayment(p, "payment.updated")
	if bill, ok := s.orders.Get(p.OrderID); ok {
		s.settleOrder(bill, p)
	}
	s.disputeByItself(p)
}

// void lets go of a payment's money. The caller holds mu.
func (s *Server) void(p *payment) {
	p.Status, p.Capabilities = canceled, nil
	if p.CardDetails != nil {
		p.CardDetails.Status = "VOIDED"
	}
	s.tellPayment(p, "payment.updated")
	if bill, ok := s.orders.Get(p.OrderID); ok {
		s.abandon(bill)
	}
}

// find gives the payment that a call is about, with all that time brought it. The caller
// holds mu.
func (s *Server) find(id, field string) (*payment, *result) {
	p, ok := s.payments.Get(id)
	if !ok {
		return nil, new(notFound("payment", id, field))
	}
	s.age(p)
	return p, nil
}

// age ends a payment whose time is over. The caller holds mu.
func (s *Server) age(p *payment) {
	if p.Status != approved || s.now().Before(p.delayedUntil) {
		return
	}
	p.lapsed = true
	if p.DelayAction == "COMPLETE" {
		s.complete(p)
	} else {
		s.void(p)
	}
}

// open answers for a payment that is not waiting to be completed any more, or nil.
//
// Source: developer.squareup.com/docs/payments-api/error-codes.
func (p *payment) open(verb string) *result {
	code := "BAD_REQUEST"
	switch p.Status {
	case approved:
		return nil
	case completed:
		code = "DELAYED_TRANSACTION_CAPTURED"
	case canceled:
		code = "DELAYED_TRANSACTION_CANCELED"
		if p.lapsed {
			code = "DELAYED_TRANSACTION_EXPIRED"
		}
	case lost:
		code = "DELAYED_TRANSACTION_FAILED"
	}
	return new(notAllowed(methodTrouble, code, "The payment cannot be "+verb+": its status is "+p.Status+"."))
}

// current answers for a version that is not the payment's present one, or nil.
func (p *payment) current(version, field string) *result {
	if version == "" || version == p.VersionToken {
		return nil
	}
	return new(failed(http.StatusBadRequest, invalidField("VERSION_MISMATCH", field, "The provided version token does not match the payment's current one.")))
}

func (s *Server) getPayment(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, bad := s.find(in.id, "")
	if bad != nil {
		return *bad
	}
	s.settleRefunds(p)
	return done("payment", shown(p))
}

// completePayment takes the money of a payment, all of it and once.
//
// Source: POST /v2/payments/{id}/complete.
func (s *Server) completePayment(in *request) result {
	var given struct {
		VersionToken string `json:"version_token"`
	}
	in.into(&given)
	s.mu.Lock()
	defer s.mu.Unlock()
	p, bad := s.find(in.id, "")
	if bad == nil {
		bad = p.open("completed")
	}
	if bad == nil {
		bad = p.current(given.VersionToken, "version_token")
	}
	if bad != nil {
		return *bad
	}
	s.complete(p)
	return done("payment", shown(p))
}

// cancelPayment lets go of the money of a payment.
//
// Source: POST /v2/payments/{id}/cancel.
func (s *Server) cancelPayment(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, bad := s.find(in.id, "")
	if bad == nil {
		bad = p.open("canceled")
	}
	if bad != nil {
		return *bad
	}
	s.void(p)
	return done("payment", shown(p))
}

// cancelByKey lets go of the money of the payment that was made under a key, and is content
// where there is none, or none that holds anything. One that took its money already cannot be
// undone that way.
//
// Source: POST /v2/payments/cancel.
func (s *Server) cancelByKey(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.payments.NewestFirst() {
		if p.key != in.key {
			continue
		}
		s.age(p)
		switch p.Status {
		case approved:
			s.void(p)
		case completed, pending:
			return *p.open("canceled")
		}
		break
	}
	return result{status: http.StatusOK, object: struct{}{}}
}

// updatePayment lowers the amount of a payment before it is completed.
//
// Source: PUT /v2/payments/{id}.
func (s *Server) updatePayment(in *request) result {
	var given struct {
		Payment struct {
			AmountMoney  *money `json:"amount_money"`
			VersionToken string `json:"version_token"`
		} `json:"payment"`
	}
	in.into(&given)
	wanted := given.Payment.AmountMoney
	if wanted == nil {
		return invalid("NO_FIELDS_SET", "payment", "At least one field must be set to update a payment.")
	}
	if bad := checkMoney("payment.amount_money", *wanted); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, bad := s.find(in.id, "")
	if bad == nil {
		bad = p.open("updated")
	}
	if bad == nil {
		bad = p.current(given.Payment.VersionToken, "payment.version_token")
	}
	if bad != nil {
		return *bad
	}
	switch {
	case wanted.Currency != p.AmountMoney.Currency:
		return notAllowed(invalidRequest, "CURRENCY_MISMATCH", "The currency is not the payment's.")
	case wanted.Amount > p.AmountMoney.Amount:
		return notAllowed(invalidRequest, "BAD_REQUEST", "The payment has no capability EDIT_AMOUNT_UP.")
	case wanted.Amount < p.AmountMoney.Amount && !slices.Contains(p.Capabilities, editAmountDown):
		return notAllowed(invalidRequest, "BAD_REQUEST", "The payment has no capability "+editAmountDown+".")
	}
	p.AmountMoney, p.TotalMoney = *wanted, *wanted
	s.tellPayment(p, "payment.updated")
	return done("payment", shown(p))
}

var listPaymentsQuery = slices.Concat(windowQuery, []string{"location_id", "total", "last_4", "card_brand"})

// listPayments lists payments by time.
//
// Source: GET /v2/payments.
func (s *Server) listPayments(in *request) result {
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(s.payments.All(), func(p *payment) bool {
		s.age(p)
		total, byTotal := in.query["total"]
		last4, byLast4 := in.query["last_4"]
		brand, byBrand := in.query["card_brand"]
		return byTotal && total != strconv.FormatInt(p.TotalMoney.Amount, 10) ||
			(byLast4 || byBrand) && p.CardDetails == nil ||
			byLast4 && last4 != p.CardDetails.Card.Last4 || byBrand && brand != p.CardDetails.Card.Brand
	})
	return cut(s, w, "payments", all, func(p *payment) place { return place{p.created, p.updated, p.ID} })
}
