package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// eventsLimitMax bounds how many events one listing prints.
const eventsLimitMax = 1_000_000

type eventsCommand struct {
	List     eventsList     `cmd:"" help:"List events, newest first."`
	Show     eventsShow     `cmd:"" help:"Show one event with its payload."`
	Replay   eventsReplay   `cmd:"" help:"Have an event's object looked at again."`
	Backfill eventsBackfill `cmd:"" help:"Ask the providers for what no webhook brought."`
}

type eventsList struct {
	JSON  bool `help:"Print one JSON object a line."`
	Limit int  `default:"50" help:"How many at the most."`
}

// Run lists events.
func (c *eventsList) Run(ctx context.Context, r *run) error {
	if c.Limit < 1 || c.Limit > eventsLimitMax {
		return fmt.Errorf("%w: --limit must be from 1 to %d", errUsage, eventsLimitMax)
	}
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	rows := [][]string{{"ID", "ACCOUNT", "PROVIDER EVENT", "TYPE", "STATUS", "RECEIVED"}}
	page := core.PageRequest{}
	for left := c.Limit; left > 0; {
		page.Limit = min(left, core.PageItemsMax)
		got, err := tools.Store.InboundEvents(ctx, ports.InboundFilter{}, page)
		if err != nil {
			return err
		}
		for _, e := range got.Items {
			if c.JSON {
				if err := printJSON(r, eventLine(e)); err != nil {
					return err
				}
			}
			rows = append(rows, []string{string(e.ID), string(e.Account), e.ProviderEventID, e.Type, string(e.Status), stamp(e.ReceivedAt)})
		}
		left -= len(got.Items)
		if !got.HasNext || len(got.Items) == 0 {
			break
		}
		last := got.Items[len(got.Items)-1]
		page.After = &core.Cursor{At: last.ReceivedAt, ID: string(last.ID)}
	}
	if c.JSON {
		return nil
	}
	return table(r, rows)
}

func eventLine(e core.InboundEvent) map[string]any {
	return map[string]any{
		"id": e.ID, "account": e.Account, "provider_event_id": e.ProviderEventID, "type": e.Type,
		"status": e.Status, "source": e.Source, "received_at": stamp(e.ReceivedAt), "processed_at": orNull(stamp(e.ProcessedAt)),
		"object": orNull(e.Ref.ID), "note": orNull(e.Note),
	}
}

type eventsShow struct {
	ID string `arg:"" help:"The event's id (evt_…)."`
}

// Run shows one event.
func (c *eventsShow) Run(ctx context.Context, r *run) error {
	id, err := core.ParseID[core.InboundID](c.ID)
	if err != nil {
		return fmt.Errorf("%w: id %w", errUsage, err)
	}
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	event, err := tools.Store.Inbound(ctx, id)
	if err != nil {
		return err
	}
	line := eventLine(event)
	line["payload"] = json.RawMessage(event.Body)
	return printJSON(r, line)
}

type eventsReplay struct {
	IDs []string `arg:"" name:"id" help:"Ids of events (evt_…)."`
}

// Run has events looked at again; the running server does the work.
func (c *eventsReplay) Run(ctx context.Context, r *run) error {
	ids := make([]core.InboundID, len(c.IDs))
	for i, text := range c.IDs {
		id, err := core.ParseID[core.InboundID](text)
		if err != nil {
			return fmt.Errorf("%w: id %w", errUsage, err)
		}
		ids[i] = id
	}
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for _, id := range ids {
		if _, err := tools.Inbox.Replay(ctx, id); err != nil {
			return err
		}
		r.printf("%s will be looked at again\n", id)
	}
	return nil
}
