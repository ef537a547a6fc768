package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// idempotencyKeyMax is the longest key of a mutation, in characters.
const idempotencyKeyMax = 255

func (r *Resolver) notificationPage(ctx context.Context, args pageArgs, in *model.NotificationFilter) (*model.NotificationConnection, error) {
	filter, err := notificationFilter(in)
	if err != nil {
		return nil, err
	}
	request, err := pageRequest[core.NotificationID](args)
	if err != nil {
		return nil, err
	}
	page, err := r.store.Notifications(ctx, filter, request)
	if err != nil {
		return nil, err
	}
	connection := &model.NotificationConnection{}
	connection.Edges, connection.PageInfo = edges(page,
		func(one core.Notification) core.Cursor { return core.Cursor{At: one.CreatedAt, ID: string(one.ID)} },
		func(cursor string, one core.Notification) model.NotificationEdge {
			return model.NotificationEdge{Cursor: cursor, Node: model.Notification{Notification: one}}
		})
	return connection, nil
}

func notificationFilter(in *model.NotificationFilter) (filter ports.NotificationFilter, err error) {
	if in == nil {
		return filter, nil
	}
	if filter.Endpoint, err = filterID[core.EndpointID]("endpoint", in.Endpoint); err != nil {
		return filter, err
	}
	if filter.Event, err = filterID[core.EventID]("event", in.Event); err != nil {
		return filter, err
	}
	if filter.Subject, err = filterText("subject", in.Subject); err != nil {
		return filter, err
	}
	filter.Statuses, err = filterStatuses(in.Status)
	return filter, err
}

// endpoints gives the storefront's endpoints with what waits for each.
func (r *Resolver) endpoints(ctx context.Context) ([]*model.WebhookEndpoint, error) {
	all, err := r.store.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	waiting, err := r.store.NotificationsWaiting(ctx)
	if err != nil {
		return nil, err
	}
	of := make(map[core.EndpointID]ports.EndpointWaiting, len(waiting))
	for _, one := range waiting {
		of[one.Endpoint] = one
	}
	shown := make([]*model.WebhookEndpoint, len(all))
	for i, endpoint := range all {
		shown[i] = &model.WebhookEndpoint{Endpoint: endpoint, Pending: of[endpoint.ID]}
	}
	return shown, nil
}

// redeliver sends a notification again, or shows how it would stand then.
func (r *Resolver) redeliver(ctx context.Context, in model.NotificationRedeliverInput) (*model.NotificationRedeliverPayload, error) {
	id, err := parseID[core.NotificationID]("input.notificationId", in.NotificationID)
	if err != nil {
		return nil, err
	}
	var n core.Notification
	if in.DryRun != nil && *in.DryRun {
		n, err = r.notify.PreviewRedelivery(ctx, id)
	} else {
		n, err = r.onceFor(ctx, in.IdempotencyKey, "notificationRedeliver "+in.NotificationID, id)
	}
	payload := &model.NotificationRedeliverPayload{UserErrors: []*model.UserError{}}
	if refused, ok := redeliveryRefused(err); ok {
		payload.UserErrors = append(payload.UserErrors, &refused)
		return payload, nil
	}
	if err != nil {
		return nil, err
	}
	payload.Notification = &model.Notification{Notification: n}
	return payload, nil
}

// onceFor redelivers once for its caller and key; as often as it is asked where there is no key.
func (r *Resolver) onceFor(ctx context.Context, key *string, request string, id core.NotificationID) (n core.Notification, err error) {
	staff := requestOf(ctx).staff
	if key == nil {
		return r.notify.Redeliver(ctx, id, string(staff.ID))
	}
	invisible := func(c rune) bool { return c <= ' ' || c > '~' }
	if *key == "" || len(*key) > idempotencyKeyMax || strings.ContainsFunc(*key, invisible) {
		return n, refuse(codeInput, "input.idempotencyKey must have 1 to %d visible characters", idempotencyKeyMax)
	}
	hash := sha256.Sum256([]byte(request))
	call := idempotency.Call{Caller: core.APIKeyID(staff.ID), Key: *key, RequestHash: hex.EncodeToString(hash[:])}
	var failed error
	_, replayed, err := r.replays.Do(ctx, call, func(ctx context.Context) idempotency.Answer {
		n, failed = r.notify.Redeliver(ctx, id, string(staff.ID))
		return idempotency.Answer{Status: http.StatusOK, Forget: failed != nil}
	})
	if err = errors.Join(failed, err); err != nil || !replayed {
		return n, err
	}
	return r.store.Notification(ctx, id)
}

// redeliveryRefused says what is wrong with the input, where something is.
func redeliveryRefused(err error) (model.UserError, bool) {
	field, keyField := []string{"notificationId"}, []string{"idempotencyKey"}
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return model.UserError{Field: field, Message: "There is no such notification.", Code: model.UserErrorCodeNotFound}, true
	case errors.Is(err, notify.ErrEndpointRemoved):
		return model.UserError{Field: field, Message: "Its endpoint was removed.", Code: model.UserErrorCodeInvalidState}, true
	case errors.Is(err, idempotency.ErrReused):
		return model.UserError{Field: keyField, Message: "The key was used with another input.", Code: model.UserErrorCodeIdempotencyKeyReused}, true
	case errors.Is(err, idempotency.ErrInProgress):
		return model.UserError{Field: keyField, Message: "The first call with this key is still running.", Code: model.UserErrorCodeIdempotencyInProgress}, true
	}
	return model.UserError{}, false
}
