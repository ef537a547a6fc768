package payments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/ports"
)

// urlMax is how long an address may be, in characters.
const urlMax = 2048

// OpenCheckout is what a storefront asks to be paid.
type OpenCheckout struct {
	RequestKey core.RequestKey // empty where the caller gave none
	Reference  string
	Currency   string
	Items      []OpenItem
	Mode       core.CheckoutMode   // empty means payment
	Capture    core.CaptureMode    // empty means automatic
	Flow       core.Flow           // empty means page
	Providers  []core.ProviderName // empty means all that can
	CustomerID string
	Email      string
	Name       string
	Country    string
	SuccessURL string
	CancelURL  string
	Metadata   map[string]string
	ExpiresIn  time.Duration // zero means core.CheckoutLifeDefault
}

// OpenItem is one row of what is bought: a price by its id, or a name and an amount in
// minor units.
type OpenItem struct {
	Price    string
	Name     string
	Amount   int64
	Quantity int64
}

// OpenCheckout stores a new checkout, or gives the one that the same RequestKey made
// before. In the modes subscription and setup a buyer who is told by email and name becomes a
// customer. What is wrong with the request is a *[core.InvalidError] that names every
// field.
func (s *Service) OpenCheckout(ctx context.Context, in OpenCheckout) (core.Checkout, error) {
	checkout, err := s.newCheckout(ctx, in)
	if err != nil {
		return core.Checkout{}, err
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if checkout.Mode != core.ModePayment && checkout.Buyer.Customer == "" {
			customer, err := tx.InsertCustomer(ctx, core.Customer{
				ID: core.NewID[core.CustomerID](s.ids.UUID()), Email: in.Email, Name: in.Name, Environment: checkout.Environment,
				CreatedAt: checkout.CreatedAt, UpdatedAt: checkout.CreatedAt,
			})
			if err != nil {
				return err
			}
			checkout.Buyer.Customer = customer.ID
		}
		stored, err := tx.InsertCheckout(ctx, checkout)
		if err == nil {
			checkout = stored
		}
		return err
	})
	if errors.Is(err, ports.ErrDuplicate) && in.RequestKey != "" {
		return s.store.CheckoutByRequestKey(ctx, in.RequestKey)
	}
	if err != nil {
		return core.Checkout{}, fmt.Errorf("open checkout: %w", err)
	}
	return checkout, nil
}

// newCheckout makes a checkout of a request, or says all that is wrong with it.
func (s *Service) newCheckout(ctx context.Context, in OpenCheckout) (core.Checkout, error) {
	now := s.clock.Now()
	fields := &check.Fields{}
	life := in.ExpiresIn
	if life == 0 {
		life = core.CheckoutLifeDefault
	}
	if life < core.CheckoutLifeShortest || life > core.CheckoutLifeLongest {
		fields.Refuse("expires_in", "must be from %d to %d seconds", int(core.CheckoutLifeShortest.Seconds()), int(core.CheckoutLifeLongest.Seconds()))
	}
	c := core.Checkout{
		ID: core.NewID[core.CheckoutID](s.ids.UUID()), Environment: s.settings.Environment,
		Reference: in.Reference, Status: core.CheckoutOpen, Providers: in.Providers,
		Mode:       orDefault(in.Mode, core.ModePayment),
		Capture:    orDefault(in.Capture, core.CaptureAutomatic),
		Flow:       orDefault(in.Flow, core.FlowPage),
		SuccessURL: in.SuccessURL, CancelURL: in.CancelURL, Metadata: in.Metadata,
		RequestKey: in.RequestKey, ExpiresAt: now.Add(life), CreatedAt: now, UpdatedAt: now,
	}
	fields.Text("reference", in.Reference, 1, check.ReferenceMax)
	s.checkKinds(fields, c)
	var err error
	if c.LineItems, c.Amount, err = s.checkItems(ctx, fields, c.Mode, in); err != nil {
		return c, err
	}
	if c.Buyer, err = s.checkBuyer(ctx, fields, c.Mode, in); err != nil {
		return c, err
	}
	s.checkURL(fields, "success_url", in.SuccessURL, true)
	s.checkURL(fields, "cancel_url", in.CancelURL, false)
	fields.Metadata("metadata", in.Metadata)
	if !fields.Good() {
		return c, fields.Err()
	}
	able, err := s.able(ctx, c)
	if err == nil && len(able) == 0 {
		field := "currency"
		if c.Mode != core.ModePayment {
			field = "mode"
		}
		fields.Refuse(field, "is served by no configured account for this amount, country, mode, flow, capture, price and choice of providers")
		err = fields.Err()
	}
	return c, err
}

func (s *Service) checkKinds(fields *check.Fields, c core.Checkout) {
	if !slices.Contains([]core.CheckoutMode{core.ModePayment, core.ModeSubscription, core.ModeSetup}, c.Mode) {
		fields.Refuse("mode", "must be payment, subscription or setup")
	}
	if c.Capture != core.CaptureAutomatic && c.Capture != core.CaptureManual {
		fields.Refuse("capture", "must be automatic or manual")
	} else if c.Capture == core.CaptureManual && c.Mode != core.ModePayment {
		fields.Refuse("capture", "must be automatic in this mode")
	}
	if c.Flow != core.FlowPage && c.Flow != core.FlowRedirect {
		fields.Refuse("flow", "must be page or redirect")
	}
	for i, name := range c.Providers {
		field := fmt.Sprintf("providers[%d]", i)
		switch {
		case slices.Contains(c.Providers[:i], name):
			fields.Refuse(field, "is named twice")
		case !s.offers(name):
			fields.Refuse(field, "names no configured provider")
		}
	}
}

func (s *Service) offers(name core.ProviderName) bool {
	for _, provider := range s.providers {
		if provider.Name() == name {
			return true
		}
	}
	return false
}

// checkItems reads what is bought and adds it up. A checkout that saves a method buys nothing.
func (s *Service) checkItems(ctx context.Context, fields *check.Fields, mode core.CheckoutMode, in OpenCheckout) ([]core.LineItem, core.Money, error) {
	currency := fields.Currency("currency", in.Currency)
	if currency == "" {
		return nil, core.Money{}, nil
	}
	none := core.Zero(currency)
	most := core.LineItemsMax
	switch mode {
	case core.ModeSetup:
		if len(in.Items) > 0 {
			fields.Refuse("line_items", "must be left out in this mode: nothing is paid")
		}
		return nil, none, nil
	case core.ModeSubscription:
		most = 1
	case core.ModePayment:
	}
	if len(in.Items) == 0 || len(in.Items) > most {
		fields.Refuse("line_items", "must have 1 to %d rows", most)
		return nil, none, nil
	}
	items := make([]core.LineItem, 0, len(in.Items))
	for i, row := range in.Items {
		item, err := s.checkItem(ctx, fields, fmt.Sprintf("line_items[%d]", i), mode, currency, row)
		if err != nil {
			return nil, none, err
		}
		items = append(items, item)
	}
	if !fields.Good() {
		return items, none, nil
	}
	sum, err := core.SumLineItems(items, currency)
	if err != nil {
		fields.Refuse("line_items", "must add up to at most %d minor units", core.MinorMax)
	}
	return items, sum, nil
}

// checkItem reads one row: a price of ours by its id, or a name and an amount.
func (s *Service) checkItem(ctx context.Context, fields *check.Fields, field string, mode core.CheckoutMode, currency core.Currency, row OpenItem) (core.LineItem, error) {
	item := core.LineItem{Name: row.Name, Quantity: row.Quantity}
	if row.Price == "" && mode == core.ModeSubscription {
		fields.Refuse(field+".price", "must name a recurring price in this mode")
		return item, nil
	}
	if row.Price == "" {
		fields.Text(field+".name", row.Name, 1, check.ItemNameMax)
		fields.Quantity(field+".quantity", row.Quantity)
		item.Amount = fields.Amount(field+".amount", row.Amount, currency)
		return item, nil
	}
	fields.Quantity(field+".quantity", row.Quantity)
	if row.Name != "" || row.Amount != 0 {
		fields.Refuse(field+".price", "must stand alone, without name and amount")
	}
	id := check.ID[core.PriceID](fields, field+".price", row.Price)
	if id == "" {
		return item, nil
	}
	price, err := s.store.Price(ctx, id)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		fields.Refuse(field+".price", "names no price")
		return item, nil
	case err != nil:
		return item, err
	case price.Amount.Currency() != currency:
		fields.Refuse(field+".price", "is of another currency than the checkout")
	case mode == core.ModePayment && price.Recurring != nil:
		fields.Refuse(field+".price", "is recurring; give a price that is paid once, or the mode subscription")
	case mode == core.ModeSubscription && price.Recurring == nil:
		fields.Refuse(field+".price", "is paid once; give a recurring price, or the mode payment")
	}
	item.Price, item.Name, item.Amount = price.ID, price.Name, price.Amount
	return item, nil
}

// checkBuyer reads who pays. What is to be charged again needs a customer.
func (s *Service) checkBuyer(ctx context.Context, fields *check.Fields, mode core.CheckoutMode, in OpenCheckout) (core.Buyer, error) {
	buyer := core.Buyer{Email: in.Email, Name: in.Name, Country: in.Country}
	fields.Text("customer.name", in.Name, 0, check.NameMax)
	fields.Email("customer.email", in.Email)
	if in.Country != "" && (len(in.Country) != 2 || strings.Trim(in.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		fields.Refuse("customer.country", "must be an ISO 3166-1 alpha-2 code in upper case, for example DE")
	}
	if in.CustomerID == "" {
		if mode != core.ModePayment && in.Email == "" && in.Name == "" {
			fields.Refuse("customer", "is needed in this mode: give the id of one, or email and name")
		}
		return buyer, nil
	}
	id := check.ID[core.CustomerID](fields, "customer.id", in.CustomerID)
	if id == "" {
		return buyer, nil
	}
	customer, err := s.store.Customer(ctx, id)
	if errors.Is(err, ports.ErrNotFound) {
		fields.Refuse("customer.id", "names no customer; give email and name, or create one")
		return buyer, nil
	}
	buyer.Customer = customer.ID
	buyer.Email, buyer.Name = cmp.Or(in.Email, customer.Email), cmp.Or(in.Name, customer.Name)
	return buyer, err
}

// checkURL lets a buyer's browser be sent to known places only.
func (s *Service) checkURL(fields *check.Fields, field, text string, required bool) {
	if text == "" && !required {
		return
	}
	parsed, err := url.Parse(text)
	secure := err == nil && parsed.Scheme == "https"
	plain := err == nil && parsed.Scheme == "http" && s.settings.Environment == core.EnvTest
	switch {
	case len(text) > urlMax || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r\n\t "):
		fields.Refuse(field, "must be a URL of at most %d characters without spaces", urlMax)
	case !secure && !plain || parsed.Host == "" || parsed.User != nil:
		fields.Refuse(field, "must be an absolute https URL")
	case len(s.settings.ReturnOrigins) > 0 && !slices.Contains(s.settings.ReturnOrigins, parsed.Scheme+"://"+parsed.Host):
		fields.Refuse(field, "must have an origin that PAYDESK_ALLOWED_RETURN_ORIGINS lists")
	}
}

func orDefault[T ~string](value, fallback T) T {
	if value == "" {
		return fallback
	}
	return value
}

func sortedNames[K ~string, V any](m map[K]V) []K {
	names := make([]K, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
