package portstest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// historyChapters are about what a provider can be asked for by time, and about its webhooks.
func historyChapters() []providerChapter {
	return []providerChapter{
		{"lists its events", providerListsEvents},
		{"lists its events for as long as it says", providerKeepsEvents},
		{"lists what was created in a window", providerListsCreated},
		{"lists what was changed in a window", providerListsChanged},
		{"lists nothing that it does not claim to", providerListsUnclaimed},
		{"refuses cursors that it never gave", providerOddCursors},
		{"goes wrong while listing what was", providerHistoryFaults},
		{"tells which webhooks there are", providerWebhooks},
	}
}

const (
	// historyPagesMax is far above the pages that what a chapter makes has.
	historyPagesMax = 100
	// historyMade objects are on two pages at least.
	historyMade = 3
	// historyLongAgo is longer than any provider keeps events.
	historyLongAgo = 400 * 24 * time.Hour
	// historyForgotten is more than providers keep beyond what is claimed.
	historyForgotten = 365 * 24 * time.Hour
	// historyOddCursor has the form of no provider's cursors.
	historyOddCursor = "nobody-gave-this"
)

// requireEvents skips a chapter about events, and holds a provider to what it claims.
func (d *providerDesk) requireEvents(t *testing.T) ports.EventLister {
	t.Helper()
	lister, ok := d.provider.(ports.EventLister)
	if d.provider.Capabilities().EventsKept == 0 {
		if ok {
			_, err := lister.ListEvents(providerContext(t), ports.ListEvents{From: time.Now().Add(-providerWindow), Until: time.Now(), Limit: 1})
			requireRefused(t, err, core.ClassInvalid)
		}
		t.Skip("not claimed: events")
	}
	require.True(t, ok, "what is claimed is there")
	if _, shy := d.far.(PageShy); shy {
		t.Skip("not there: a far end that lists an event at once")
	}
	return lister
}

// events gives all events of a window.
func (d *providerDesk) events(t *testing.T, in ports.ListEvents) map[string]ports.ListedEvent {
	t.Helper()
	lister, _ := d.provider.(ports.EventLister)
	all := map[string]ports.ListedEvent{}
	for range historyPagesMax {
		list, err := lister.ListEvents(providerContext(t), in)
		require.NoError(t, err)
		require.Zero(t, list.Unreadable)
		require.LessOrEqual(t, len(list.Events), in.Limit)
		for _, e := range list.Events {
			d.requireSoundEvent(t, in, e)
			require.NotContains(t, all, e.ProviderEventID, "each stands on one page")
			all[e.ProviderEventID] = e
		}
		if list.NextCursor == "" {
			return all
		}
		in.Cursor = list.NextCursor
	}
	require.FailNow(t, "the pages have no end")
	return nil
}

// requireSoundEvent holds what is true of every event of a window.
func (d *providerDesk) requireSoundEvent(t *testing.T, in ports.ListEvents, e ports.ListedEvent) {
	t.Helper()
	require.Equal(t, d.provider.Account(), e.Account)
	require.NotEmpty(t, e.ProviderEventID)
	require.NotEmpty(t, e.Type)
	require.True(t, json.Valid(e.Body))
	require.Zero(t, e.ReceivedAt, "the caller receives it")
	require.Empty(t, e.Trace)
	require.Equal(t, time.UTC, e.MadeAt.Location())
	require.False(t, e.MadeAt.Before(in.From) || !e.MadeAt.Before(in.Until), "%s is in the window", e.MadeAt)
	if e.Ref != (core.ProviderRef{}) {
		require.Equal(t, d.provider.Account(), e.Ref.Account)
		require.NotEmpty(t, e.Ref.Kind)
		require.NotEmpty(t, e.Ref.ID)
	}
	if registrar, ok := d.provider.(ports.WebhookRegistrar); ok && slices.Contains(registrar.NeededEvents(), e.Type) {
		require.NotEmpty(t, e.Ref.ID, "%s is needed, so that it leads somewhere", e.Type)
	}
}

// telling takes a payment and does what its provider makes events of, and gives what they are
// about.
func (d *providerDesk) telling(t *testing.T) (about []core.ProviderRef, at time.Time) {
	t.Helper()
	taken := d.paid(t, core.CaptureAutomatic, CardSucceeds)
	about = append(about, taken.Ref)
	if d.provider.Capabilities().Refund {
		refund, err := d.giveBack(t, newKey(), taken, 1_00)
		require.NoError(t, err)
		about = append(about, refund.Ref)
	}
	if far, ok := d.far.(Disputable); ok && d.provider.Capabilities().Disputes != nil {
		id := far.OpenDispute(t, d.paid(t, core.CaptureAutomatic, CardSucceeds).Payment, false)
		about = append(about, core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectDispute, ID: id})
	}
	if far, ok := d.far.(Reporting); ok {
		for _, ref := range about {
			far.Happen(string(ref.Kind)+".changed", ref)
		}
	}
	return about, taken.CreatedAt
}

func providerListsEvents(t *testing.T, d *providerDesk) {
	d.requireEvents(t)
	about, at := d.telling(t)
	before := d.far.Effects(t)
	in := ports.ListEvents{From: at.Add(-providerWindow), Until: at.Add(providerWindow), Limit: providerListPage}
	listed := d.events(t, in)
	found := map[core.ProviderRef]bool{}
	for _, e := range listed {
		found[e.Ref] = true
	}
	for _, ref := range about {
		require.True(t, found[ref], "%s is told of", ref.Kind)
	}
	in.Limit = core.PageItemsMax
	again := d.events(t, in)
	for id, e := range listed {
		require.Equal(t, e, again[id], "pages of another size hold the same")
	}
	for _, beside := range [][2]time.Duration{{-2 * providerWindow, -providerWindow}, {providerWindow, 2 * providerWindow}} {
		require.Empty(t, d.events(t, ports.ListEvents{From: at.Add(beside[0]), Until: at.Add(beside[1]), Limit: core.PageItemsMax}))
	}
	require.Equal(t, before, d.far.Effects(t), "looking changes nothing")
}

func providerKeepsEvents(t *testing.T, d *providerDesk) {
	d.requireEvents(t)
	far, ok := d.far.(Timely)
	if !ok {
		t.Skip("not there: a far end whose time can be moved")
	}
	_, at := d.telling(t)
	kept := d.provider.Capabilities().EventsKept
	in := ports.ListEvents{From: at.Add(-historyLongAgo), Until: at.Add(providerWindow), Limit: core.PageItemsMax}
	made := d.events(t, in)
	require.NotEmpty(t, made)
	far.Elapse(t, kept-providerWindow)
	still := d.events(t, in)
	for id := range made {
		require.Contains(t, still, id, "it is listed until the end of what is claimed")
	}
	far.Elapse(t, historyForgotten)
	require.Empty(t, d.events(t, in), "a window of what is forgotten is cut, and no error")
}

// historyAbility is a kind with a time that it can be listed by.
type historyAbility struct {
	kind    core.ObjectKind
	changed bool
}

func (d *providerDesk) listAbilities() (all []historyAbility) {
	lists := d.provider.Capabilities().Lists
	for _, kind := range slices.Sorted(maps.Keys(lists)) {
		if lists[kind].Created {
			all = append(all, historyAbility{kind, false})
		}
		if lists[kind].Changed {
			all = append(all, historyAbility{kind, true})
		}
	}
	return all
}

// requireLists skips a chapter about lists of objects, and holds a provider to what it claims.
func (d *providerDesk) requireLists(t *testing.T) ports.ObjectLister {
	t.Helper()
	if len(d.listAbilities()) == 0 {
		t.Skip("not claimed: lists of objects")
	}
	lister, ok := d.provider.(ports.ObjectLister)
	require.True(t, ok, "what is claimed is there")
	if _, shy := d.far.(PageShy); shy {
		t.Skip("not there: a far end that lists an object at once")
	}
	return lister
}

// objects gives all objects of a window, by what they are.
func (d *providerDesk) objects(t *testing.T, in ports.ListObjects) map[core.ProviderRef]any {
	t.Helper()
	lister, _ := d.provider.(ports.ObjectLister)
	all := map[core.ProviderRef]any{}
	for range historyPagesMax {
		list, err := lister.ListObjects(providerContext(t), in)
		require.NoError(t, err)
		require.Zero(t, list.Unreadable)
		page := flattened(list)
		require.LessOrEqual(t, len(page), core.PageItemsMax)
		for ref, seen := range page {
			require.Equal(t, in.Kind, ref.Kind)
			require.NotContains(t, all, ref, "each stands on one page")
			all[ref] = seen
		}
		if list.NextCursor == "" {
			return all
		}
		in.Cursor = list.NextCursor
	}
	require.FailNow(t, "the pages have no end")
	return nil
}

func flattened(list ports.ObjectList) map[core.ProviderRef]any {
	all := map[core.ProviderRef]any{}
	for _, seen := range list.Payments {
		all[seen.Ref] = seen
	}
	for _, seen := range list.Refunds {
		all[seen.Ref] = seen
	}
	for _, seen := range list.Disputes {
		all[seen.Ref] = seen
	}
	for _, seen := range list.Subscriptions {
		all[seen.Ref] = listedSubscription(seen)
	}
	return all
}

// listedSubscription is what every list shows of a subscription.
func listedSubscription(seen core.SubscriptionSnapshot) core.SubscriptionSnapshot {
	return core.SubscriptionSnapshot{
		Ref: seen.Ref, ForeignStatus: seen.ForeignStatus, Price: seen.Price, Quantity: seen.Quantity, CancelAtPeriodEnd: seen.CancelAtPeriodEnd,
		Environment: seen.Environment, CreatedAt: seen.CreatedAt,
	}
}

// madeObject makes an object of a kind, if its far end can, and gives how to look at it.
func (d *providerDesk) madeObject(t *testing.T, kind core.ObjectKind) (ref core.ProviderRef, look func() any, made bool) {
	t.Helper()
	switch kind {
	case core.ObjectPayment:
		ref = d.paid(t, core.CaptureAutomatic, CardSucceeds).Ref
		return ref, func() any { return d.seen(t, ref) }, true
	case core.ObjectRefund:
		refund, err := d.giveBack(t, newKey(), d.paid(t, core.CaptureAutomatic, CardSucceeds), 1_00)
		require.NoError(t, err)
		return refund.Ref, func() any { return d.seenRefund(t, refund.Ref) }, true
	case core.ObjectDispute:
		if _, ok := d.far.(Disputable); !ok {
			return ref, nil, false
		}
		_, ref = d.dispute(t, false)
		return ref, func() any { return d.seenDispute(t, ref) }, true
	case core.ObjectSubscription:
		if _, ok := d.far.(Billed); !ok {
			return ref, nil, false
		}
		b := d.billed(t)
		ref = b.subscribed(t, 0).Ref
		return ref, func() any { return listedSubscription(b.look(t, ref)) }, true
	case core.ObjectSession, core.ObjectMethod, core.ObjectSetup, core.ObjectInvoice:
	}
	require.FailNow(t, "there is no list of these", kind)
	return ref, nil, false
}

// createdAt is when an object came to be.
func createdAt(seen any) time.Time {
	switch seen := seen.(type) {
	case core.PaymentSnapshot:
		return seen.CreatedAt
	case core.RefundSnapshot:
		return seen.CreatedAt
	case core.DisputeSnapshot:
		return seen.OpenedAt
	case core.SubscriptionSnapshot:
		return seen.CreatedAt
	}
	return time.Time{}
}

// madeObjects makes some objects of a kind, each as it stands afterwards; nil where nothing can.
func (d *providerDesk) madeObjects(t *testing.T, kind core.ObjectKind) (all map[core.ProviderRef]any, at time.Time) {
	t.Helper()
	looks := map[core.ProviderRef]func() any{}
	for range historyMade {
		ref, look, made := d.madeObject(t, kind)
		if !made {
			return nil, at
		}
		looks[ref] = look
	}
	all = map[core.ProviderRef]any{}
	for ref, look := range looks {
		all[ref] = look()
		at = createdAt(all[ref])
	}
	return all, at
}

func providerListsCreated(t *testing.T, d *providerDesk) {
	d.requireLists(t)
	for _, can := range d.listAbilities() {
		if can.changed {
			continue
		}
		made, at := d.madeObjects(t, can.kind)
		if made == nil {
			continue
		}
		in := ports.ListObjects{Kind: can.kind, From: at.Add(-providerWindow), Until: at.Add(providerWindow), Limit: providerListPage}
		listed := d.objects(t, in)
		for ref, seen := range made {
			require.Equal(t, seen, listed[ref], "%s is listed as a look shows it", can.kind)
		}
		for _, seen := range listed {
			require.False(t, createdAt(seen).Before(in.From) || !createdAt(seen).Before(in.Until), "%s is of the window", can.kind)
		}
		in.Limit = core.PageItemsMax
		require.Equal(t, listed, d.objects(t, in), "pages of another size hold the same")
		for _, beside := range [][2]time.Duration{{-2 * providerWindow, -providerWindow}, {providerWindow, 2 * providerWindow}} {
			in.From, in.Until = at.Add(beside[0]), at.Add(beside[1])
			require.Empty(t, d.objects(t, in), can.kind)
		}
		in.From, in.Until = at.Add(-historyLongAgo), at.Add(providerWindow)
		require.Equal(t, listed, d.objects(t, in), "a window further back than anything is cut, and no error")
	}
}

// providerListsChanged has one of some objects change later than they were made.
func providerListsChanged(t *testing.T, d *providerDesk) {
	d.requireLists(t)
	for _, can := range d.listAbilities() {
		if !can.changed {
			continue
		}
		made, at := d.madeObjects(t, can.kind)
		if made == nil {
			continue
		}
		in := ports.ListObjects{Kind: can.kind, Changed: true, From: at.Add(-providerWindow), Until: at.Add(providerWindow), Limit: providerListPage}
		listed := d.objects(t, in)
		for ref, seen := range made {
			require.Equal(t, seen, listed[ref], "%s is listed as a look shows it", can.kind)
		}
		far, ok := d.far.(Timely)
		if !ok {
			continue
		}
		far.Elapse(t, 2*providerWindow)
		touched, did := d.touched(t, made)
		if !did {
			continue
		}
		in.From, in.Until = at.Add(providerWindow), at.Add(3*providerWindow)
		listed = d.objects(t, in)
		for ref := range made {
			require.Equal(t, ref == touched, listed[ref] != nil, "%s that was changed is the one that is listed", can.kind)
		}
	}
}

// touched has one of some objects change, if there is a way.
func (d *providerDesk) touched(t *testing.T, made map[core.ProviderRef]any) (core.ProviderRef, bool) {
	t.Helper()
	for ref, seen := range made {
		switch seen := seen.(type) {
		case core.PaymentSnapshot:
			_, err := d.giveBack(t, newKey(), seen, 1_00)
			require.NoError(t, err)
			return ref, true
		case core.DisputeSnapshot:
			far, ok := d.far.(Disputable)
			require.True(t, ok)
			far.CloseDispute(t, ref.ID, DisputeIsWon)
			return ref, true
		}
	}
	return core.ProviderRef{}, false
}

// providerListsUnclaimed asks for lists that a provider does not claim.
func providerListsUnclaimed(t *testing.T, d *providerDesk) {
	lister, ok := d.provider.(ports.ObjectLister)
	if !ok {
		require.Empty(t, d.provider.Capabilities().Lists, "what is claimed is there")
		return
	}
	sent := d.far.Effects(t)
	claimed := d.listAbilities()
	for _, kind := range []core.ObjectKind{
		core.ObjectPayment, core.ObjectRefund, core.ObjectDispute, core.ObjectSubscription, core.ObjectSession, core.ObjectMethod, core.ObjectInvoice, "other",
	} {
		for _, changed := range []bool{false, true} {
			if slices.Contains(claimed, historyAbility{kind, changed}) {
				continue
			}
			_, err := lister.ListObjects(providerContext(t), ports.ListObjects{
				Kind: kind, Changed: changed, From: time.Now().Add(-providerWindow), Until: time.Now(), Limit: 1,
			})
			requireRefused(t, err, core.ClassInvalid)
		}
	}
	require.Equal(t, sent, d.far.Effects(t))
}
