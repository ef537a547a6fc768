package stripe

// endpointID is of the one endpoint that is registered.
const endpointID = "we_simulated"

// endpoint is a Webhook Endpoint. Its secret was told when it was made.
//
// Source: docs.stripe.com/api/webhook_endpoints/object.
type endpoint struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	APIVersion    *string           `json:"api_version"`
	Application   *string           `json:"application"`
	Created       int64             `json:"created"`
	Description   *string           `json:"description"`
	EnabledEvents []string          `json:"enabled_events"`
	Livemode      bool              `json:"livemode"`
	Metadata      map[string]string `json:"metadata"`
	Status        string            `json:"status"`
	URL           string            `json:"url"`
}

// listEndpoints lists where webhooks go.
//
// Source: docs.stripe.com/api/webhook_endpoints/list.
func (s *Server) listEndpoints(in *request) result {
	var all []*endpoint
	if s.WebhookURL != "" {
		version := apiVersion
		one := &endpoint{
			ID: endpointID, Object: "webhook_endpoint", APIVersion: &version, Created: s.opened.Unix(), EnabledEvents: []string{"*"},
			Metadata: map[string]string{}, Status: "enabled", URL: s.WebhookURL,
		}
		if types, whole := s.hook.Types(); !whole {
			one.EnabledEvents = types
		}
		if !s.hook.Enabled() {
			one.Status = "disabled"
		}
		all = append(all, one)
	}
	list, kept, out := page(in, "/v1/webhook_endpoints", all, func(e *endpoint) string { return e.ID }, func(e *endpoint) int64 { return e.Created })
	if out != nil {
		return *out
	}
	list.Data = kept
	return done(list)
}
