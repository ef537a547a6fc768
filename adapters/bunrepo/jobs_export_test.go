package bunrepo

import (
	"time"

	"github.com/paydesk/paydesk/ports"
)

// JobPauses is how long a job of a kind that always fails rests altogether.
func JobPauses(kind ports.JobKind) (sum time.Duration) {
	plan := planOf(kind)
	for try := 1; try < plan.tries; try++ {
		sum += plan.pause(try)
	}
	return sum
}
