package portstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	providerWindow      = time.Hour
	providerListedCount = 5
	providerListPage    = 2
)

func providerLists(t *testing.T, d *providerDesk) {
	if !d.provider.Capabilities().ListPayments {
		_, err := d.provider.ListPayments(providerContext(t), ports.ListPayments{From: time.Now().Add(-providerWindow), Until: time.Now(), Limit: 1})
		requireRefused(t, err, core.ClassInvalid)
		return
	}
	made := map[string]core.PaymentSnapshot{}
	for range providerListedCount {
		seen := d.paid(t, core.CaptureAutomatic, CardSucceeds)
		made[seen.Ref.ID] = seen
	}
	at := time.Time{}
	for _, seen := range made {
		at = seen.CreatedAt
	}
	listed := d.listed(t, ports.ListPayments{From: at.Add(-providerWindow), Until: at.Add(providerWindow), Limit: providerListPage})
	require.Len(t, listed, len(made))
	for n, seen := range listed {
		d.requireSound(t, seen)
		require.Equal(t, made[seen.Ref.ID], seen)
		require.False(t, n > 0 && seen.CreatedAt.After(listed[n-1].CreatedAt), "newest first")
		delete(made, seen.Ref.ID)
	}
	require.Empty(t, made)

	require.Empty(t, d.listed(t, ports.ListPayments{From: at.Add(-2 * providerWindow), Until: at.Add(-providerWindow), Limit: core.PageItemsMax}))
	require.Empty(t, d.listed(t, ports.ListPayments{From: at.Add(providerWindow), Until: at.Add(2 * providerWindow), Limit: core.PageItemsMax}))
	all := d.listed(t, ports.ListPayments{From: at.Add(-providerWindow), Until: at.Add(providerWindow), Limit: core.PageItemsMax})
	require.Equal(t, listed, all)
}

// listed gives all pages of a window, each no longer than asked for.
func (d *providerDesk) listed(t *testing.T, in ports.ListPayments) []core.PaymentSnapshot {
	t.Helper()
	var all []core.PaymentSnapshot
	for range 2 * providerListedCount {
		list, err := d.provider.ListPayments(providerContext(t), in)
		require.NoError(t, err)
		require.LessOrEqual(t, len(list.Payments), in.Limit)
		all = append(all, list.Payments...)
		if list.NextCursor == "" {
			return all
		}
		in.Cursor = list.NextCursor
	}
	require.FailNow(t, "the pages have no end")
	return nil
}

// providerMinor is an amount that every currency has a coin or note for: above the least
// and below the most that providers take, and a multiple of ten thousand.
const providerMinor = 50_000

func providerCurrencies(t *testing.T, d *providerDesk) {
	for currency := range d.provider.Capabilities().Currencies {
		in := d.request(t, core.CaptureAutomatic)
		in.Amount = minor(t, providerMinor, currency)
		if d.mode() == ports.ConfirmWithSource {
			seen, err := d.ask(t, newKey(), d.agreed(t, in, CardSucceeds))
			require.NoError(t, err, currency)
			require.Equal(t, in.Amount, seen.Amount)
			require.Equal(t, in.Amount, seen.Captured)
			continue
		}
		session, err := d.provider.CreatePayment(providerContext(t), newKey(), in)
		require.NoError(t, err, currency)
		d.requireNew(t, in, session)
		require.Equal(t, session.Snapshot, d.seen(t, session.Snapshot.Ref))
	}
}

func providerAmounts(t *testing.T, d *providerDesk) {
	can := d.provider.Capabilities()
	var amounts []core.Money
	for _, currency := range core.Currencies() {
		if !can.Currencies[currency] {
			amounts = append(amounts, minor(t, providerMinor, currency))
		}
	}
	amounts = append(amounts, core.Zero("EUR"), minor(t, -1_00, "EUR"), core.Money{})
	for _, amount := range amounts {
		in := d.request(t, core.CaptureAutomatic)
		in.Amount = amount
		var err error
		if d.mode() == ports.ConfirmWithSource {
			_, err = d.ask(t, newKey(), ports.ConfirmPayment{CreatePayment: in, Ref: core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectPayment}, Source: "token"})
		} else {
			_, err = d.provider.CreatePayment(providerContext(t), newKey(), in)
		}
		requireRefused(t, err, core.ClassInvalid)
	}
	require.Zero(t, d.far.Effects(t))
}
