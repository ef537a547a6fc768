package payments

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Accounts lists the accounts that a checkout's buyer is offered, in their order: each
// provider once, without those that are down and those that the caller cannot show. leased
// is the account of the attempt that is open, empty for none: it stands for its provider,
// so that the buyer can go on with it.
func (s *Service) Accounts(ctx context.Context, c core.Checkout, leased core.AccountName, shown func(core.AccountName) bool) ([]ports.Provider, error) {
	able, err := s.able(ctx, c)
	if err != nil {
		return nil, err
	}
	candidates := slices.DeleteFunc(able, func(one core.Candidate) bool { return !shown(one.Account) })
	var open core.Candidate
	for _, one := range candidates {
		if one.Account == leased {
			open = one
		}
	}
	offers := core.Offers(c, slices.DeleteFunc(candidates, func(one core.Candidate) bool {
		if one.Provider == open.Provider {
			return one.Account != open.Account
		}
		return s.settings.Down != nil && s.settings.Down(one.Account)
	}))
	providers := make([]ports.Provider, len(offers))
	for n, offer := range offers {
		providers[n] = s.providers[offer.Account]
	}
	return providers, nil
}

// Offered gives the account's provider where it can serve the checkout, and
// [core.ErrAccountNotOffered] otherwise.
func (s *Service) Offered(ctx context.Context, account core.AccountName, c core.Checkout) (ports.Provider, error) {
	provider, err := s.account(account)
	if err != nil {
		return nil, err
	}
	needs, err := s.needs(ctx, c)
	if err != nil {
		return nil, err
	}
	if !s.serves(provider, c, needs) {
		return nil, fmt.Errorf("account %q: %w", account, core.ErrAccountNotOffered)
	}
	return provider, nil
}

// able lists the accounts that can serve a checkout and whose rules allow it.
func (s *Service) able(ctx context.Context, c core.Checkout) ([]core.Candidate, error) {
	needs, err := s.needs(ctx, c)
	if err != nil {
		return nil, err
	}
	var able []core.Candidate
	for _, name := range sortedNames(s.providers) {
		if provider := s.providers[name]; s.serves(provider, c, needs) {
			able = append(able, core.Candidate{Account: name, Provider: provider.Name(), Rules: s.settings.Rules[name]})
		}
	}
	return able, nil
}

// needs is what a checkout asks of an account beside what it says itself.
type needs struct {
	recurring *core.Recurring  // of the price that is subscribed to; nil in other modes
	account   core.AccountName // of the subscription that a method is saved for; empty for any
}

func (s *Service) needs(ctx context.Context, c core.Checkout) (needs, error) {
	switch {
	case c.Mode == core.ModeSubscription && len(c.LineItems) == 1:
		price, err := s.store.Price(ctx, c.LineItems[0].Price)
		return needs{recurring: price.Recurring}, err
	case c.Mode == core.ModeSetup && c.Subscription != "":
		subscription, err := s.store.Subscription(ctx, c.Subscription)
		if errors.Is(err, ports.ErrNotFound) {
			return needs{}, nil
		}
		return needs{account: subscription.Account}, err
	}
	return needs{}, nil
}

func (s *Service) serves(provider ports.Provider, c core.Checkout, wants needs) bool {
	can := provider.Capabilities()
	if !s.settings.Rules[provider.Account()].Allow(c) || !can.Currencies[c.Amount.Currency()] {
		return false
	}
	if wants.account != "" && wants.account != provider.Account() {
		return false
	}
	if len(c.Providers) > 0 && !slices.Contains(c.Providers, provider.Name()) {
		return false
	}
	switch c.Mode {
	case core.ModePayment:
		manual, hosted := c.Capture == core.CaptureManual, c.Flow == core.FlowRedirect
		return !(manual && !can.ManualCapture || hosted && !can.Hosted || manual && hosted && !can.HostedManualCapture)
	case core.ModeSetup:
		return can.Vault && servesFlow(can, c.Flow)
	case core.ModeSubscription:
		return can.Subscriptions.Bills(wants.recurring, quantityOf(c)) && servesFlow(can, c.Flow)
	}
	return false
}

// servesFlow reports whether buyers can agree to something lasting where the flow wants it: on a
// page of the provider's own only where they agree there anyway.
func servesFlow(can ports.Capabilities, flow core.Flow) bool {
	return flow != core.FlowRedirect || can.Hosted && can.Confirm == ports.ConfirmAfterApproval
}

func quantityOf(c core.Checkout) int64 {
	if len(c.LineItems) == 0 {
		return 0
	}
	return c.LineItems[0].Quantity
}
