package core_test

import (
	"bytes"
	"encoding/hex"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

// The vectors are those of the TypeID specification.
func TestIDsFollowTheSpecification(t *testing.T) {
	t.Parallel()
	for uuid, suffix := range map[string]string{
		"00000000000000000000000000000000": "00000000000000000000000000",
		"00000000000000000000000000000001": "00000000000000000000000001",
		"0000000000000000000000000000000a": "0000000000000000000000000a",
		"00000000000000000000000000000010": "0000000000000000000000000g",
		"00000000000000000000000000000020": "00000000000000000000000010",
		"ffffffffffffffffffffffffffffffff": "7zzzzzzzzzzzzzzzzzzzzzzzzz",
		"0110c8531d0952d8d73e1194e95b5f19": "0123456789abcdefghjkmnpqrs",
		"01890a5dac96774bbcceb302099a8057": "01h455vb4pex5vsknk084sn02q",
	} {
		raw, err := hex.DecodeString(uuid)
		require.NoError(t, err)
		id := core.NewID[core.PaymentID]([16]byte(raw))
		require.Equal(t, core.PaymentID("pay_"+suffix), id)
		parsed, err := core.ParseID[core.PaymentID](string(id))
		require.NoError(t, err)
		require.Equal(t, id, parsed)
	}
}

func TestIDsOfTheWrongFormAreRefusedWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "pay_", "pay", "01h455vb4pex5vsknk084sn02q", "chk_01h455vb4pex5vsknk084sn02q",
		"PAY_01h455vb4pex5vsknk084sn02q", "pay_01H455VB4PEX5VSKNK084SN02Q", "pay_81h455vb4pex5vsknk084sn02q",
		"pay_01h455vb4pex5vsknk084sn02", "pay_01h455vb4pex5vsknk084sn02qq", "pay_01h455vb4pex5vsknk084sn02l",
		"pay_01h455vb4pex5vsknk084sn0 q", "pay_\x0001h455vb4pex5vsknk084sn02", "pay__1h455vb4pex5vsknk084sn02q",
	} {
		_, err := core.ParseID[core.PaymentID](text)
		require.Error(t, err, "%q", text)
		if len(text) > 4 {
			require.NotContains(t, err.Error(), text)
		}
	}
}

// Ids sort as the UUIDs they hold.
func TestIDsSortLikeTheirUUIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		uuids := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 16, 16), 2, 20).Draw(t, "uuids")
		sort.Slice(uuids, func(i, j int) bool { return bytes.Compare(uuids[i], uuids[j]) < 0 })
		for i := 1; i < len(uuids); i++ {
			a := core.NewID[core.CheckoutID]([16]byte(uuids[i-1]))
			b := core.NewID[core.CheckoutID]([16]byte(uuids[i]))
			require.LessOrEqual(t, a, b)
			require.Equal(t, bytes.Equal(uuids[i-1], uuids[i]), a == b)
		}
	})
}

func FuzzParseID(f *testing.F) {
	f.Add("pay_01h455vb4pex5vsknk084sn02q")
	f.Add("pay_7zzzzzzzzzzzzzzzzzzzzzzzzz")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := core.ParseID[core.PaymentID](text)
		if err != nil {
			require.Empty(t, id)
			return
		}
		require.Equal(t, text, string(id))
		require.Len(t, text, len("pay_")+26)
		require.True(t, strings.HasPrefix(text, "pay_"))
	})
}
