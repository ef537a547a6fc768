package ports

import "time"

// Health is whether an account answers.
type Health struct {
	// Down says that calls are not even sent at the moment, since too many went unanswered.
	Down bool
	// Until is when the account is tried again; zero while it is not down.
	Until time.Time
}

// Healthy is a [Provider] that tells of its health.
type Healthy interface {
	Health() Health
}
