package graph_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph"
)

func TestCursorsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		place := core.Cursor{
			At: time.UnixMicro(rapid.Int64Range(-1<<50, 1<<52).Draw(t, "micros")).UTC(),
			ID: string(core.NewID[core.PaymentID]([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid")))),
		}
		orders := []core.Order{core.OrderNewest, core.OrderOldest, core.OrderLargest, core.OrderSmallest, core.OrderDue}
		order, other := rapid.SampledFrom(orders).Draw(t, "order"), rapid.SampledFrom(orders).Draw(t, "other order")
		place.Lead = rapid.Int64Min(0).Draw(t, "lead")
		text := graph.EncodeCursor(place, order)
		read, err := graph.DecodeCursor[core.PaymentID]("after", &text, order)
		require.NoError(t, err)
		require.Equal(t, &place, read)
		_, err = graph.DecodeCursor[core.TimelineID]("after", &text, order)
		require.Error(t, err, "a cursor of another list")
		_, err = graph.DecodeCursor[core.PaymentID]("after", &text, other)
		require.Equal(t, other != order, err != nil, "a cursor of another order")
	})
}

func FuzzDecodeCursor(f *testing.F) {
	f.Add("MXwwfHBheV8wMWg0NTV2YjRwZXg1dnNrbmswODRzbjAycQ")
	f.Add("")
	f.Add("fHx8")
	f.Fuzz(func(t *testing.T, text string) {
		read, err := graph.DecodeCursor[core.PaymentID]("after", &text, core.OrderNewest)
		if err != nil {
			require.Nil(t, read)
			return
		}
		again := graph.EncodeCursor(*read, core.OrderNewest)
		back, err := graph.DecodeCursor[core.PaymentID]("after", &again, core.OrderNewest)
		require.NoError(t, err)
		require.Equal(t, read, back)
	})
}
