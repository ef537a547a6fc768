package paypal

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// listDisputesMax is how many disputes a page has. A list shows little of each, so that each
	// takes a look-up, and another for its payment.
	listDisputesMax = 8
	// clocksApart is how far PayPal's clock may be from ours.
	clocksApart = time.Hour
	// disputesListed is how far back PayPal lists disputes, and may be asked about, less what clocks
	// may be apart.
	disputesListed = 180*24*time.Hour - clocksApart
	disputeTime    = "2006-01-02T15:04:05.000Z"
)

// lists is what can be listed by time, beside payments. Refunds and what subscriptions take are
// among the transactions alone, up to three hours late; subscriptions are nowhere.
func lists() map[core.ObjectKind]ports.ListAbilities {
	return map[core.ObjectKind]ports.ListAbilities{core.ObjectDispute: {Created: true, Changed: true}}
}

// ListObjects implements [ports.ObjectLister], for disputes of the last half year. A page has 8 at
// most, and may be empty before the last: PayPal has no end for the time of creation, and none that
// is to come for that of change, so that what came later is left out here.
//
// Source: GET /v1/customer/disputes.
func (a *Adapter) ListObjects(ctx context.Context, in ports.ListObjects) (ports.ObjectList, error) {
	op := a.op("list", string(in.Kind)+"s")
	if in.Kind != core.ObjectDispute {
		return ports.ObjectList{}, outbound.Invalid(op, errNotListed)
	}
	from, until, now := in.From.UTC(), in.Until.UTC(), a.now().UTC()
	if oldest := now.Add(-disputesListed); from.Before(oldest) {
		from = oldest
	}
	if !from.Before(until) {
		return ports.ObjectList{}, nil
	}
	query := url.Values{"page_size": {strconv.Itoa(min(max(in.Limit, 1), listDisputesMax))}}
	first := from.Truncate(time.Millisecond).Format(disputeTime)
	if in.Changed {
		query.Set("update_time_after", first)
		if until.Before(now.Add(-clocksApart)) {
			query.Set("update_time_before", until.Add(time.Millisecond-1).Truncate(time.Millisecond).Format(disputeTime))
		}
	} else {
		query.Set("start_time", first)
	}
	var shown DisputeList
	got, next, err := a.listPage(ctx, op, pathDisputesList, query, in.Cursor, &shown)
	if err != nil {
		return ports.ObjectList{}, err
	}
	if shown.Items == nil {
		return ports.ObjectList{}, unusable(op, got, errNoObject)
	}
	list := ports.ObjectList{}
	for _, one := range shown.Items[:min(len(shown.Items), listDisputesMax)] {
		at := parseTime(one.CreateTime)
		if in.Changed {
			at = parseTime(one.UpdateTime)
		}
		if !at.IsZero() && (at.Before(from) || !at.Before(until)) {
			continue
		}
		if outbound.SafeID(one.DisputeID) == "" {
			list.Unreadable++
			continue
		}
		seen, err := a.GetDispute(ctx, core.ProviderRef{Account: a.account, Kind: core.ObjectDispute, ID: one.DisputeID})
		switch {
		case isMissing(err), errors.Is(err, errNoObject), errors.Is(err, errAmountForeign):
			list.Unreadable++
		case err != nil:
			return ports.ObjectList{}, err
		default:
			list.Disputes = append(list.Disputes, seen)
		}
	}
	if len(shown.Items) > 0 {
		list.NextCursor, err = next(shown.Links)
	}
	return list, err
}
