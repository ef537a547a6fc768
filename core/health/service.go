// Package health tells how accounts and their webhooks are doing: what came last, what was refused,
// what no webhook brought, and whether what is registered at the provider is what is needed here.
package health

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// CheckEvery is how often the registered webhooks are looked at.
	CheckEvery = time.Hour
	// Window is how far back posts and missed events are told of.
	Window = 24 * time.Hour

	countsKept    = 30 * 24 * time.Hour
	pruneBatch    = 500 // rows that one run removes at most
	noteCannotAsk = "the account cannot be asked which webhooks are registered"
)

// Service tells of the configured accounts.
type Service struct {
	store       ports.Store
	providers   ports.Providers
	addresses   map[core.AccountName]string
	clock, wall ports.Clock
}

// New makes the service. addresses are those that accounts' webhooks are posted to. clock is the
// business clock, which missed events are stored by; wall is the time of the world, which webhooks
// arrive in.
func New(store ports.Store, providers ports.Providers, addresses map[core.AccountName]string, clock, wall ports.Clock) *Service {
	return &Service{store: store, providers: providers, addresses: addresses, clock: clock, wall: wall}
}

// Accounts tells of all configured accounts, by name. It asks no provider.
func (s *Service) Accounts(ctx context.Context) ([]ports.AccountHealth, error) {
	checks, err := s.store.WebhookChecks(ctx)
	if err != nil {
		return nil, fmt.Errorf("tell of webhooks: %w", err)
	}
	counts, err := s.store.DeliveryCounts(ctx, s.wall.Now().Add(-Window).Truncate(time.Hour))
	if err != nil {
		return nil, fmt.Errorf("tell of webhooks: %w", err)
	}
	all := make([]ports.AccountHealth, 0, len(s.providers))
	for _, name := range slices.Sorted(maps.Keys(s.providers)) {
		one, err := s.account(ctx, s.providers[name])
		if err != nil {
			return nil, fmt.Errorf("tell of %s: %w", name, err)
		}
		for _, check := range checks {
			if check.Account == name {
				one.Webhook = check
			}
		}
		for _, count := range counts {
			if count.Account == name {
				one.Counts[count.Result] = count.Count
			}
		}
		all = append(all, one)
	}
	return all, nil
}

func (s *Service) account(ctx context.Context, provider ports.Provider) (h ports.AccountHealth, err error) {
	name := provider.Account()
	h = ports.AccountHealth{
		Account: name, Provider: provider.Name(), Address: s.addresses[name], Counts: make(map[core.DeliveryResult]int64),
		Webhook: core.WebhookCheck{Account: name, State: core.WebhookUnknown},
	}
	if healthy, ok := provider.(ports.Healthy); ok {
		h.Health = healthy.Health()
	}
	if registrar, ok := provider.(ports.WebhookRegistrar); ok {
		if h.Last, err = s.store.LastInbound(ctx, name, registrar.NeededEvents()); err != nil {
			return h, err
		}
	}
	h.Missed, h.LastMissed, err = s.store.MissedInbound(ctx, name, s.clock.Now().Add(-Window))
	return h, err
}

// Begin is the handler of [ports.JobCheckWebhooks]: each account is looked at by a job of its own, so
// that none waits for another. It also removes counts that are kept no longer.
func (s *Service) Begin(ctx context.Context, _ ports.Job) error {
	var jobs []ports.Job
	for _, name := range slices.Sorted(maps.Keys(s.providers)) {
		if s.providers[name].Capabilities().Webhooks {
			jobs = append(jobs, ports.Job{Kind: ports.JobCheckWebhook, Subject: string(name)})
		}
	}
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.PruneDeliveryCounts(ctx, s.wall.Now().Add(-countsKept), pruneBatch); err != nil {
			return err
		}
		return tx.Enqueue(ctx, jobs...)
	})
	if err != nil {
		return fmt.Errorf("begin to look at webhooks: %w", err)
	}
	return nil
}

// Check is the handler of [ports.JobCheckWebhook]. A look that fails is written down beside what was
// last seen, and made again with the next round.
func (s *Service) Check(ctx context.Context, job ports.Job) error {
	name := core.AccountName(job.Subject)
	provider, ok := s.providers[name]
	if !ok {
		return fmt.Errorf("look at the webhook of %s: it is not configured: %w", name, ports.ErrJobGivenUp)
	}
	seen, err := Look(ctx, provider, s.addresses[name], s.wall.Now())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		before, failed := s.store.WebhookChecks(ctx)
		if failed != nil {
			return fmt.Errorf("look at the webhook of %s: %w", name, failed)
		}
		if at := slices.IndexFunc(before, func(c core.WebhookCheck) bool { return c.Account == name }); at >= 0 {
			note, tried := seen.Note, seen.TriedAt
			seen = before[at]
			seen.Note, seen.TriedAt = note, tried
		}
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.SaveWebhookCheck(ctx, seen) })
	if err != nil {
		return fmt.Errorf("look at the webhook of %s: %w", name, err)
	}
	return nil
}

// Look asks a provider for its registered webhooks and compares those for address with what is
// needed here. The error says why it could not be read; then the state is unknown and the note says
// why, fit for staff.
func Look(ctx context.Context, provider ports.Provider, address string, now time.Time) (core.WebhookCheck, error) {
	check := core.WebhookCheck{Account: provider.Account(), State: core.WebhookUnknown, FirstAt: now, TriedAt: now}
	registrar, ok := provider.(ports.WebhookRegistrar)
	if !ok || !provider.Capabilities().Webhooks {
		check.Note = noteCannotAsk
		return check, errors.New(noteCannotAsk)
	}
	registered, err := registrar.Webhooks(ctx)
	if err != nil {
		check.Note = plain(err)
		return check, fmt.Errorf("list registered webhooks: %w", err)
	}
	check.CheckedAt = now
	check.State, check.Missing, check.APIVersions = compare(registered, address, registrar.NeededEvents())
	return check, nil
}

// compare reads what comes to an address. Several registrations for it are as good as one with the
// types of all.
func compare(registered []ports.RegisteredWebhook, address string, needed []string) (state core.WebhookState, missing, versions []string) {
	state, missing = core.WebhookAbsent, slices.Clone(needed)
	for _, one := range registered {
		switch {
		case one.URL != address:
			continue
		case !one.Enabled:
			if state == core.WebhookAbsent {
				state = core.WebhookDisabled
			}
			continue
		}
		state = core.WebhookRegistered
		missing = slices.DeleteFunc(missing, func(kind string) bool { return one.All || slices.Contains(one.Types, kind) })
		if one.APIVersion != "" && !slices.Contains(versions, one.APIVersion) {
			versions = append(versions, one.APIVersion)
		}
	}
	slices.Sort(versions)
	if len(missing) == 0 {
		missing = nil
	}
	return state, missing, versions
}

// plain is an error in words for staff.
func plain(err error) string {
	if refused, ok := errors.AsType[*core.ProviderError](err); ok {
		if refused.Foreign == "" {
			return fmt.Sprintf("the provider's answer: %s", refused.Class)
		}
		return fmt.Sprintf("the provider's answer: %s (%s)", refused.Class, refused.Foreign)
	}
	return "something inside went wrong; the log says what"
}
