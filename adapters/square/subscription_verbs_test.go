package square_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// verbs are the calls that change a subscription.
var verbs = map[string]func(*testing.T, *square.Adapter) (core.SubscriptionSnapshot, error){
	"pause": func(t *testing.T, a *square.Adapter) (core.SubscriptionSnapshot, error) {
		t.Helper()
		return a.PauseSubscription(t.Context(), "op_1", subscriptionRef)
	},
	"resume": func(t *testing.T, a *square.Adapter) (core.SubscriptionSnapshot, error) {
		t.Helper()
		return a.ResumeSubscription(t.Context(), "op_1", subscriptionRef)
	},
	"cancel": func(t *testing.T, a *square.Adapter) (core.SubscriptionSnapshot, error) {
		t.Helper()
		return a.CancelSubscription(t.Context(), "op_1", ports.CancelSubscription{Ref: subscriptionRef, AtPeriodEnd: true})
	},
	"cancel now": func(t *testing.T, a *square.Adapter) (core.SubscriptionSnapshot, error) {
		t.Helper()
		return a.CancelSubscription(t.Context(), "op_1", ports.CancelSubscription{Ref: subscriptionRef})
	},
	"keep": func(t *testing.T, a *square.Adapter) (core.SubscriptionSnapshot, error) {
		t.Helper()
		return a.KeepSubscription(t.Context(), "op_1", subscriptionRef)
	},
	"swap": func(t *testing.T, a *square.Adapter) (core.SubscriptionSnapshot, error) {
		t.Helper()
		return a.UpdateSubscriptionMethod(t.Context(), "op_1", subscriptionRef, "ccof:C2")
	},
	"swap to nothing": func(t *testing.T, a *square.Adapter) (core.SubscriptionSnapshot, error) {
		t.Helper()
		return a.UpdateSubscriptionMethod(t.Context(), "op_1", subscriptionRef, "")
	},
	"change": func(t *testing.T, a *square.Adapter) (core.SubscriptionSnapshot, error) {
		t.Helper()
		session, err := a.ChangeSubscription(t.Context(), "op_1", ports.ChangeSubscription{
			Ref: subscriptionRef, Price: core.Price{Amount: money(t, 1500, "EUR")}, ProviderPrice: "VAR2", Quantity: 1,
		})
		require.Zero(t, session.Action, "the buyer is not asked")
		return session.Snapshot, err
	},
}

const (
	pausing   = `{"id":"A1","type":"PAUSE","effective_date":"2026-02-02"}`
	resuming  = `{"id":"A2","type":"RESUME","effective_date":"2026-03-02"}`
	canceling = `{"id":"A3","type":"CANCEL","effective_date":"2026-02-01"}`
	swapping  = `{"id":"A4","type":"SWAP_PLAN","effective_date":"2026-02-02","new_plan_variation_id":"VAR2"}`
	swapOther = `{"id":"A5","type":"SWAP_PLAN","effective_date":"2026-02-02","new_plan_variation_id":"VAR3"}`
)

// TestVerbs: each looks first, does what is missing, which may be nothing, and looks again.
func TestVerbs(t *testing.T) {
	t.Parallel()
	const at = "/v2/subscriptions/S1"
	ending := []string{`"version"`, `"canceled_date":"2026-02-01","version"`}
	clears := map[string]any{"subscription": map[string]any{"canceled_date": nil}}
	swaps := map[string]any{"subscription": map[string]any{"card_id": "ccof:C2"}}
	plan := map[string]any{"new_plan_variation_id": "VAR2"}
	for name, c := range map[string]struct {
		verb, status, actions string
		changes               []string
		calls                 []asked // that change something
		refused               bool    // by ourselves
	}{
		"pauses":                          {verb: "pause", status: "ACTIVE", calls: []asked{{line: "POST " + at + "/pause", body: map[string]any{}}}},
		"is to be paused":                 {verb: "pause", status: "ACTIVE", actions: pausing},
		"is paused":                       {verb: "pause", status: "PAUSED"},
		"resumes":                         {verb: "resume", status: "PAUSED", calls: []asked{{line: "POST " + at + "/resume", body: map[string]any{}}}},
		"resumes what was given up":       {verb: "resume", status: "DEACTIVATED", calls: []asked{{line: "POST " + at + "/resume", body: map[string]any{}}}},
		"resumes earlier":                 {verb: "resume", status: "PAUSED", actions: resuming, calls: []asked{{line: "DELETE " + at + "/actions/A2"}, {line: "POST " + at + "/resume", body: map[string]any{}}}},
		"is not to be paused any more":    {verb: "resume", status: "ACTIVE", actions: pausing + "," + swapping, calls: []asked{{line: "DELETE " + at + "/actions/A1"}}},
		"goes on":                         {verb: "resume", status: "ACTIVE"},
		"ends":                            {verb: "cancel", status: "ACTIVE", calls: []asked{{line: "POST " + at + "/cancel"}}},
		"is to end":                       {verb: "cancel", status: "ACTIVE", actions: canceling, changes: ending},
		"has ended":                       {verb: "cancel", status: "CANCELED"},
		"has ended now":                   {verb: "cancel now", status: "CANCELED"},
		"does not end now":                {verb: "cancel now", status: "ACTIVE", refused: true},
		"does not end sooner":             {verb: "cancel now", status: "ACTIVE", actions: canceling, changes: ending, refused: true},
		"is kept":                         {verb: "keep", status: "ACTIVE", actions: canceling, changes: ending, calls: []asked{{line: "DELETE " + at + "/actions/A3"}}},
		"is kept without an action":       {verb: "keep", status: "ACTIVE", changes: ending, calls: []asked{{line: "PUT " + at, body: clears}}},
		"stays":                           {verb: "keep", status: "ACTIVE"},
		"is gone":                         {verb: "keep", status: "CANCELED", refused: true},
		"takes another card":              {verb: "swap", status: "ACTIVE", calls: []asked{{line: "PUT " + at, body: swaps}}},
		"has that card":                   {verb: "swap", status: "ACTIVE", changes: []string{"ccof:C1", "ccof:C2"}},
		"takes no card":                   {verb: "swap to nothing", status: "ACTIVE", refused: true},
		"takes another price":             {verb: "change", status: "ACTIVE", calls: []asked{{line: "POST " + at + "/swap-plan", body: plan}}},
		"is to take that price":           {verb: "change", status: "ACTIVE", actions: swapping},
		"was to take a third price":       {verb: "change", status: "ACTIVE", actions: swapOther, calls: []asked{{line: "DELETE " + at + "/actions/A5"}, {line: "POST " + at + "/swap-plan", body: plan}}},
		"has that price, and was to lose": {verb: "change", status: "ACTIVE", actions: swapOther, changes: []string{"VAR1", "VAR2"}, calls: []asked{{line: "DELETE " + at + "/actions/A5"}}},
		"has that price":                  {verb: "change", status: "ACTIVE", changes: []string{"VAR1", "VAR2"}},
	} {
		now := subscription(c.status, c.actions, c.changes...)
		answers := append([]string{now}, slices.Repeat([]string{now}, len(c.calls))...)
		if len(c.calls) > 0 {
			answers = append(answers, now)
		}
		rest := looked()
		if slices.Contains(c.changes, "VAR2") {
			rest[0] = variation("VAR1", "VAR2")
		}
		if slices.Contains(c.changes, "ccof:C2") {
			rest[1] = onFile("ccof:C1", "ccof:C2")
		}
		if c.refused {
			rest = nil
		}
		adapter, script := open(t, append(answers, rest...)...)
		seen, err := verbs[c.verb](t, adapter)
		require.Empty(t, script.answers, name)
		require.Equal(t, "GET "+at+"?include=actions", script.calls[0].line)
		if c.refused {
			require.Equal(t, core.ClassInvalid, class(t, err), name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, subscriptionRef, seen.Ref)
		require.Len(t, seen.Invoices, 1, "the look is whole")
		if len(c.calls) > 0 {
			require.Equal(t, c.calls, script.calls[1:1+len(c.calls)], name)
			require.Equal(t, "GET "+at+"?include=actions", script.calls[1+len(c.calls)].line, name)
		}
	}
}

func TestVerbsThatGoWrong(t *testing.T) {
	t.Parallel()
	now := subscription("ACTIVE", "")
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"there is none":                      {[]string{missing}, core.ClassInvalid},
		"it cannot be looked at":             {[]string{limited}, core.ClassRetryable},
		"it is refused":                      {[]string{now, badRequest}, core.ClassInvalid},
		"it is too soon":                     {[]string{now, limited}, core.ClassRetryable},
		"there is no answer":                 {[]string{now, down}, core.ClassUnknown},
		"the answer is another's":            {[]string{now, subscription("ACTIVE", "", `"S1"`, `"S2"`)}, core.ClassUnknown},
		"it cannot be looked at afterwards":  {[]string{now, now, limited}, core.ClassUnknown},
		"it is not to be seen afterwards":    {[]string{now, now, missing}, core.ClassUnknown},
		"what it refers to is not to be had": {[]string{now, now, now, badRequest}, core.ClassUnknown},
	} {
		for _, verb := range []string{"pause", "cancel", "swap", "change"} {
			adapter, script := open(t, c.answers...)
			_, err := verbs[verb](t, adapter)
			require.Equal(t, c.class.String(), class(t, err).String(), "%s: %s", verb, name)
			require.Empty(t, script.answers, name)
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	in := ports.ChangeSubscription{Ref: subscriptionRef, Price: core.Price{Amount: money(t, 1500, "EUR")}, ProviderPrice: "VAR2", Quantity: 1}
	adapter, script := open(t, subscription("ACTIVE", ""), subscription("PENDING", "", `"charged_through_date":"2026-02-01",`, ""), missing)
	seen, err := adapter.PreviewChange(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, ports.ChangePreview{
		DueNow: core.Zero("EUR"), NextAmount: money(t, 1500, "EUR"), NextAt: utc(2026, 2, 2), EffectiveAt: utc(2026, 2, 2),
	}, seen)
	seen, err = adapter.PreviewChange(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, utc(2026, 1, 2), seen.NextAt, "when its trial ends")
	_, err = adapter.PreviewChange(t.Context(), in)
	require.Equal(t, ports.ForeignMissing, foreign(t, err))
	require.Len(t, script.calls, 3)
}

func TestOpenSubscription(t *testing.T) {
	t.Parallel()
	adapter, _ := open(t, append([]string{subscription("ACTIVE", "")}, looked()...)...)
	session, err := adapter.OpenSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Zero(t, session.Action)
	require.Equal(t, core.SubscriptionActive, session.Snapshot.Status)
}

// TestAbilities: what is claimed is honest, and nobody can change it.
func TestAbilities(t *testing.T) {
	t.Parallel()
	adapter := newAdapter(t, nil)
	can := adapter.Capabilities()
	require.True(t, can.Vault && can.Refund)
	require.True(t, can.Disputes.Evidence && can.Disputes.Accept)
	bills := *can.Subscriptions
	bills.Periods = nil
	require.Equal(t, ports.SubscriptionAbilities{
		TrialDaysMax: 365, QuantityMax: 1, Pause: true, CancelLater: true, KeepCanceled: true, SwapMethod: true,
	}, bills)
	can.Subscriptions.Periods[core.IntervalMonth] = nil
	can.Disputes.Fields[0] = "x"
	require.NotEqual(t, can, adapter.Capabilities())
}
