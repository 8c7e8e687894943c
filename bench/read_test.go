package bench_test

import (
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func BenchmarkGateAdmissible(b *testing.B) {
	onOpenAndHeld(b, func(b *testing.B, g *gate.Gate) {
		b.ReportAllocs()
		for b.Loop() {
			g.Admissible(start)
		}
	})
}

func BenchmarkGateState(b *testing.B) {
	onOpenAndHeld(b, func(b *testing.B, g *gate.Gate) {
		b.ReportAllocs()
		for b.Loop() {
			g.State()
		}
	})
}

func onOpenAndHeld(b *testing.B, bench func(b *testing.B, g *gate.Gate)) {
	g := gate.New(policy.Classic())
	b.Run("gate=open", func(b *testing.B) { bench(b, g) })
	g.ObserveCrash(start, errCrash)
	b.Run("gate=held", func(b *testing.B) { bench(b, g) })
}

// BenchmarkGateReaders has 1, 2 and 4 goroutines read a gate that another one
// writes to: not at all, at pauses of about a tenth of a millisecond, or without a pause,
// which also takes a processor from the readers. The time is that of one read in
// one reader.
func BenchmarkGateReaders(b *testing.B) {
	for _, readers := range []string{"1", "2", "4"} {
		for _, writer := range []struct {
			name  string
			pause time.Duration
		}{{"none", -1}, {"paused", 100 * time.Microsecond}, {"busy", 0}} {
			b.Run("readers="+readers+"/writer="+writer.name, func(b *testing.B) {
				g := gate.New(policy.Classic())
				g.ObserveCrash(start, errCrash)
				stop := write(g, writer.pause)
				defer stop()
				readAll(b, int(readers[0]-'0'), g)
			})
		}
	}
}

// write crashes g until stop is called, and forces it open now and then.
func write(g *gate.Gate, pause time.Duration) (stop func()) {
	done := make(chan struct{})
	var writer sync.WaitGroup
	if pause >= 0 {
		writer.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				g.ObserveCrash(start, errCrash)
				if i%8 == 0 {
					g.ForceRelease()
				}
				if pause > 0 {
					time.Sleep(pause)
				}
			}
		})
	}
	return func() { close(done); writer.Wait() }
}

func readAll(b *testing.B, readers int, g *gate.Gate) {
	b.ResetTimer()
	var all sync.WaitGroup
	for range readers {
		all.Go(func() {
			for range b.N {
				g.Admissible(start)
			}
		})
	}
	all.Wait()
}
