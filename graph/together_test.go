package graph_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/graph"
)

func TestThoseWhoAskTogetherHaveOneAnswerThatIsNotOlder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := graph.NewTogether[string, int](time.Minute)
		end := make(chan struct{})
		runs := 0 // turns of one key never run at once
		work := func(context.Context) (int, error) {
			runs++
			mine := runs
			<-end
			return mine, nil
		}
		answers := make([]int, 20)
		ask := func(i int) { answers[i], _ = shared.Do(t.Context(), "a", work) }
		go ask(0)
		synctest.Wait()
		gone, leave := context.WithCancel(t.Context())
		leave()
		_, err := shared.Do(gone, "a", work) // the first to wait, and it does not stay
		require.ErrorIs(t, err, context.Canceled)
		for i := range answers[1:] {
			go ask(i + 1)
		}
		other, err := shared.Do(t.Context(), "b", func(context.Context) (int, error) { return 100, nil })
		require.NoError(t, err)
		require.Equal(t, 100, other, "others do not wait for it")
		synctest.Wait()
		end <- struct{}{}
		synctest.Wait()
		require.Equal(t, 1, answers[0])
		require.Equal(t, make([]int, 19), answers[1:], "nothing from before they asked")
		end <- struct{}{}
		synctest.Wait()
		require.Equal(t, 2, runs, "one turn for all who waited")
		require.Equal(t, slices.Repeat([]int{2}, 19), answers[1:])
	})
}

func TestSharedWorkThatFails(t *testing.T) {
	t.Parallel()
	shared := graph.NewTogether[string, int](time.Minute)
	broken := errors.New("broken")
	_, err := shared.Do(t.Context(), "a", func(context.Context) (int, error) { return 0, broken })
	require.ErrorIs(t, err, broken)
	_, err = shared.Do(t.Context(), "a", func(context.Context) (int, error) { panic("out of order") })
	require.ErrorContains(t, err, "out of order")
	value, err := shared.Do(t.Context(), "a", func(context.Context) (int, error) { return 7, nil })
	require.NoError(t, err)
	require.Equal(t, 7, value, "a failure is not remembered")
	hasty := graph.NewTogether[string, int](time.Nanosecond)
	_, err = hasty.Do(t.Context(), "a", func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
