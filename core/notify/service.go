// Package notify tells storefronts what happened: it keeps their endpoints and brings
// each committed event to those that want it, at least once.
package notify

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// Limits of endpoints.
const (
	endpointURLMax = 2048 // characters
	endpointsMax   = 32
)

// Errors that callers branch on.
var (
	// ErrTooManySecrets means that too many of an endpoint's old secrets sign still.
	ErrTooManySecrets = errors.New("secret was replaced too often")
	// ErrEndpointRemoved means that there is nobody left to be notified.
	ErrEndpointRemoved = errors.New("endpoint was removed")
)

// Service holds the use cases. It is safe for concurrent use.
type Service struct {
	store    ports.Store
	notifier ports.Notifier
	clock    ports.Clock
	wall     ports.Clock
	ids      ports.IDs
	traces   ports.TraceIDs
	env      core.Environment
}

// New makes the service. wall is the time that pauses between tries, leases and the overlap of
// secrets go by: a business clock that jumps must not end them.
func New(store ports.Store, notifier ports.Notifier, clock, wall ports.Clock, ids ports.IDs, traces ports.TraceIDs, env core.Environment) *Service {
	return &Service{store: store, notifier: notifier, clock: clock, wall: wall, ids: ids, traces: traces, env: env}
}

// Add registers an endpoint. Its secret is in the result and shown this once.
func (s *Service) Add(ctx context.Context, address string, types []core.EventType) (core.Endpoint, error) {
	if err := s.check(ctx, address, types); err != nil {
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
	_, err := s.change(ctx, id, func(ctx context.Context, tx ports.Tx, endpoint core.Endpoint) (core.Endpoint, error) {
		endpoint.DeletedAt = s.clock.Now()
		return endpoint, nil
	})
	if err != nil {
		return fmt.Errorf("remove endpoint: %w", err)
	}
	return nil
}

// Enable has an endpoint that was disabled told of things again, from what it missed on. One
// that is not disabled is left alone.
func (s *Service) Enable(ctx context.Context, id core.EndpointID, actor string) (core.Endpoint, error) {
	endpoint, err := s.change(ctx, id, func(ctx context.Context, tx ports.Tx, endpoint core.Endpoint) (core.Endpoint, error) {
		if endpoint.DisabledAt.IsZero() {
			return endpoint, nil
		}
		if err := tx.HurryNotifications(ctx, id, true); err != nil {
			return endpoint, err
		}
		return endpoint.Enabled(), s.audit(ctx, tx, actor, "endpoint.enable", string(id), "")
	})
	if err != nil {
		return core.Endpoint{}, fmt.Errorf("enable endpoint: %w", err)
	}
	return endpoint, nil
}

// RotateSecret gives an endpoint a new secret, which is in the result and shown this once. The
// one before goes on signing beside it for [core.SecretOverlap].
func (s *Service) RotateSecret(ctx context.Context, id core.EndpointID, actor string) (core.Endpoint, error) {
	endpoint, err := s.change(ctx, id, func(ctx context.Context, tx ports.Tx, endpoint core.Endpoint) (core.Endpoint, error) {
		rotated, ok := endpoint.Rotated(newSecret(s.ids.Secret()), s.wall.Now())
		if !ok {
			return endpoint, ErrTooManySecrets
		}
		return rotated, s.audit(ctx, tx, actor, "endpoint.rotate_secret", string(id), "")
	})
	if err != nil {
		return core.Endpoint{}, fmt.Errorf("rotate secret: %w", err)
	}
	return endpoint, nil
}

// OldSecretsUntil is when the last of an endpoint's old secrets stops signing; zero where none signs.
func (s *Service) OldSecretsUntil(e core.Endpoint) time.Time { return e.OldSecretsUntil(s.wall.Now()) }

// change stores what fn makes of an endpoint that is not removed.
func (s *Service) change(ctx context.Context, id core.EndpointID, fn func(ctx context.Context, tx ports.Tx, endpoint core.Endpoint) (core.Endpoint, error)) (endpoint core.Endpoint, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if endpoint, err = tx.LockEndpoint(ctx, id); err != nil {
			return err
		}
		if !endpoint.DeletedAt.IsZero() {
			return ports.ErrNotFound
		}
		if endpoint, err = fn(ctx, tx, endpoint); err != nil {
			return err
		}
		return tx.UpdateEndpoint(ctx, endpoint)
	})
	return endpoint, err
}

// PreviewRedelivery is the notification as [Service.Redeliver] would make it; it does nothing. Errors
// are [ports.ErrNotFound] and [ErrEndpointRemoved].
func (s *Service) PreviewRedelivery(ctx context.Context, id core.NotificationID) (core.Notification, error) {
	n, err := s.store.Notification(ctx, id)
	if err != nil {
		return core.Notification{}, fmt.Errorf("redeliver notification: %w", err)
	}
	endpoint, err := s.store.Endpoint(ctx, n.Endpoint)
	if err != nil {
		return core.Notification{}, fmt.Errorf("redeliver notification: %w", err)
	}
	if !endpoint.DeletedAt.IsZero() {
		return core.Notification{}, ErrEndpointRemoved
	}
	return n.Again(), nil
}

// Redeliver has a notification tried again from the beginning, also one that was delivered. One
// that is waiting for its next try is tried at once. Later ones of the same object wait for it,
// those that were delivered already excepted.
func (s *Service) Redeliver(ctx context.Context, id core.NotificationID, actor string) (core.Notification, error) {
	n, err := s.PreviewRedelivery(ctx, id)
	if err != nil {
		return core.Notification{}, err
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.LockEndpoint(ctx, n.Endpoint); err != nil {
			return err
		}
		err := tx.RenewNotification(ctx, n)
		if errors.Is(err, ports.ErrConflict) {
			return nil // on its way this moment
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "notification.redeliver", string(id), "")
	})
	if err != nil {
		return core.Notification{}, fmt.Errorf("redeliver notification: %w", err)
	}
	return s.store.Notification(ctx, id)
}

func (s *Service) audit(ctx context.Context, tx ports.Tx, actor, action, subject, detail string) error {
	var from string
	if act := record.ActOf(ctx); act != nil {
		act.Note()
		from = act.From
	}
	return tx.AppendAudit(ctx, core.AuditEntry{
		ID: core.NewID[core.AuditID](s.ids.UUID()), Actor: actor, Action: action, Subject: subject,
		Detail: detail, From: from, TraceID: s.traces.TraceID(ctx), At: s.clock.Now(),
	})
}

func (s *Service) check(ctx context.Context, address string, types []core.EventType) error {
	var fields []core.FieldError
	u, err := url.Parse(address)
	allowed := err == nil && (u.Scheme == "https" || u.Scheme == "http" && s.env == core.EnvTest)
	if !allowed || u.Host == "" || u.User != nil || len(address) > endpointURLMax {
		fields = append(fields, core.FieldError{Field: "url", Message: "must be an absolute https URL without a user"})
	} else if err := s.notifier.Check(ctx, address); err != nil {
		fields = append(fields, core.FieldError{Field: "url", Message: "must not lead to a private address"})
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
