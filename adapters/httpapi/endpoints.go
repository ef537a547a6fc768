package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
)

// Endpoint is an endpoint as storefronts see it.
type Endpoint struct {
	ID     core.EndpointID  `json:"id"`
	URL    string           `json:"url"`
	Types  []core.EventType `json:"types" nullable:"false" doc:"Empty means all"`
	Secret string           `json:"secret,omitempty" doc:"whsec_…; shown once, when it is made"`
	// OldSecretsUntil is the last one's.
	OldSecretsUntil *view.Time `json:"old_secrets_until" doc:"Until then secrets that were replaced sign as well; null where none does"`
	DisabledAt      *view.Time `json:"disabled_at" doc:"When it was given up; what happens since is kept for it"`
	DisabledReason  *string    `json:"disabled_reason" doc:"gone where it answered 410, failing where it took nothing for three days"`
	CreatedAt       view.Time  `json:"created_at"`
}

type newEndpoint struct {
	Keyed
	Body struct {
		URL   string   `json:"url" example:"https://shop.example/hooks/paydesk"`
		Types []string `json:"types,omitempty" doc:"All where absent"`
	}
}

// EndpointPath names an endpoint.
type EndpointPath struct {
	ID string `path:"id" example:"whk_01jd0000000000000000000000"`
}

type rotateSecret struct {
	EndpointPath
	Keyed
	NoFields
}

type enableEndpoint struct {
	EndpointPath
	MayBeKeyed
	NoFields
}

type endpointsQuery struct{}

func (s *server) endpointCalls(api huma.API) {
	create := operation("createWebhookEndpoint", http.MethodPost, "/v1/webhook_endpoints", http.StatusCreated, "Be notified")
	create.Description = "Notifications have the form of Standard Webhooks and are signed with the secret of the answer, which is shown this once."
	huma.Register(api, create, s.createEndpoint)
	huma.Register(api, operation("listWebhookEndpoints", http.MethodGet, "/v1/webhook_endpoints", http.StatusOK, "List endpoints"), s.listEndpoints)
	rotate := operation("rotateWebhookSecret", http.MethodPost, "/v1/webhook_endpoints/{id}/rotate_secret", http.StatusOK, "Replace a secret")
	rotate.Description = "The new secret is in the answer, this once. The one before signs beside it for a day, so that receivers can be changed one after the other."
	huma.Register(api, rotate, s.rotateSecret)
	enable := operation("enableWebhookEndpoint", http.MethodPost, "/v1/webhook_endpoints/{id}/enable", http.StatusOK, "Be notified again")
	enable.Description = "For an endpoint that was disabled. It is told of all that happened since, in order. One that is not disabled is left as it is."
	huma.Register(api, enable, s.enableEndpoint)
	huma.Register(api, operation("deleteWebhookEndpoint", http.MethodDelete, "/v1/webhook_endpoints/{id}", http.StatusNoContent, "Be notified no longer"), s.deleteEndpoint)
}

func (s *server) endpointOf(e core.Endpoint, secret string) Endpoint {
	published := Endpoint{
		ID: e.ID, URL: e.URL, Types: e.Types, Secret: secret, OldSecretsUntil: timeOf(s.endpoints.OldSecretsUntil(e)),
		DisabledAt: timeOf(e.DisabledAt), CreatedAt: view.Time{Time: e.CreatedAt},
	}
	if published.Types == nil {
		published.Types = []core.EventType{}
	}
	if e.DisabledReason != "" {
		reason := string(e.DisabledReason)
		published.DisabledReason = &reason
	}
	return published
}

// timeOf is null for no time.
func timeOf(at time.Time) *view.Time {
	if at.IsZero() {
		return nil
	}
	return &view.Time{Time: at}
}

func (s *server) createEndpoint(ctx context.Context, in *newEndpoint) (*answer[Endpoint], error) {
	types := make([]core.EventType, len(in.Body.Types))
	for i, t := range in.Body.Types {
		types[i] = core.EventType(t)
	}
	endpoint, err := s.endpoints.Add(ctx, in.Body.URL, types)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusCreated, s.endpointOf(endpoint, endpoint.Secret)), nil
}

func (s *server) listEndpoints(ctx context.Context, _ *endpointsQuery) (*answer[list[Endpoint]], error) {
	found, err := s.endpoints.Endpoints(ctx)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	part := list[Endpoint]{Data: make([]Endpoint, 0, len(found))}
	for _, endpoint := range found {
		part.Data = append(part.Data, s.endpointOf(endpoint, ""))
	}
	return answered(http.StatusOK, part), nil
}

func (s *server) rotateSecret(ctx context.Context, in *rotateSecret) (*answer[Endpoint], error) {
	return s.changeEndpoint(ctx, in.ID, true, s.endpoints.RotateSecret)
}

func (s *server) enableEndpoint(ctx context.Context, in *enableEndpoint) (*answer[Endpoint], error) {
	return s.changeEndpoint(ctx, in.ID, false, s.endpoints.Enable)
}

// changeEndpoint makes a change in the name of the caller's key.
func (s *server) changeEndpoint(ctx context.Context, text string, tellSecret bool,
	change func(context.Context, core.EndpointID, string) (core.Endpoint, error),
) (*answer[Endpoint], error) {
	id, err := parseID[core.EndpointID](text)
	if err != nil {
		return nil, err
	}
	endpoint, err := change(ctx, id, string(callerOf(ctx).key))
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	secret := ""
	if tellSecret {
		secret = endpoint.Secret
	}
	return answered(http.StatusOK, s.endpointOf(endpoint, secret)), nil
}

func (s *server) deleteEndpoint(ctx context.Context, in *EndpointPath) (*struct{}, error) {
	id, err := parseID[core.EndpointID](in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.endpoints.Remove(ctx, id); err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return nil, nil //nolint:nilnil // no content
}
