package spool

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func FuzzDelivery(f *testing.F) {
	f.Add(encode(nil, core.Delivery{Account: "stripe", ProviderEventID: "evt_1", Body: []byte("{}"), ReceivedAt: time.Unix(1, 0)}))
	f.Add([]byte{deliveryVersion})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decode(data)
		if err != nil {
			return
		}
		again, err := decode(encode(nil, d))
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}
