package ports

import "time"

// Clock tells the time that business rules go by: when a checkout expires, when
// something was created. It is in UTC and cut to microseconds, as both databases keep
// it. In `paydesk dev` the simulator can move it ahead; signatures are therefore
// checked against the wall clock and never this one.
type Clock interface {
	Now() time.Time
}
