package spool_test

import (
	"bytes"
	"context"
	"runtime"
	"testing"

	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const (
	benchCallers   = 64
	benchBodyBytes = 3 << 10
)

func benchDelivery() core.Delivery {
	delivery := portstest.Delivery(1)
	delivery.Body = bytes.Repeat([]byte("x"), benchBodyBytes)
	return delivery
}

// BenchmarkAppend is 64 callers who each wait for the disk, without and with encryption.
func BenchmarkAppend(b *testing.B) {
	ring, err := seal.New([]string{seal.GenerateKey()})
	if err != nil {
		b.Fatal(err)
	}
	for name, sealer := range map[string]ports.Sealer{"plain": seal.Plain(), "sealed": ring} {
		b.Run(name, func(b *testing.B) {
			journal := openIn(b, spool.Options{Dir: b.TempDir(), Sealer: sealer, BacklogBytes: 1 << 40})
			delivery := benchDelivery()
			b.SetParallelism(benchCallers / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := journal.Append(b.Context(), delivery); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

// BenchmarkAppendToAccept is how long one delivery takes from Append to accept, when
// nothing else is under way.
func BenchmarkAppendToAccept(b *testing.B) {
	journal := openIn(b, spool.Options{Dir: b.TempDir()})
	ctx, cancel := context.WithCancel(b.Context())
	accepted, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = journal.Drain(ctx, func(context.Context, []core.Delivery) error {
			accepted <- struct{}{}
			return nil
		})
	}()
	delivery := benchDelivery()
	for b.Loop() {
		if err := journal.Append(ctx, delivery); err != nil {
			b.Fatal(err)
		}
		<-accepted
	}
	cancel()
	<-ended
}

// BenchmarkDrain is how fast what waits is handed over to somebody who takes it at once.
func BenchmarkDrain(b *testing.B) {
	const waiting = 20_000
	journal := openIn(b, spool.Options{Dir: b.TempDir()})
	delivery := benchDelivery()
	for range b.N {
		b.StopTimer()
		done := make(chan struct{}, benchCallers)
		for range benchCallers {
			go func() {
				for range waiting / benchCallers {
					if err := journal.Append(b.Context(), delivery); err != nil {
						b.Error(err)
					}
				}
				done <- struct{}{}
			}()
		}
		for range benchCallers {
			<-done
		}
		b.StartTimer()
		taken(b, journal, waiting/benchCallers*benchCallers)
	}
	b.ReportMetric(float64(b.N*waiting)/b.Elapsed().Seconds(), "deliveries/s")
}
