package gate_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

var oddForSets = []time.Time{
	{}, time.Unix(0, 0), time.Date(9999, time.December, 31, 23, 0, 0, 0, time.UTC),
	time.Date(20000, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(-5, time.January, 1, 0, 0, 0, 0, time.UTC),
	time.Unix(1<<62, 0), time.Unix(-1<<62, 0), start.AddDate(-30, 0, 0), start.AddDate(30, 0, 0), start.AddDate(150, 0, 0),
}

// Odd instants of one key, or of Tick, change nothing for its neighbours: not when they
// come first, nor in between, nor all at once.
func TestSetOddInstantsAmongHealthy(t *testing.T) {
	for first := range 2 { // whether the odd ones come first
		for seed := range uint64(300) {
			random := rand.New(rand.NewPCG(seed, uint64(first)))
			set := gate.NewSet[string](policy.Constant(time.Hour))
			meddle := func() {
				odd := oddForSets[random.IntN(len(oddForSets))]
				switch random.IntN(8) {
				case 0:
					set.ObserveStart("odd", odd)
				case 1, 2:
					if s := set.ObserveCrash("odd", odd, errCrash); s.Phase() == gate.Idle {
						t.Fatal("an odd crash is not held")
					}
				case 3:
					set.ObserveRestart("odd", odd)
				case 4:
					set.MaybeRelease("odd", odd)
				case 5:
					set.TryStart("odd", odd)
				case 6:
					set.Admissible("odd", odd)
				case 7:
					set.ForceRelease("odd")
				}
				// An instant that no clock shows releases nothing that is healthy.
				if odd.Year() < 1990 || odd.Year() > 2199 {
					if slices.Contains(keysOf(set.Tick(odd)), "healthy") {
						t.Fatalf("Tick at %v releases a healthy key", odd)
					}
				}
			}
			if first == 0 {
				set.ObserveStart("healthy", at(-1))
			}
			for range 5 {
				meddle()
			}
			set.ObserveCrash("healthy", at(0), errCrash)
			for range 5 {
				meddle()
			}
			if slices.Contains(keysOf(set.Tick(at(3599))), "healthy") || !set.State("healthy").Until().Equal(at(3600)) {
				t.Fatalf("seed %d: a healthy hold is over early, %v", seed, set.State("healthy"))
			}
			if !slices.Contains(keysOf(set.Tick(at(3600))), "healthy") {
				t.Fatalf("seed %d: a healthy hold is not over at its end, %v", seed, set.State("healthy"))
			}
			// And the odd one is well again with healthy instants.
			set.ForceRelease("odd")
			set.ObserveCrash("odd", at(4000), errCrash)
			if set.Admissible("odd", at(7599)) || !set.Admissible("odd", at(7600)) {
				t.Fatalf("seed %d: after a release the odd one is %v", seed, set.State("odd"))
			}
			if next, ok := set.NextDeadline(); !ok || !next.Equal(at(7600)) {
				t.Fatalf("seed %d: the next deadline is %v", seed, next)
			}
			if !slices.Contains(keysOf(set.Tick(at(7600))), "odd") {
				t.Fatalf("seed %d: the odd one is not released", seed)
			}
		}
	}
}
