package disputes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// The keys of a payment's metadata under which storefronts tell of delivery, and what of evidence
// each is.
var deliveryFields = []struct {
	key   string
	field core.EvidenceField
}{
	{"shipping_carrier", core.EvidenceShippingCarrier},
	{"shipping_tracking_number", core.EvidenceTrackingNumber},
	{"shipping_date", core.EvidenceShippingDate},
	{"shipping_address", core.EvidenceShippingAddress},
	{"customer_ip", core.EvidenceCustomerIP},
}

// historyMax is how many refunds, and how many invoices, a suggestion tells of.
const historyMax = 20

// dayLayout is how days are written for people at a bank.
const dayLayout = "2006-01-02"

// Draft is a dispute's answer so far.
type Draft struct {
	Saved core.Evidence
	// Suggested are texts made of what is known here, for fields that nobody has filled. They are
	// sent only once somebody has saved them: whoever answers a bank has to have read it.
	Suggested map[core.EvidenceField]string
}

// Draft gives what was saved in answer to a dispute, and what could be said beside it.
func (s *Service) Draft(ctx context.Context, id core.DisputeID) (Draft, error) {
	dispute, err := s.store.Dispute(ctx, id)
	if err != nil {
		return Draft{}, err
	}
	saved, err := s.store.Evidence(ctx, id)
	if err != nil {
		return Draft{}, err
	}
	draft := Draft{Saved: saved, Suggested: map[core.EvidenceField]string{}}
	if over := dispute.CheckEdit(s.clock.Now()); over != nil {
		return draft, nil //nolint:nilerr // not an error: nothing can be said any more
	}
	known, err := s.known(ctx, dispute)
	if err != nil {
		return draft, fmt.Errorf("draft evidence of %s: %w", id, err)
	}
	most := core.EvidenceTextCharsMax
	if _, can, err := s.disputer(dispute.Account); err == nil {
		most = least(most, can.TextCharsMax)
	}
	for field, text := range known.texts() {
		if saved.Texts[field] == "" && text != "" {
			draft.Suggested[field] = cut(text, most)
		}
	}
	return draft, nil
}

// cut shortens a text to a number of characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// facts are what is known here of what is disputed.
type facts struct {
	payment      core.Payment
	checkout     core.Checkout     // at which it was bought, or subscribed to; the zero Checkout where there was none
	customer     core.Customer     // likewise
	subscription core.Subscription // likewise
	refunds      []core.Refund
	invoices     []core.Invoice // newest first
}

func (s *Service) known(ctx context.Context, dispute core.Dispute) (f facts, err error) {
	if f.payment, err = s.store.Payment(ctx, dispute.Payment); err != nil {
		return f, err
	}
	if f.refunds, err = s.store.PaymentRefunds(ctx, f.payment.ID); err != nil {
		return f, err
	}
	if f.payment.Subscription != "" {
		if err := s.knownOfSubscription(ctx, &f); err != nil {
			return f, err
		}
	}
	if at := cmp.Or(f.payment.Checkout, f.subscription.Checkout); at != "" {
		if f.checkout, err = s.store.Checkout(ctx, at); err != nil {
			return f, err
		}
	}
	if f.payment.Customer != "" {
		// A customer may be gone since.
		if f.customer, err = s.store.Customer(ctx, f.payment.Customer); err != nil && !errors.Is(err, ports.ErrNotFound) {
			return f, err
		}
	}
	return f, nil
}

func (s *Service) knownOfSubscription(ctx context.Context, f *facts) (err error) {
	if f.subscription, err = s.store.Subscription(ctx, f.payment.Subscription); err != nil {
		return err
	}
	page, err := s.store.Invoices(ctx, f.payment.Subscription, core.PageRequest{Limit: historyMax})
	f.invoices = page.Items
	return err
}

// texts are what can be said, by field; some may be empty.
func (f facts) texts() map[core.EvidenceField]string {
	texts := map[core.EvidenceField]string{
		core.EvidenceCustomerName:  f.customer.Name,
		core.EvidenceCustomerEmail: f.customer.Email,
		core.EvidenceOtherText:     strings.Join(append(f.receipt(), append(f.refunded(), f.subscribed()...)...), "\n"),
	}
	if f.checkout.Buyer.Name != "" {
		texts[core.EvidenceCustomerName] = f.checkout.Buyer.Name
	}
	if f.checkout.Buyer.Email != "" {
		texts[core.EvidenceCustomerEmail] = f.checkout.Buyer.Email
	}
	for _, delivery := range deliveryFields {
		texts[delivery.field] = f.payment.Metadata[delivery.key]
	}
	var products []string
	for _, item := range f.checkout.LineItems {
		products = append(products, fmt.Sprintf("%d × %s (%s each)", item.Quantity, item.Name, item.Amount))
	}
	texts[core.EvidenceProductDescription] = strings.Join(products, "\n")
	return texts
}

// receipt tells of the payment as a receipt does.
func (f facts) receipt() []string {
	p := f.payment
	lines := []string{fmt.Sprintf("Payment of %s on %s, order %q.", p.AmountCaptured, day(p.CreatedAt), p.Reference)}
	if p.ProviderPaymentID != "" {
		lines = append(lines, "Transaction: "+p.ProviderPaymentID+".")
	}
	if m := p.Method; m != nil && m.Last4 != "" {
		lines = append(lines, strings.TrimSpace("Paid with "+m.Brand)+" ending in "+m.Last4+".")
	}
	return lines
}

// refunded tells of what was given back.
func (f facts) refunded() []string {
	if len(f.refunds) == 0 {
		return []string{"Nothing was refunded."}
	}
	var lines []string
	for _, r := range f.refunds[max(0, len(f.refunds)-historyMax):] {
		lines = append(lines, fmt.Sprintf("Refund of %s on %s: %s.", r.Amount, day(r.CreatedAt), r.Status))
	}
	return lines
}

// subscribed tells of the subscription that asked for the payment, and what else it was paid.
func (f facts) subscribed() []string {
	if f.subscription.ID == "" {
		return nil
	}
	s := f.subscription
	lines := []string{fmt.Sprintf("Subscription since %s, now %s.", day(s.CreatedAt), s.Status)}
	if !s.CanceledAt.IsZero() {
		lines = append(lines, "Its end was asked for on "+day(s.CanceledAt)+".")
	}
	for _, invoice := range f.invoices {
		lines = append(lines, fmt.Sprintf("Invoice of %s for %s to %s: %s.", invoice.AmountDue, day(invoice.PeriodStart), day(invoice.PeriodEnd), invoice.Status))
	}
	return lines
}

func day(at time.Time) string { return at.UTC().Format(dayLayout) }
