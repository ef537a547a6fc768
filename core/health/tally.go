package health

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// FlushEvery is how often counts are stored: what a process that is killed has not stored is lost.
	FlushEvery = 5 * time.Second
	// flushTimeMax bounds one try.
	flushTimeMax = 2 * time.Second
)

// Tally counts what becomes of posts to webhooks' addresses, in memory, and stores the sums every few
// seconds. It has a number for each configured account and known result and never grows.
type Tally struct {
	store  ports.Store
	wall   ports.Clock
	counts map[tallied]*atomic.Int64 // the map never changes
}

type tallied struct {
	account core.AccountName
	result  core.DeliveryResult
}

// NewTally makes the counter. wall is the time of the world.
func NewTally(store ports.Store, wall ports.Clock, accounts []core.AccountName) *Tally {
	t := &Tally{store: store, wall: wall, counts: make(map[tallied]*atomic.Int64)}
	for _, account := range accounts {
		for _, result := range core.DeliveryResults() {
			t.counts[tallied{account, result}] = new(atomic.Int64)
		}
	}
	return t
}

// Count implements [ports.DeliveryTally]. Other accounts and results are not counted.
func (t *Tally) Count(account core.AccountName, result core.DeliveryResult) {
	if count, ok := t.counts[tallied{account, result}]; ok {
		count.Add(1)
	}
}

// Flush stores what was counted since the last time. What could not be stored is stored by the next
// one, in that one's hour; where the answer to the commit was lost, it may be counted twice.
func (t *Tally) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeMax)
	defer cancel()
	hour := t.wall.Now().UTC().Truncate(time.Hour)
	var counts []core.DeliveryCount
	for of, count := range t.counts {
		if n := count.Swap(0); n > 0 {
			counts = append(counts, core.DeliveryCount{Account: of.account, Result: of.result, Hour: hour, Count: n})
		}
	}
	if len(counts) == 0 {
		return nil
	}
	err := t.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.AddDeliveryCounts(ctx, counts) })
	if err != nil {
		for _, c := range counts {
			t.counts[tallied{c.Account, c.Result}].Add(c.Count)
		}
		return fmt.Errorf("store what became of webhooks: %w", err)
	}
	return nil
}
