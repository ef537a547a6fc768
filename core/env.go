package core

import "fmt"

// Environment tells play money from real money. A database holds one, and the two
// never mix.
type Environment string

// The two environments. The empty value is neither and is refused everywhere.
const (
	EnvTest Environment = "test"
	EnvLive Environment = "live"
)

// ParseEnvironment accepts "test" and "live".
func ParseEnvironment(text string) (Environment, error) {
	switch e := Environment(text); e {
	case EnvTest, EnvLive:
		return e, nil
	default:
		return "", fmt.Errorf("must be %q or %q", EnvTest, EnvLive)
	}
}
