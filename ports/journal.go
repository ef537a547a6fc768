package ports

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
)

// ErrJournalUnavailable means that there is no durable place for a delivery right now,
// so that the provider must keep it and post it again.
var ErrJournalUnavailable = errors.New("journal has no durable place")

// Journal makes verified webhooks durable before their provider gets its 200.
//
// When Append returns nil, the delivery survives the death of the process and the
// machine's loss of power, and reaches Drain's accept at least once. Deliveries that
// wait at the same time share one write to disk. Append never waits for what Drain does.
type Journal interface {
	// Append blocks until the delivery is durable, refused with [ErrJournalUnavailable],
	// or ctx is done; then it may or may not become durable. The delivery's body belongs
	// to the caller again when it returns, whatever it returns.
	Append(ctx context.Context, delivery core.Delivery) error
	// Drain hands everything appended, oldest first and in batches, to accept until ctx
	// is done. A batch that accept fails on is handed over again after a pause; what it
	// took is never handed over again, but for a crash between the two. One Drain at a
	// time.
	Drain(ctx context.Context, accept AcceptDeliveries) error
	// Ready reports why the journal cannot take deliveries, or nil.
	Ready(ctx context.Context) error
}

// AcceptDeliveries takes a batch over for good: when it returns nil, all of it is stored,
// each event once.
type AcceptDeliveries func(ctx context.Context, batch []core.Delivery) error
