package outbound_test

import (
	"encoding/hex"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/outbound"
)

// TestSum holds it to the published vectors.
//
// Source: RFC 4231, cases 1, 2 and 6.
func TestSum(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, message, want string }{
		{strings.Repeat("\x0b", 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{
			strings.Repeat("\xaa", 131), "Test Using Larger Than Block-Size Key - Hash Key First",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		},
	} {
		key := outbound.NewMACKey(c.key)
		var all sync.WaitGroup
		for cut := range len(c.message) {
			all.Go(func() {
				sum := key.Sum([]byte(c.message[:cut]), []byte(c.message[cut:]))
				if hex.EncodeToString(sum[:]) != c.want {
					t.Errorf("cut at %d: %x", cut, sum)
				}
			})
		}
		all.Wait()
	}
	require.NotEqual(t, outbound.NewMACKey("a").Sum(nil, []byte("x")), outbound.NewMACKey("b").Sum(nil, []byte("x")))
}
