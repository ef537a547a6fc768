package payments

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Limits of what a checkout may carry, in characters unless said otherwise.
const (
	referenceMax     = 200
	itemNameMax      = 250
	emailMax         = 254
	nameMax          = 200
	urlMax           = 2048
	metadataKeysMax  = 50
	metadataKeyMax   = 40
	metadataValueMax = 500
)

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
// before. What is wrong with the request is a *[core.InvalidError] that names every
// field.
func (s *Service) OpenCheckout(ctx context.Context, in OpenCheckout) (core.Checkout, error) {
	checkout, err := s.newCheckout(in)
	if err != nil {
		return core.Checkout{}, err
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
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
func (s *Service) newCheckout(in OpenCheckout) (core.Checkout, error) {
	now := s.clock.Now()
	check := &checker{}
	life := in.ExpiresIn
	if life == 0 {
		life = core.CheckoutLifeDefault
	}
	if life < core.CheckoutLifeShortest || life > core.CheckoutLifeLongest {
		check.refuse("expires_in", "must be from %d to %d seconds", int(core.CheckoutLifeShortest.Seconds()), int(core.CheckoutLifeLongest.Seconds()))
	}
	c := core.Checkout{
		ID: core.NewID[core.CheckoutID](s.ids.UUID()), Environment: s.settings.Environment,
		Reference: in.Reference, Status: core.CheckoutOpen, Providers: in.Providers,
		Mode:       orDefault(in.Mode, core.ModePayment),
		Capture:    orDefault(in.Capture, core.CaptureAutomatic),
		Flow:       orDefault(in.Flow, core.FlowPage),
		Buyer:      core.Buyer{Email: in.Email, Name: in.Name, Country: in.Country},
		SuccessURL: in.SuccessURL, CancelURL: in.CancelURL, Metadata: in.Metadata,
		RequestKey: in.RequestKey, ExpiresAt: now.Add(life), CreatedAt: now, UpdatedAt: now,
	}
	check.text("reference", in.Reference, 1, referenceMax)
	s.checkKinds(check, c)
	c.LineItems, c.Amount = checkItems(check, in)
	checkBuyer(check, in)
	s.checkURL(check, "success_url", in.SuccessURL, true)
	s.checkURL(check, "cancel_url", in.CancelURL, false)
	checkMetadata(check, in.Metadata)
	if len(check.fields) == 0 && len(s.able(c)) == 0 {
		check.refuse("currency", "is served by no configured account for this amount, country, mode, flow, capture and choice of providers")
	}
	return c, check.err()
}

func (s *Service) checkKinds(check *checker, c core.Checkout) {
	if !slices.Contains([]core.CheckoutMode{core.ModePayment, core.ModeSubscription, core.ModeSetup}, c.Mode) {
		check.refuse("mode", "must be payment, subscription or setup")
	} else if c.Mode != core.ModePayment {
		check.refuse("mode", "is served by no configured account")
	}
	if c.Capture != core.CaptureAutomatic && c.Capture != core.CaptureManual {
		check.refuse("capture", "must be automatic or manual")
	}
	if c.Flow != core.FlowPage && c.Flow != core.FlowRedirect {
		check.refuse("flow", "must be page or redirect")
	}
	for i, name := range c.Providers {
		field := fmt.Sprintf("providers[%d]", i)
		switch {
		case slices.Contains(c.Providers[:i], name):
			check.refuse(field, "is named twice")
		case !s.offers(name):
			check.refuse(field, "names no configured provider")
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

func checkItems(check *checker, in OpenCheckout) ([]core.LineItem, core.Money) {
	currency, err := core.ParseCurrency(in.Currency)
	if err != nil {
		check.refuse("currency", "must be an ISO 4217 code in upper case, for example EUR")
		return nil, core.Money{}
	}
	if len(in.Items) == 0 || len(in.Items) > core.LineItemsMax {
		check.refuse("line_items", "must have 1 to %d rows", core.LineItemsMax)
		return nil, core.Money{}
	}
	items := make([]core.LineItem, 0, len(in.Items))
	for i, row := range in.Items {
		field := fmt.Sprintf("line_items[%d]", i)
		if row.Price != "" {
			check.refuse(field+".price", "names no price; give name and amount")
			continue
		}
		check.text(field+".name", row.Name, 1, itemNameMax)
		if row.Quantity < 1 || row.Quantity > core.LineItemQuantityMax {
			check.refuse(field+".quantity", "must be from 1 to %d", core.LineItemQuantityMax)
		}
		amount, err := core.NewMoney(row.Amount, currency)
		if err != nil || !amount.IsPositive() {
			check.refuse(field+".amount", "must be a whole number of minor units from 1 to %d", core.MinorMax)
			continue
		}
		items = append(items, core.LineItem{Name: row.Name, Amount: amount, Quantity: row.Quantity})
	}
	if len(check.fields) > 0 {
		return items, core.Zero(currency)
	}
	sum, err := core.SumLineItems(items, currency)
	if err != nil {
		check.refuse("line_items", "must add up to at most %d minor units", core.MinorMax)
	}
	return items, sum
}

func checkBuyer(check *checker, in OpenCheckout) {
	if in.CustomerID != "" {
		if _, err := core.ParseID[core.CustomerID](in.CustomerID); err != nil {
			check.refuse("customer.id", "%s", err)
		} else {
			check.refuse("customer.id", "names no customer; give email and name")
		}
	}
	check.text("customer.name", in.Name, 0, nameMax)
	check.text("customer.email", in.Email, 0, emailMax)
	at := strings.LastIndexByte(in.Email, '@')
	if in.Email != "" && (at < 1 || at == len(in.Email)-1 || strings.ContainsAny(in.Email, " \t\r\n<>")) {
		check.refuse("customer.email", "must be an email address")
	}
	if in.Country != "" && (len(in.Country) != 2 || strings.Trim(in.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		check.refuse("customer.country", "must be an ISO 3166-1 alpha-2 code in upper case, for example DE")
	}
}

// checkURL lets a buyer's browser be sent to known places only.
func (s *Service) checkURL(check *checker, field, text string, required bool) {
	if text == "" && !required {
		return
	}
	parsed, err := url.Parse(text)
	secure := err == nil && parsed.Scheme == "https"
	plain := err == nil && parsed.Scheme == "http" && s.settings.Environment == core.EnvTest
	switch {
	case len(text) > urlMax || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r\n\t "):
		check.refuse(field, "must be a URL of at most %d characters without spaces", urlMax)
	case !secure && !plain || parsed.Host == "" || parsed.User != nil:
		check.refuse(field, "must be an absolute https URL")
	case len(s.settings.ReturnOrigins) > 0 && !slices.Contains(s.settings.ReturnOrigins, parsed.Scheme+"://"+parsed.Host):
		check.refuse(field, "must have an origin that PAYDESK_ALLOWED_RETURN_ORIGINS lists")
	}
}

func checkMetadata(check *checker, metadata map[string]string) {
	if len(metadata) > metadataKeysMax {
		check.refuse("metadata", "must have at most %d keys", metadataKeysMax)
		return
	}
	for _, key := range sortedNames(metadata) {
		if key == "" || utf8.RuneCountInString(key) > metadataKeyMax || hasControl(key) || !utf8.ValidString(key) {
			check.refuse("metadata", "must have keys of 1 to %d characters without control characters", metadataKeyMax)
			return
		}
		check.text("metadata."+key, metadata[key], 0, metadataValueMax)
	}
}

// checker collects what is wrong with a request.
type checker struct {
	fields []core.FieldError
}

func (c *checker) refuse(field, format string, args ...any) {
	c.fields = append(c.fields, core.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// text checks the length in characters, and that no control character is in it.
func (c *checker) text(field, value string, least, most int) {
	length := utf8.RuneCountInString(value)
	switch {
	case length < least || length > most:
		c.refuse(field, "must have %d to %d characters", least, most)
	case !utf8.ValidString(value) || hasControl(value):
		c.refuse(field, "must be text without control characters")
	}
}

func (c *checker) err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &core.InvalidError{Fields: c.fields}
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
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
