package gate_test

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// Many goroutines use all of a Set at once, with callbacks that misbehave, while others
// tick. No two are given the same release, and it is as usable as before.
func TestSetStress(t *testing.T) {
	const keys, goroutines, rounds = 50, 8, 2000
	var calls atomic.Int64
	var over atomic.Bool
	mischief := func() {
		switch n := calls.Add(1); {
		case over.Load():
		case n%97 == 0:
			panic("misbehaving")
		case n%101 == 0:
			runtime.Goexit()
		}
	}
	var set *gate.Set[int]
	set = gate.NewSet(policy.Func(func(h policy.History) policy.Decision {
		mischief()
		return policy.Decision{Delay: time.Duration(h.Streak()%3) * time.Millisecond}
	}),
		gate.WithMaxIdle[int](20),
		gate.OnKeyTransition(func(key int, _ gate.Transition) {
			mischief()
			if n := calls.Load(); n%5 == 0 {
				set.Admissible(key, start)
				set.ForceRelease((key + 1) % keys)
			}
		}),
		gate.OnKeyPanic(func(int, gate.Panic) { mischief() }))
	together(goroutines, func(i int) {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		for round := range rounds {
			inGoroutine(func() {
				key, now := random.IntN(keys), start.Add(time.Duration(round)*time.Millisecond)
				switch random.IntN(9) {
				case 0:
					set.ObserveStart(key, now)
				case 1, 2, 3:
					set.ObserveCrash(key, now, errCrash)
				case 4:
					set.ObserveCleanExit(key, now)
				case 5:
					for range set.Tick(now) {
						if random.IntN(3) == 0 {
							break
						}
					}
				case 6:
					set.Delete(key)
				case 7:
					set.Pause(key)
					set.Probe(key)
				case 8:
					set.NextDeadline()
					set.Len()
					for key := range set.All() {
						set.Snapshot(key)
					}
				}
			})
		}
	})
	over.Store(true)
	for range set.Tick(start.Add(time.Hour)) {
	}
	for key, state := range set.All() {
		if state.Phase() != gate.Idle && state.Phase() != gate.Paused {
			t.Errorf("%d is still %v", key, state)
		}
	}
	if _, ok := set.NextDeadline(); ok {
		t.Error("there is a deadline, though nothing is held")
	}
}

// Each of many goroutines that tick is given other keys.
func TestSetTickersShare(t *testing.T) {
	const keys = 10_000
	set := gate.NewSet[int](policy.Constant(time.Second))
	for key := range keys {
		set.ObserveCrash(key, at(0), errCrash)
	}
	var released [keys]atomic.Int32
	together(8, func(int) {
		for key := range set.Tick(at(1)) {
			released[key].Add(1)
		}
	})
	for key := range released {
		if n := released[key].Load(); n != 1 {
			t.Fatalf("%d was released %d times", key, n)
		}
	}
}
