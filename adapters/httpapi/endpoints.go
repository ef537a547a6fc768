package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
)

// Endpoint is an endpoint as storefronts see it.
type Endpoint struct {
	ID         core.EndpointID  `json:"id"`
	URL        string           `json:"url"`
	Types      []core.EventType `json:"types" nullable:"false" doc:"Empty means all"`
	Secret     string           `json:"secret,omitempty" doc:"whsec_…; shown once, when it is made"`
	DisabledAt *view.Time       `json:"disabled_at" doc:"When it was given up"`
	CreatedAt  view.Time        `json:"created_at"`
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

type endpointsQuery struct{}

func (s *server) endpointCalls(api huma.API) {
	create := operation("createWebhookEndpoint", http.MethodPost, "/v1/webhook_endpoints", http.StatusCreated, "Be notified")
	create.Description = "Notifications have the form of Standard Webhooks and are signed with the secret of the answer, which is shown this once."
	huma.Register(api, create, s.createEndpoint)
	huma.Register(api, operation("listWebhookEndpoints", http.MethodGet, "/v1/webhook_endpoints", http.StatusOK, "List endpoints"), s.listEndpoints)
	huma.Register(api, operation("deleteWebhookEndpoint", http.MethodDelete, "/v1/webhook_endpoints/{id}", http.StatusNoContent, "Be notified no longer"), s.deleteEndpoint)
}

func endpointOf(e core.Endpoint, secret string) Endpoint {
	published := Endpoint{ID: e.ID, URL: e.URL, Types: e.Types, Secret: secret, CreatedAt: view.Time{Time: e.CreatedAt}}
	if published.Types == nil {
		published.Types = []core.EventType{}
	}
	if !e.DisabledAt.IsZero() {
		published.DisabledAt = &view.Time{Time: e.DisabledAt}
	}
	return published
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
	return answered(http.StatusCreated, endpointOf(endpoint, endpoint.Secret)), nil
}

func (s *server) listEndpoints(ctx context.Context, _ *endpointsQuery) (*answer[list[Endpoint]], error) {
	found, err := s.endpoints.Endpoints(ctx)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	part := list[Endpoint]{Data: make([]Endpoint, 0, len(found))}
	for _, endpoint := range found {
		part.Data = append(part.Data, endpointOf(endpoint, ""))
	}
	return answered(http.StatusOK, part), nil
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
