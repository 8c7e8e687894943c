package gate_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// BenchmarkNow is the yardstick: what it costs to ask for the time, which
// whoever observes a crash has to do anyway.
func BenchmarkNow(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		time.Now()
	}
}

// apart has instants that are further apart than any window or hold, computed
// beforehand so that only the gate is measured.
var apart = func() (instants [1024]time.Time) {
	now := time.Now()
	for i := range instants {
		instants[i] = now.Add(time.Duration(i) * 200 * time.Second)
	}
	return instants
}()

func BenchmarkTrackerObserveCrash(b *testing.B) {
	now := time.Now()
	b.Run("crashes=same-instant", func(b *testing.B) {
		tracker := gate.NewTracker(policy.Default())
		b.ReportAllocs()
		for b.Loop() {
			tracker.ObserveCrash(now, errCrash)
		}
	})
	b.Run("crashes=200s-apart", func(b *testing.B) {
		var tracker gate.Tracker
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			if i == len(apart) {
				tracker, i = gate.Tracker{}, 0 // or time would run backwards
			}
			tracker.ObserveCrash(apart[i], errCrash)
			i++
		}
	})
	b.Run("crashes=force-released", func(b *testing.B) {
		tracker := gate.NewTracker(policy.Default())
		b.ReportAllocs()
		for b.Loop() {
			tracker.ForceRelease()
			tracker.ObserveCrash(now, errCrash)
		}
	})
}

func BenchmarkGateObserveCrash(b *testing.B) {
	now := time.Now()
	b.Run("observers=0", func(b *testing.B) {
		g := gate.New(policy.Default())
		b.ReportAllocs()
		for b.Loop() {
			g.ObserveCrash(now, errCrash)
		}
	})
	b.Run("observers=1", func(b *testing.B) {
		g := gate.New(policy.Default(), gate.OnTransition(func(gate.Transition) {}))
		b.ReportAllocs()
		for b.Loop() {
			g.ObserveCrash(now, errCrash)
			g.ForceRelease() // so that each crash is a transition
		}
	})
}

func BenchmarkGateAdmissible(b *testing.B) {
	now := time.Now()
	onOpenAndHeld(b, func(b *testing.B, g *gate.Gate) {
		b.ReportAllocs()
		for b.Loop() {
			g.Admissible(now)
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
	g := gate.New(policy.Default())
	b.Run("gate=open", func(b *testing.B) { bench(b, g) })
	g.ObserveCrash(time.Now(), errCrash)
	b.Run("gate=held", func(b *testing.B) { bench(b, g) })
}

// BenchmarkGateContended has all processors use one gate.
func BenchmarkGateContended(b *testing.B) {
	now := time.Now()
	for _, bench := range []struct {
		name string
		use  func(g *gate.Gate)
	}{
		{"use=ObserveCrash", func(g *gate.Gate) { g.ObserveCrash(now, errCrash) }},
		{"use=Admissible", func(g *gate.Gate) { g.Admissible(now) }},
		{"use=State", func(g *gate.Gate) { g.State() }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			g := gate.New(policy.Default())
			g.ObserveCrash(now, errCrash)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					bench.use(g)
				}
			})
		})
	}
}
