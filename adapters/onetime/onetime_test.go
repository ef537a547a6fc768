package onetime_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/onetime"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.OneTimeCodes = onetime.Codes{}

// The secret and the codes of appendix B of RFC 6238, cut to six digits.
func TestCodesOfTheStandard(t *testing.T) {
	t.Parallel()
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for seconds, code := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		for _, off := range []int64{-30, 0, 30} {
			step, ok := onetime.Codes{}.Step(secret, code, time.Unix(seconds+off, 0))
			require.True(t, ok, "%d off by %d", seconds, off)
			require.Equal(t, seconds/30, step)
		}
		for _, off := range []int64{-90, 90} {
			_, ok := onetime.Codes{}.Step(secret, code, time.Unix(seconds+off, 0))
			require.False(t, ok, "%d off by %d", seconds, off)
		}
	}
	for _, wrong := range []string{"", "000000", "28708", "2870820", "287 082"} {
		_, ok := onetime.Codes{}.Step(secret, wrong, time.Unix(59, 0))
		require.False(t, ok, "%q", wrong)
	}
}

func TestSecretsAreNew(t *testing.T) {
	t.Parallel()
	first, address, err := onetime.Codes{}.New("ada@example.test")
	require.NoError(t, err)
	second, _, err := onetime.Codes{}.New("ada@example.test")
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	require.Len(t, first, 32)
	require.True(t, strings.HasPrefix(address, "otpauth://totp/Paydesk:ada@example.test?"), address)
	require.Contains(t, address, "secret="+first)
}
