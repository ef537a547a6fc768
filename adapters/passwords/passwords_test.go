package passwords_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/passwords"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Passwords = (*passwords.Argon2id)(nil)

func TestOnlyTheSamePasswordMatches(t *testing.T) {
	t.Parallel()
	hasher := passwords.New()
	first, err := hasher.Hash("correct horse")
	require.NoError(t, err)
	second, err := hasher.Hash("correct horse")
	require.NoError(t, err)
	require.NotEqual(t, first, second, "each hash has its own salt")
	require.NotContains(t, first, "correct horse")

	same, err := hasher.Matches("correct horse", first)
	require.NoError(t, err)
	require.True(t, same)
	same, err = hasher.Matches("correct horsf", first)
	require.NoError(t, err)
	require.False(t, same)
	_, err = hasher.Matches("correct horse", "not a hash")
	require.Error(t, err)
}
