package bunrepo

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/ports"
)

// jobClient inserts jobs.
type jobClient struct{}

// Enqueue commits jobs with the transaction.
func (t *tx) Enqueue(_ context.Context, jobs ...ports.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	return errors.New("enqueue: no job client")
}
