// Package notify tells storefronts what happened: it keeps their endpoints and brings
// each committed event to those that want it, at least once.
package notify

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Limits of endpoints.
const (
	endpointURLMax = 2048 // characters
	endpointsMax   = 32
)

// Service holds the use cases. It is safe for concurrent use.
type Service struct {
	store    ports.Store
	notifier ports.Notifier
	clock    ports.Clock
	ids      ports.IDs
	env      core.Environment
}

// New makes the service.
func New(store ports.Store, notifier ports.Notifier, clock ports.Clock, ids ports.IDs, env core.Environment) *Service {
	return &Service{store: store, notifier: notifier, clock: clock, ids: ids, env: env}
}

// message is the body of a notification.
type message struct {
	Type      core.EventType  `json:"type"`
	Timestamp string          `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// Deliver tries once to bring an event to an endpoint. An endpoint that answers 410 Gone
// is disabled; any other trouble is an error, so that the job runs again. It is the
// handler of [ports.JobNotify].
func (s *Service) Deliver(ctx context.Context, job ports.Job) error {
	endpoint, err := s.store.Endpoint(ctx, job.Endpoint)
	if err != nil {
		return fmt.Errorf("notify %s: %w", job.Endpoint, err)
	}
	event, err := s.store.Event(ctx, job.Event)
	if err != nil {
		return fmt.Errorf("notify %s of %s: %w", job.Endpoint, job.Event, err)
	}
	if !endpoint.Wants(event.Type) {
		return nil // disabled or removed since the event
	}
	body, err := json.Marshal(message{
		Type: event.Type, Timestamp: event.OccurredAt.UTC().Format("2006-01-02T15:04:05.000000Z"), Data: event.Data,
	})
	if err != nil {
		return fmt.Errorf("write notification of %s: %w", event.ID, err)
	}
	outcome, err := s.notifier.Notify(ctx, ports.Notification{
		ID: string(event.ID), URL: endpoint.URL, Secret: endpoint.Secret, Body: body,
	})
	if err != nil && outcome.Gone() {
		return s.disable(ctx, endpoint)
	}
	if err != nil {
		return fmt.Errorf("notify %s of %s: %w", endpoint.ID, event.ID, err)
	}
	return nil
}

func (s *Service) disable(ctx context.Context, endpoint core.Endpoint) error {
	endpoint.DisabledAt = s.clock.Now()
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return tx.UpdateEndpoint(ctx, endpoint)
	})
}

// Add registers an endpoint. Its secret is in the result and shown this once.
func (s *Service) Add(ctx context.Context, address string, types []core.EventType) (core.Endpoint, error) {
	if err := s.check(address, types); err != nil {
		return core.Endpoint{}, err
	}
	endpoint := core.Endpoint{
		ID: core.NewID[core.EndpointID](s.ids.UUID()), URL: address, Types: types,
		Secret: newSecret(s.ids.Secret()), CreatedAt: s.clock.Now(),
	}
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		standing, err := tx.Endpoints(ctx)
		if err != nil {
			return err
		}
		if len(standing) >= endpointsMax {
			return &core.InvalidError{Fields: []core.FieldError{{Field: "url", Message: fmt.Sprintf("cannot be added: there are %d endpoints already", endpointsMax)}}}
		}
		return tx.InsertEndpoint(ctx, endpoint)
	})
	if err != nil {
		return core.Endpoint{}, fmt.Errorf("add endpoint: %w", err)
	}
	return endpoint, nil
}

// newSecret makes a secret in the form of the Standard Webhooks specification.
func newSecret(random string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(random))
}

// Endpoints lists those that are not removed.
func (s *Service) Endpoints(ctx context.Context) ([]core.Endpoint, error) {
	return s.store.Endpoints(ctx)
}

// Events gives what happened above a sequence number, in order; all types where types is
// empty.
func (s *Service) Events(ctx context.Context, after int64, types []core.EventType, limit int) ([]core.Event, error) {
	return s.store.Events(ctx, after, types, limit)
}

// Event gives one event; [ports.ErrNotFound] where there is none.
func (s *Service) Event(ctx context.Context, id core.EventID) (core.Event, error) {
	return s.store.Event(ctx, id)
}

// Remove ends an endpoint. What is still on its way to it is dropped.
func (s *Service) Remove(ctx context.Context, id core.EndpointID) error {
	endpoint, err := s.store.Endpoint(ctx, id)
	if err != nil {
		return fmt.Errorf("remove endpoint: %w", err)
	}
	if !endpoint.DeletedAt.IsZero() {
		return ports.ErrNotFound
	}
	endpoint.DeletedAt = s.clock.Now()
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return tx.UpdateEndpoint(ctx, endpoint)
	})
}

func (s *Service) check(address string, types []core.EventType) error {
	var fields []core.FieldError
	u, err := url.Parse(address)
	allowed := err == nil && (u.Scheme == "https" || u.Scheme == "http" && s.env == core.EnvTest)
	if !allowed || u.Host == "" || u.User != nil || len(address) > endpointURLMax {
		fields = append(fields, core.FieldError{Field: "url", Message: "must be an absolute https URL without a user"})
	}
	for i, t := range types {
		if !slices.Contains(core.EventTypes(), t) {
			fields = append(fields, core.FieldError{Field: fmt.Sprintf("types[%d]", i), Message: "is not a type of event"})
		}
	}
	if len(fields) > 0 {
		return &core.InvalidError{Fields: fields}
	}
	return nil
}
