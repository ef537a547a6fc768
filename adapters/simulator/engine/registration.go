package engine

import (
	"errors"
	"slices"
	"sync"
)

// WebhookSettings are what the shop's staff made of an account's registered webhook in the
// provider's dashboard; as it was registered, for the zero value.
type WebhookSettings struct {
	Disabled bool     `json:"disabled"`
	Without  []string `json:"without"` // the types of events that it is registered for no more
}

// ErrNoEventType says that a provider makes no such events.
var ErrNoEventType = errors.New("names a type of events that there is not")

// Registration is an account's registered webhook: which events it gets. It is safe for
// concurrent use.
type Registration struct {
	types []string // that the provider makes

	mu       sync.Mutex
	settings WebhookSettings
}

// NewRegistration makes a registration for all types of events that a provider makes.
func NewRegistration(types []string) *Registration { return &Registration{types: types} }

// Set has it be as staff made it.
func (r *Registration) Set(settings WebhookSettings) error {
	for _, kind := range settings.Without {
		if !slices.Contains(r.types, kind) {
			return ErrNoEventType
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settings = settings
	return nil
}

// Reset has it be as it was registered.
func (r *Registration) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settings = WebhookSettings{}
}

// Gets reports whether events of a type are posted.
func (r *Registration) Gets(kind string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.settings.Disabled && !slices.Contains(r.settings.Without, kind)
}

// Enabled reports whether anything is posted.
func (r *Registration) Enabled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.settings.Disabled
}

// Types are the types that it is registered for, and whether those are all.
func (r *Registration) Types() (types []string, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	types = slices.DeleteFunc(slices.Clone(r.types), func(kind string) bool { return slices.Contains(r.settings.Without, kind) })
	return types, len(r.settings.Without) == 0
}
