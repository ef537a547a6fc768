package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
)

type eventQuery struct {
	After  string   `query:"after" doc:"Only what came after: an event's id or its sequence"`
	Types  []string `query:"types" doc:"Only these, with commas between them"`
	Limit  int      `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor string   `query:"cursor" doc:"The next_cursor of the page before"`
}

// Event is an event as storefronts see it.
type Event struct {
	ID        core.EventID    `json:"id" doc:"The webhook-id of its notifications"`
	Sequence  int64           `json:"sequence" doc:"Grows without gaps"`
	Type      core.EventType  `json:"type"`
	Timestamp view.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data" doc:"The object as it stood when the event happened"`
}

func (s *server) events(api huma.API) {
	events := operation("listEvents", http.MethodGet, "/v1/events", http.StatusOK, "List what happened, in order")
	events.Description = "For those who would rather poll than be notified. Events become visible in the order of their sequence: " +
		"whoever asks for what came after the last one that they saw misses none."
	huma.Register(api, events, s.listEvents)
}

func (s *server) listEvents(ctx context.Context, in *eventQuery) (*answer[list[Event]], error) {
	after, err := s.sequence(ctx, in)
	if err != nil {
		return nil, err
	}
	types := make([]core.EventType, len(in.Types))
	for i, t := range in.Types {
		if types[i] = core.EventType(t); !slices.Contains(core.EventTypes(), types[i]) {
			return nil, invalidFields(FieldError{Location: "query.types", Message: "must be a type of event, or several with commas between them"})
		}
	}
	found, err := s.endpoints.Events(ctx, after, types, in.Limit+1)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	part := list[Event]{Data: make([]Event, 0, len(found))}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next := strconv.FormatInt(found[in.Limit-1].Sequence, 10)
		part.NextCursor = &next
	}
	for _, e := range found {
		part.Data = append(part.Data, Event{e.ID, e.Sequence, e.Type, view.Time{Time: e.OccurredAt}, e.Data})
	}
	return answered(http.StatusOK, part), nil
}

// sequence reads where to go on; the cursor wins over after.
func (s *server) sequence(ctx context.Context, in *eventQuery) (int64, error) {
	name, text := "after", in.After
	if in.Cursor != "" {
		name, text = "cursor", in.Cursor
	}
	if text == "" {
		return 0, nil
	}
	refused := invalidFields(FieldError{Location: "query." + name, Message: "must be an event's id or its sequence"})
	if !strings.HasPrefix(text, "msg_") {
		sequence, err := strconv.ParseInt(text, 10, 64)
		if err != nil || sequence < 0 {
			return 0, refused
		}
		return sequence, nil
	}
	id, err := core.ParseID[core.EventID](text)
	if err != nil {
		return 0, refused
	}
	event, err := s.endpoints.Event(ctx, id)
	if err != nil {
		return 0, s.problemOf(ctx, err)
	}
	return event.Sequence, nil
}
