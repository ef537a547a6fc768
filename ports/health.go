package ports

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

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

// DeliveryTally counts what becomes of posts to webhooks' addresses. Counting waits for nothing.
type DeliveryTally interface {
	Count(account core.AccountName, result core.DeliveryResult)
}

// AccountHealth is how an account and its webhooks are doing.
type AccountHealth struct {
	Account  core.AccountName
	Provider core.ProviderName
	Health   Health // as this process sees it
	Address  string // that webhooks are posted to
	// Webhook is its registration as it was last seen; unknown where the account cannot be asked.
	Webhook core.WebhookCheck
	// Last has the newest event that the webhook brought of each type that moves something here, the
	// newest first. Types of which none ever came are not there.
	Last []core.LastEvent
	// Counts are of the last day, by whole hours; results that did not happen are not there.
	Counts map[core.DeliveryResult]int64
	// Missed counts events that the provider listed within the last day and no webhook had brought,
	// and LastMissed is when the last of them was found; zero for none.
	Missed     int64
	LastMissed time.Time
}

// Posts is how many posts there were in the last day.
func (h AccountHealth) Posts() (all int64) {
	for _, count := range h.Counts {
		all += count
	}
	return all
}
