package gate_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// TestSetStress has everything happen to the gates of a set at once. At the end
// the set must be in line with each of them: what is held is due at its time,
// and no more idle gates are left than may be.
func TestSetStress(t *testing.T) {
	observed := gate.OnKeyTransition(func(int, gate.Transition) {})
	for name, maxIdle := range map[string]int{"unbounded": -1, "bounded": 20, "none idle": 0} {
		t.Run(name, func(t *testing.T) {
			opts := []gate.SetOption[int]{observed}
			if maxIdle >= 0 {
				opts = append(opts, gate.WithMaxIdle[int](maxIdle))
			}
			p := policy.Steps(time.Millisecond, 30*time.Millisecond, 0, 10*time.Millisecond)
			set := gate.NewSet(p, opts...)
			stressSet(t, set)
			set.Get(-1) // an event, by which all is made up for
			wantInLine(t, set)
			if maxIdle >= 0 && set.Len() > maxIdle+inARun(set) {
				t.Errorf("%d gates are left that are not in a run, want at most %d", set.Len()-inARun(set), maxIdle)
			}
		})
	}
}

func stressSet(t *testing.T, set *gate.Set[int]) {
	const keys, rounds = 100, 3000
	var clock atomic.Int64 // milliseconds, which all move on together
	now := func() time.Time { return start.Add(time.Duration(clock.Add(1)) * time.Millisecond / 4) }
	var all sync.WaitGroup
	for seed := range uint64(4) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			kept := map[int]*gate.Gate{} // past its eviction
			for range rounds {
				key := r.IntN(keys)
				g := set.Get(key)
				if old := kept[key]; old != nil && r.IntN(4) == 0 {
					g = old // which may be a deleted one
				}
				kept[key] = g
				doSomething(g, now(), r)
				switch r.IntN(200) {
				case 0:
					set.Delete(key)
				case 1:
					runtime.GC()
				}
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for range rounds / 4 {
				for range set.Tick(now()) {
				}
				set.NextDeadline()
				set.Lookup(int(clock.Load()) % keys)
			}
		})
	}
	all.Wait()
}

func inARun(set *gate.Set[int]) (n int) {
	for _, g := range set.All() {
		if g.History().Running() {
			n++
		}
	}
	return n
}

func doSomething(g *gate.Gate, now time.Time, r *rand.Rand) {
	switch r.IntN(8) {
	case 0, 1, 2:
		g.ObserveCrash(now, errCrash)
	case 3:
		g.ObserveStart(now)
	case 4:
		g.ObserveCleanExit(now)
	case 5:
		g.ForceRelease()
	case 6:
		g.MaybeRelease(now)
	case 7:
		g.Snapshot()
	}
}

func wantInLine(t *testing.T, set *gate.Set[int]) {
	t.Helper()
	held := map[int]time.Time{}
	for key, g := range set.All() {
		if again := set.Get(key); again != g {
			t.Errorf("there are two gates of %d", key)
		}
		if until, ends := g.State().ReleaseAt(); ends {
			held[key] = until
		}
	}
	for next, ok := set.NextDeadline(); ok; next, ok = set.NextDeadline() {
		released := 0
		for key := range set.Tick(next) {
			if until, ok := held[key]; !ok || !until.Equal(next) {
				t.Errorf("gate %d is due at %v, want %v", key, next, until)
			}
			delete(held, key)
			released++
		}
		if released == 0 {
			t.Fatalf("nothing is due at the next deadline, %v", next)
		}
	}
	if len(held) != 0 {
		t.Errorf("held, but never due: %v", held)
	}
}
