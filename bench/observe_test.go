package bench_test

import (
	"testing"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func BenchmarkTrackerObserveCrash(b *testing.B) {
	b.Run("crashes=same-instant", func(b *testing.B) {
		tracker := gate.NewTracker(policy.Classic())
		b.ReportAllocs()
		for b.Loop() {
			tracker.ObserveCrash(start, errCrash)
		}
	})
	b.Run("crashes=200s-apart", func(b *testing.B) {
		tracker := gate.NewTracker(policy.Classic())
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			if i == len(apart) {
				tracker, i = gate.NewTracker(policy.Classic()), 0 // or time would run backwards
			}
			tracker.ObserveCrash(apart[i], errCrash)
			i++
		}
	})
	b.Run("crashes=force-released", func(b *testing.B) {
		tracker := gate.NewTracker(policy.Classic())
		b.ReportAllocs()
		for b.Loop() {
			tracker.ForceRelease()
			tracker.ObserveCrash(start, errCrash)
		}
	})
}

// BenchmarkDefaultObserveCrash is of the policy that serves where none is given, which
// has more rules than the classic one of the others.
func BenchmarkDefaultObserveCrash(b *testing.B) {
	tracker := gate.NewTracker(policy.Default())
	b.ReportAllocs()
	for b.Loop() {
		tracker.ObserveCrash(start, errCrash)
	}
}

func BenchmarkGateObserveCrash(b *testing.B) {
	b.Run("observers=0", func(b *testing.B) {
		g := gate.New(policy.Classic())
		b.ReportAllocs()
		for b.Loop() {
			g.ObserveCrash(start, errCrash)
		}
	})
	b.Run("observers=1", func(b *testing.B) {
		g := gate.New(policy.Classic(), gate.OnTransition(func(gate.Transition) {}))
		b.ReportAllocs()
		for b.Loop() {
			g.ObserveCrash(start, errCrash)
			g.ForceRelease() // so that each crash is a transition
		}
	})
}

// BenchmarkGateContended has all processors use one gate.
func BenchmarkGateContended(b *testing.B) {
	for _, bench := range []struct {
		name string
		use  func(g *gate.Gate)
	}{
		{"use=ObserveCrash", func(g *gate.Gate) { g.ObserveCrash(start, errCrash) }},
		{"use=Admissible", func(g *gate.Gate) { g.Admissible(start) }},
		{"use=State", func(g *gate.Gate) { g.State() }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			g := gate.New(policy.Classic())
			g.ObserveCrash(start, errCrash)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					bench.use(g)
				}
			})
		})
	}
}
