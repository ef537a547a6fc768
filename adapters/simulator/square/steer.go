package square

import "github.com/paydesk/paydesk/adapters/simulator/engine"

// SteerSubscription implements [engine.Dialect].
func (s *Server) SteerSubscription(string, engine.SubscriptionChange) error {
	return engine.ErrNoSubscription
}

// AfterRetries implements [engine.Dialect].
func (s *Server) AfterRetries(string) error { return engine.ErrUnsupported }
