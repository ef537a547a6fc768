package graph

import (
	"context"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
)

// replayEvent has a message taken up once more, or shows how it would stand then.
func (r *Resolver) replayEvent(ctx context.Context, in model.EventReplayInput) (*model.EventReplayPayload, error) {
	id, err := parseID[core.InboundID]("input.eventId", in.EventID)
	if err != nil {
		return nil, err
	}
	payload := &model.EventReplayPayload{}
	m := mutation{action: "event.replay", input: in, key: in.IdempotencyKey, dryRun: in.DryRun, subject: "eventId"}
	done, refused, err := r.mutate(ctx, m, func(ctx context.Context) error {
		_, err := r.inbox.PreviewReplay(ctx, id)
		payload.Preview = &model.Preview{StateAfter: new(strings.ToUpper(string(core.InboundReceived))), Warnings: []string{}}
		return err
	}, func(ctx context.Context, _ core.RequestKey) (string, error) {
		event, err := r.inbox.Replay(ctx, id)
		return string(event.ID), err
	})
	if payload.UserErrors = refused; err != nil || done == "" {
		return payload, err
	}
	event, err := r.store.Inbound(ctx, id)
	payload.Event = &model.InboundEvent{InboundEvent: event}
	return payload, err
}
