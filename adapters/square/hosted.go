package square

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	linksPath = "/v2/online-checkout/payment-links"
	// lineCharsMax is how long the name of an order's line may be.
	//
	// Source: developer.squareup.com/reference/square/objects/OrderLineItem.
	lineCharsMax = 512
	// lineNameDefault is what the buyer reads on Square's page where we have no words.
	lineNameDefault = "Order"
	// pageIDMiddle stands between the two ids of a page: its own, by which it is opened and
	// closed, and its order's, by which it is known what became of it once it is closed. It
	// stands in neither.
	pageIDMiddle = "."
	// tendersMax is far above what buyers share a payment out among.
	tendersMax = 10
)

// The states of an order.
//
// Source: developer.squareup.com/reference/square/enums/OrderState.
const (
	orderDraft     = "DRAFT"
	orderOpen      = "OPEN"
	orderCompleted = "COMPLETED"
	orderCanceled  = "CANCELED"
)

// pageIDs are those of a page and its order; false where it is no page's id.
func pageIDs(id string) (link, order string, is bool) {
	link, order, is = strings.Cut(id, pageIDMiddle)
	return link, order, is && link != "" && order != "" && outbound.SafeID(link) != "" && outbound.SafeID(order) != ""
}

// safePage is a page's id as it stands, and empty where it is none.
func safePage(id string) string {
	if _, _, is := pageIDs(id); !is {
		return ""
	}
	return id
}

// page is a payment link with its order and what was paid at it.
type page struct {
	id    string
	order answer
	made  answer // with the payment that counts; its payment is nil where there is none
	link  PaymentLink
	// closed says that nobody can pay here any more.
	closed bool
}

// CreateHosted implements [ports.Hoster]. The order is one line with the whole amount: what
// is bought is our page's to show.
//
// Source: POST /v2/online-checkout/payment-links.
func (a *Adapter) CreateHosted(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	op := a.op("create page for", string(in.Payment))
	if err := checkKey(op, key); err != nil {
		return ports.PaymentSession{}, err
	}
	if in.Capture == core.CaptureManual {
		return ports.PaymentSession{}, outbound.Invalid(op, errHeldAtPage)
	}
	amount, err := toForeign(op, in.Amount)
	if err != nil {
		return ports.PaymentSession{}, err
	}
	out, err := a.api.do(ctx, op, http.MethodPost, linksPath, nil, CreatePaymentLinkRequest{
		IdempotencyKey: string(key),
		Order: Order{LocationID: a.location, ReferenceID: string(in.Payment), LineItems: []OrderLineItem{{
			Name: shortened(cmp.Or(in.Description, lineNameDefault), lineCharsMax), Quantity: "1", BasePriceMoney: &amount,
		}}},
		CheckoutOptions: CheckoutOptions{RedirectURL: in.ReturnURL}, PaymentNote: shortened(in.Description, noteCharsMax),
	})
	if err != nil {
		return ports.PaymentSession{}, err
	}
	link := out.PaymentLink
	if link == nil || outbound.SafeID(link.ID) == "" || outbound.SafeID(link.OrderID) == "" {
		return ports.PaymentSession{}, out.call.Unusable(errNoObject)
	}
	made := page{id: link.ID + pageIDMiddle + link.OrderID, link: *link}
	if made.order, err = a.orderOf(ctx, op, out); err != nil {
		return ports.PaymentSession{}, err
	}
	return a.hosted(made)
}

// orderOf is the order of a page that was just made. Where the answer does not show it, it
// is fetched; that this goes wrong says nothing of the page, which is there.
func (a *Adapter) orderOf(ctx context.Context, op string, out answer) (answer, error) {
	if out.RelatedResources != nil {
		for _, one := range out.RelatedResources.Orders {
			if one.ID == out.PaymentLink.OrderID && one.State != "" && one.TotalMoney != nil && one.CreatedAt != "" {
				return answer{Order: &one, call: out.call}, nil
			}
		}
	}
	order, err := a.api.order(ctx, op, out.PaymentLink.OrderID)
	return order, afterwards(err)
}

// lookAtPage looks at a page and the payment made at it: by its order, which stays when the
// page is closed.
func (a *Adapter) lookAtPage(ctx context.Context, op string, ref core.ProviderRef) (ports.PaymentSession, error) {
	link, order, is := pageIDs(ref.ID)
	if !is || ref.Account != a.account {
		return ports.PaymentSession{}, outbound.Invalid(op, errNotOurRef)
	}
	seen := page{id: ref.ID}
	var err error
	if seen.order, err = a.api.order(ctx, op, order); err != nil {
		return ports.PaymentSession{}, err
	}
	if seen.made, err = a.madeAt(ctx, op, seen.order); err != nil {
		return ports.PaymentSession{}, err
	}
	seen.closed = seen.order.Order.State == orderCanceled
	if seen.closed || seen.made.Payment != nil && seen.made.Payment.Status != statusCanceled {
		return a.hosted(seen)
	}
	// Square cancels the order of a page that is closed. Should it not have yet: without its
	// page nobody can pay it.
	seen.link, err = a.api.link(ctx, op, link, order)
	if seen.closed = isMissing(err); err != nil && !seen.closed {
		return ports.PaymentSession{}, err
	}
	return a.hosted(seen)
}

// madeAt finds the payment of an order that counts: the first that holds or took money or
// may yet, else one that was canceled. Those that failed count for nothing, since Square's
// page tells the buyer, who may try again there; each try is a payment of its own.
//
// Source: GET /v2/payments/{id}.
func (a *Adapter) madeAt(ctx context.Context, op string, order answer) (answer, error) {
	tenders := order.Order.Tenders
	if len(tenders) > tendersMax {
		return answer{}, order.call.Unusable(errNoTender)
	}
	var found answer
	for _, tender := range tenders {
		if outbound.SafeID(tender.PaymentID) == "" {
			return answer{}, order.call.Unusable(errNoTender)
		}
		shown, err := a.api.payment(ctx, op, http.MethodGet, paymentsPath+"/"+tender.PaymentID, tender.PaymentID, nil)
		if err != nil {
			return answer{}, err
		}
		switch shown.Payment.Status {
		case statusFailed:
		case statusCanceled:
			found = shown
		default:
			return shown, nil
		}
	}
	return found, nil
}

// hosted puts a page into our words: as the payment that was made at it, or as one that
// waits for its buyer. A payment is named only once it cannot be followed by another.
func (a *Adapter) hosted(p page) (ports.PaymentSession, error) {
	var seen core.PaymentSnapshot
	var err error
	by := p.made.call
	switch made := p.made.Payment; {
	case made != nil && (made.Status != statusPending && made.Status != statusCanceled || p.closed):
		seen, err = a.translate(*made)
	default:
		by = p.order.call
		seen, err = a.translateOrder(*p.order.Order)
		switch {
		case err != nil:
		case made != nil && made.Status == statusPending:
			seen.Status, seen.ForeignStatus = core.PaymentProcessing, statusPending
		case p.closed:
			seen.Status = core.PaymentCanceled
		case p.order.Order.State == orderCompleted:
			err = errNoTender
		default:
			seen.Payable = seen.Status == core.PaymentRequiresAction
		}
	}
	if err != nil {
		return ports.PaymentSession{}, by.Unusable(err)
	}
	seen.Session, seen.Payment = p.id, ownPayment(p.order.Order.ReferenceID)
	session := ports.PaymentSession{Snapshot: seen}
	if !seen.Payable {
		return session, nil
	}
	if p.link.URL == "" {
		return ports.PaymentSession{}, p.order.call.Unusable(errNoObject)
	}
	session.Action = ports.BuyerAction{Type: ports.ActionRedirect, URL: p.link.URL}
	return session, nil
}

// translateOrder puts an order that nobody has paid yet into our words. A state that is not
// known here is no status at all.
func (a *Adapter) translateOrder(o Order) (core.PaymentSnapshot, error) {
	amount, err := fromForeign(o.TotalMoney)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	none := core.Zero(amount.Currency())
	seen := core.PaymentSnapshot{
		Ref: core.ProviderRef{Account: a.account, Kind: core.ObjectPayment}, ForeignStatus: outbound.SafeCode(o.State),
		Environment: a.env, Amount: amount, Authorized: none, Captured: none, Refunded: none,
	}
	if seen.ForeignStatus == "" {
		return core.PaymentSnapshot{}, errNotReadable
	}
	if seen.CreatedAt, err = fromTime(o.CreatedAt); err != nil {
		return core.PaymentSnapshot{}, err
	}
	switch o.State {
	case orderDraft, orderOpen:
		seen.Status = core.PaymentRequiresAction
	case orderCanceled:
		seen.Status = core.PaymentCanceled
	}
	return seen, nil
}

// cancelPage closes a page that nobody has paid at. A payment that holds money is given up
// first, and one that took some, or is about to, leaves the page as it is: what closing does
// to a paid order is not known.
//
// Source: DELETE /v2/online-checkout/payment-links/{id}.
func (a *Adapter) cancelPage(ctx context.Context, key core.OperationKey, op string, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	if err := checkKey(op, key); err != nil {
		return core.PaymentSnapshot{}, err
	}
	present, err := a.lookAtPage(ctx, op, ref)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	closed := error(nil)
	if present.Snapshot.Payable {
		if closed = a.closeLink(ctx, op, ref); closed != nil && !isInvalid(closed) {
			return core.PaymentSnapshot{}, closed
		}
		if present, err = a.lookAtPage(ctx, op, ref); err != nil {
			return core.PaymentSnapshot{}, err
		}
	}
	switch seen := present.Snapshot; {
	case seen.Status == core.PaymentCanceled, seen.Status == core.PaymentExpired:
		return seen, nil
	case seen.Status == core.PaymentProcessing:
		return core.PaymentSnapshot{}, outbound.Invalid(op, core.ErrPaymentNotOpen)
	case seen.Ref.ID != "":
		return a.cancelMade(ctx, key, op, ref, seen)
	case closed != nil:
		return core.PaymentSnapshot{}, closed
	}
	return core.PaymentSnapshot{}, &core.ProviderError{Class: core.ClassUnknown, Op: op, Err: errStillOpen}
}

// cancelMade gives up the payment that was made at a page, and closes the page.
func (a *Adapter) cancelMade(ctx context.Context, key core.OperationKey, op string, ref core.ProviderRef, made core.PaymentSnapshot) (core.PaymentSnapshot, error) {
	released, err := a.CancelPayment(ctx, key, made.Ref)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	if err := a.closeLink(ctx, op, ref); err != nil && !isInvalid(err) {
		return core.PaymentSnapshot{}, err
	}
	released.Session, released.Payment = made.Session, made.Payment
	return released, nil
}

// closeLink deletes a page's link. One that is deleted already is no error.
func (a *Adapter) closeLink(ctx context.Context, op string, ref core.ProviderRef) error {
	link, _, _ := pageIDs(ref.ID)
	_, err := a.api.do(ctx, op, http.MethodDelete, linksPath+"/"+link, nil, nil)
	if isMissing(err) {
		return nil
	}
	return err
}
