package compare_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/bench/compare"
)

// BenchmarkNow is the yardstick.
func BenchmarkNow(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		time.Now()
	}
}

func BenchmarkRestart(b *testing.B) {
	b.Run("after=error", func(b *testing.B) {
		restarts(b, func() error { return errCrash }, func(restarts, _ bool) bool { return restarts })
	})
	b.Run("after=panic", func(b *testing.B) {
		restarts(b, func() error { panic(errCrash) }, func(_, recovers bool) bool { return recovers })
	})
}

// restarts measures the time from one start to the next of a task that crashes
// at once.
func restarts(b *testing.B, crash func() error, can func(restarts, recovers bool) bool) {
	for _, pool := range compare.Pools {
		if !can(pool.Restarts, pool.Recovers) || pool.Name == "holdfast-in-order" {
			continue
		}
		b.Run("lib="+pool.Name, func(b *testing.B) {
			b.ReportAllocs()
			idle := make(chan struct{})
			stop := pool.Start(names(1), func(ctx context.Context, _ int) error {
				if b.Loop() {
					return crash()
				}
				close(idle)
				<-ctx.Done()
				return nil
			})
			<-idle
			stop()
		})
	}
	for _, retry := range compare.Retries {
		if !can(true, retry.Recovers) {
			continue
		}
		b.Run("lib="+retry.Name, func(b *testing.B) {
			b.ReportAllocs()
			if err := retry.Run(func() error {
				if b.Loop() {
					return crash()
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, decider := range compare.Deciders {
		b.Run("lib="+decider.Name, func(b *testing.B) {
			crash := decider.New(false).Crash
			b.ReportAllocs()
			for b.Loop() {
				crash()
			}
		})
	}
}

// BenchmarkRead is of the time that one read takes in one reader: alone, and as
// one of two while a writer enters a crash about every tenth of a millisecond.
func BenchmarkRead(b *testing.B) {
	for _, decider := range compare.Deciders {
		for _, readers := range []int{1, 2} {
			d := decider.New(false)
			if d.Read == nil {
				continue
			}
			name := "use=alone/lib="
			if readers == 2 {
				name = "use=2-readers-1-writer/lib="
			}
			b.Run(name+decider.Name, func(b *testing.B) { read(b, d, readers) })
		}
	}
}

func read(b *testing.B, d compare.Decider, readers int) {
	d.Crash()
	done := make(chan struct{})
	var writer, all sync.WaitGroup
	if readers > 1 {
		writer.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(100 * time.Microsecond):
					d.Crash()
				}
			}
		})
	}
	b.ResetTimer()
	for range readers {
		all.Go(func() {
			for range b.N {
				d.Read()
			}
		})
	}
	all.Wait()
	b.StopTimer()
	close(done)
	writer.Wait()
}
