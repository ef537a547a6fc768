package stripe_test

import (
	"testing"
	"time"
)

// BenchmarkYear renews subscriptions for a year, with nobody who listens.
func BenchmarkYear(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		h := newQuietHouse(b)
		price, customer := h.price(b, "1000"), h.customer(b)
		method := h.saved(b, customer, "4242424242424242")
		for range 1000 {
			h.do(b, "/subscriptions", "customer", customer, "items[0][price]", price, "default_payment_method", method)
		}
		b.StartTimer()
		h.advance(366 * 24 * time.Hour)
	}
}
