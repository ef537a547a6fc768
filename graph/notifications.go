package graph

import (
	"context"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

func (r *Resolver) notificationPage(ctx context.Context, args pageArgs, in *model.NotificationFilter) (*model.NotificationConnection, error) {
	filter, err := notificationFilter(in)
	if err != nil {
		return nil, err
	}
	connection := &model.NotificationConnection{}
	connection.Edges, connection.PageInfo, err = list[core.NotificationID, core.Notification, model.NotificationEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Notification], error) {
			return r.store.Notifications(ctx, filter, request)
		},
		place: byTime(func(n core.Notification) (time.Time, core.NotificationID) { return n.CreatedAt, n.ID }),
		edge: func(cursor string, n core.Notification) model.NotificationEdge {
			return model.NotificationEdge{Cursor: cursor, Node: model.Notification{Notification: n}}
		},
	}.page(ctx, args)
	return connection, err
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
	payload := &model.NotificationRedeliverPayload{}
	m := mutation{action: "notification.redeliver", input: in, key: in.IdempotencyKey, dryRun: in.DryRun, subject: "notificationId"}
	preview := func(ctx context.Context) error {
		n, err := r.notify.PreviewRedelivery(ctx, id)
		if err != nil {
			return err
		}
		payload.Notification = &model.Notification{Notification: n}
		payload.Preview = &model.Preview{StateAfter: new(strings.ToUpper(string(n.Status))), Warnings: []string{}}
		return nil
	}
	done, refused, err := r.mutate(ctx, m, preview, func(ctx context.Context, _ core.RequestKey) (string, error) {
		n, err := r.notify.Redeliver(ctx, id, string(requestOf(ctx).staff.ID))
		return string(n.ID), err
	})
	payload.UserErrors = refused
	if err != nil || done == "" {
		return payload, err
	}
	n, err := r.store.Notification(ctx, id)
	payload.Notification = &model.Notification{Notification: n}
	return payload, err
}
