package square

import "github.com/paydesk/paydesk/adapters/simulator/engine"

// RefundElsewhere implements [engine.Dialect].
func (s *Server) RefundElsewhere(string, int64) (string, error) { return "", engine.ErrUnsupported }

// EndRefund implements [engine.Dialect].
func (s *Server) EndRefund(string, string) error { return engine.ErrNoRefund }

// SteerSubscription implements [engine.Dialect].
func (s *Server) SteerSubscription(string, engine.SubscriptionChange) error {
	return engine.ErrNoSubscription
}

// AfterRetries implements [engine.Dialect].
func (s *Server) AfterRetries(string) error { return engine.ErrUnsupported }
