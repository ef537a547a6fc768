package portstest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/ports"
)

// Sealing is how [RunSealer] gets at a sealer.
type Sealing struct {
	// NewKey makes a key no ring has yet.
	NewKey func() string
	// Open makes a sealer whose first key seals and all of whose keys open.
	Open func(t testing.TB, keys ...string) ports.Sealer
}

// RunSealer holds a sealer to the promises of [ports.Sealer].
func RunSealer(t *testing.T, sealing Sealing) {
	t.Helper()
	t.Run("what was sealed opens under its place", func(t *testing.T) { sealerRoundTrip(t, sealing) })
	t.Run("another place does not open", func(t *testing.T) { sealerPlace(t, sealing) })
	t.Run("one changed bit does not open", func(t *testing.T) { sealerChanged(t, sealing) })
	t.Run("cut or foreign bytes do not open", func(t *testing.T) { sealerCut(t, sealing) })
	t.Run("empty stays empty", func(t *testing.T) { sealerEmpty(t, sealing) })
	t.Run("sealing hides the text and its repetition", func(t *testing.T) { sealerHides(t, sealing) })
	t.Run("equal texts have marks in common", func(t *testing.T) { sealerMarks(t, sealing) })
	t.Run("keys rotate", func(t *testing.T) { sealerRotation(t, sealing) })
}

const sealerPlaceOne, sealerPlaceTwo = "inbound.body:evt_1", "inbound.body:evt_2"

func sealerRoundTrip(t *testing.T, sealing Sealing) {
	sealer := sealing.Open(t, sealing.NewKey())
	rapid.Check(t, func(rt *rapid.T) {
		place := rapid.String().Draw(rt, "place")
		plain := rapid.SliceOfN(rapid.Byte(), 1, 4096).Draw(rt, "plain")
		given := bytes.Clone(plain)

		sealed, err := sealer.Seal(place, given)
		require.NoError(rt, err)
		require.Equal(rt, plain, given, "Seal leaves its input alone")
		clear(given)
		before := bytes.Clone(sealed)
		opened, err := sealer.Open(place, sealed)
		require.NoError(rt, err)
		require.Equal(rt, plain, opened)
		clear(opened)
		require.Equal(rt, before, sealed, "what Open gives shares no memory with what it was given")
	})
}

func sealerPlace(t *testing.T, sealing Sealing) {
	sealer := sealing.Open(t, sealing.NewKey())
	sealed, err := sealer.Seal(sealerPlaceOne, []byte("ada@example.test"))
	require.NoError(t, err)
	_, err = sealer.Open(sealerPlaceTwo, sealed)
	require.ErrorIs(t, err, ports.ErrUnsealable)
	require.NotContains(t, err.Error(), "ada")
}

func sealerMarks(t *testing.T, sealing Sealing) {
	first, second, other := sealing.NewKey(), sealing.NewKey(), sealing.NewKey()
	text := []byte("ada@example.test")
	before := sealing.Open(t, first).Marks("email", text)
	require.Len(t, before, 1)
	require.NotContains(t, string(before[0]), "ada")
	require.Equal(t, before, sealing.Open(t, first).Marks("email", text), "the same in another process")
	rotated := sealing.Open(t, second, first).Marks("email", text)
	require.Len(t, rotated, 2)
	require.Equal(t, before[0], rotated[1], "what was marked before is found after a rotation")
	require.NotEqual(t, before[0], rotated[0])
	for name, marks := range map[string][][]byte{
		"another text": sealing.Open(t, first).Marks("email", []byte("bob@example.test")),
		"another kind": sealing.Open(t, first).Marks("name", text),
		"another cut":  sealing.Open(t, first).Marks("emaila", text[1:]),
		"another key":  sealing.Open(t, other).Marks("email", text),
	} {
		require.NotEqual(t, before[0], marks[0], name)
	}
	require.Empty(t, sealing.Open(t, first).Marks("email", nil))
}

func sealerChanged(t *testing.T, sealing Sealing) {
	sealer := sealing.Open(t, sealing.NewKey())
	sealed, err := sealer.Seal(sealerPlaceOne, []byte("ada@example.test"))
	require.NoError(t, err)
	for bit := range len(sealed) * 8 {
		changed := bytes.Clone(sealed)
		changed[bit/8] ^= 1 << (bit % 8)
		_, err := sealer.Open(sealerPlaceOne, changed)
		require.ErrorIs(t, err, ports.ErrUnsealable, "bit %d", bit)
	}
}

func sealerCut(t *testing.T, sealing Sealing) {
	sealer := sealing.Open(t, sealing.NewKey())
	sealed, err := sealer.Seal(sealerPlaceOne, []byte("ada@example.test"))
	require.NoError(t, err)
	for length := 1; length < len(sealed); length++ {
		_, err := sealer.Open(sealerPlaceOne, sealed[:length])
		require.ErrorIs(t, err, ports.ErrUnsealable, "first %d bytes", length)
	}
	_, err = sealer.Open(sealerPlaceOne, append(bytes.Clone(sealed), 0))
	require.ErrorIs(t, err, ports.ErrUnsealable)
	rapid.Check(t, func(rt *rapid.T) {
		_, err := sealer.Open(sealerPlaceOne, rapid.SliceOfN(rapid.Byte(), 1, 256).Draw(rt, "foreign"))
		require.ErrorIs(rt, err, ports.ErrUnsealable)
	})
}

func sealerEmpty(t *testing.T, sealing Sealing) {
	sealer := sealing.Open(t, sealing.NewKey())
	for _, plain := range [][]byte{nil, {}} {
		sealed, err := sealer.Seal(sealerPlaceOne, plain)
		require.NoError(t, err)
		require.Empty(t, sealed)
		opened, err := sealer.Open(sealerPlaceOne, sealed)
		require.NoError(t, err)
		require.Empty(t, opened)
	}
}

func sealerHides(t *testing.T, sealing Sealing) {
	sealer := sealing.Open(t, sealing.NewKey())
	plain := []byte("ada@example.test")
	first, err := sealer.Seal(sealerPlaceOne, plain)
	require.NoError(t, err)
	second, err := sealer.Seal(sealerPlaceOne, plain)
	require.NoError(t, err)
	require.NotContains(t, string(first), "ada")
	require.NotEqual(t, first, second, "equal texts do not look equal")
}

func sealerRotation(t *testing.T, sealing Sealing) {
	older, newer := sealing.NewKey(), sealing.NewKey()
	plain := []byte("ada@example.test")
	sealedBefore, err := sealing.Open(t, older).Seal(sealerPlaceOne, plain)
	require.NoError(t, err)

	rotated := sealing.Open(t, newer, older)
	opened, err := rotated.Open(sealerPlaceOne, sealedBefore)
	require.NoError(t, err)
	require.Equal(t, plain, opened)

	sealedAfter, err := rotated.Seal(sealerPlaceOne, plain)
	require.NoError(t, err)
	onlyNewer := sealing.Open(t, newer)
	opened, err = onlyNewer.Open(sealerPlaceOne, sealedAfter)
	require.NoError(t, err, "the first key seals")
	require.Equal(t, plain, opened)
	_, err = onlyNewer.Open(sealerPlaceOne, sealedBefore)
	require.ErrorIs(t, err, ports.ErrUnsealable, "a key that was dropped opens nothing")
}
