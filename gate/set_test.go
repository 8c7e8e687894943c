package gate_test

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

// keysOf returns what a loop yields, in order.
func keysOf[K ~int | ~string](all func(func(K, gate.State) bool)) (keys []K) {
	for key := range all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func wantKeys[K ~int | ~string](t *testing.T, what string, got []K, want ...K) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Questions, and what opens gates, make none; events do.
func TestSetMakesGatesByEvents(t *testing.T) {
	for name, question := range map[string]func(*gate.Set[string]) bool{
		"State":        func(s *gate.Set[string]) bool { return s.State("a") != gate.State{} },
		"Admissible":   func(s *gate.Set[string]) bool { return !s.Admissible("a", at(0)) },
		"MaybeRelease": func(s *gate.Set[string]) bool { return s.MaybeRelease("a", at(0)) },
		"ForceRelease": func(s *gate.Set[string]) bool { return s.ForceRelease("a") },
		"Probe":        func(s *gate.Set[string]) bool { return s.Probe("a") },
		"Delete":       func(s *gate.Set[string]) bool { return s.Delete("a") },
		"History":      func(s *gate.Set[string]) bool { _, ok := s.History("a"); return ok },
		"Snapshot":     func(s *gate.Set[string]) bool { _, ok := s.Snapshot("a"); return ok },
		"PausedBy":     func(s *gate.Set[string]) bool { _, ok := s.PausedBy("a"); return ok },
	} {
		set := gate.NewSet[string](nil)
		if question(set) || set.Len() != 0 {
			t.Errorf("%s of a key without a gate does not answer as an open gate, or makes one", name)
		}
	}
	for name, event := range map[string]func(*gate.Set[string]){
		"ObserveStart":     func(s *gate.Set[string]) { s.ObserveStart("a", at(0)) },
		"TryStart":         func(s *gate.Set[string]) { s.TryStart("a", at(0)) },
		"ObserveCrash":     func(s *gate.Set[string]) { s.ObserveCrash("a", at(0), errCrash) },
		"ObserveCleanExit": func(s *gate.Set[string]) { s.ObserveCleanExit("a", at(0)) },
		"ObserveRestart":   func(s *gate.Set[string]) { s.ObserveRestart("a", at(0)) },
		"Pause":            func(s *gate.Set[string]) { s.Pause("a") },
	} {
		set := gate.NewSet[string](nil)
		if event(set); set.Len() != 1 {
			t.Errorf("%s makes %d gates, want one", name, set.Len())
		}
	}
}

func TestSetTick(t *testing.T) {
	set := gate.NewSet[string](policy.Classic())
	if _, ok := set.NextDeadline(); ok {
		t.Error("an empty set has a deadline")
	}
	set.ObserveCrash("a", at(0), errCrash) // until 0.5
	set.ObserveCrash("b", at(1), errCrash) // until 1.5
	set.ObserveCrash("c", at(1), errCrash)
	set.ForceRelease("c")
	set.Pause("d")
	if next, ok := set.NextDeadline(); !ok || !next.Equal(at(0.5)) {
		t.Errorf("the next deadline is %v, %v; want that of a", next, ok)
	}
	wantKeys(t, "before", keysOf(set.Tick(at(0.499))))
	for key, was := range set.Tick(at(0.5)) {
		if key != "a" || was.Phase() != gate.BackingOff || !was.Until().Equal(at(0.5)) {
			t.Errorf("Tick yields %s, which was %v", key, was)
		}
	}
	wantKeys(t, "again", keysOf(set.Tick(at(0.5))))
	wantKeys(t, "later", keysOf(set.Tick(at(100))), "b")
	if set.State("d").Phase() != gate.Paused || set.Len() != 4 {
		t.Error("Tick opens what is paused, or forgets")
	}
}

// A loop that ends early has the others find the rest, also while it deletes, or
// crashes what it was given.
func TestSetTickEndsEarly(t *testing.T) {
	set := gate.NewSet[int](policy.Constant(time.Second))
	for key := range 100 {
		set.ObserveCrash(key, at(0), errCrash)
	}
	seen := map[int]bool{}
	for len(seen) < 100 {
		before := len(seen)
		for key := range set.Tick(at(1)) {
			if seen[key] {
				t.Fatalf("%d is released twice", key)
			}
			seen[key] = true
			set.ObserveCrash(key, at(1), errCrash) // held again, until 2
			set.Delete(key + 1)
			seen[key+1] = true
			break
		}
		if len(seen) == before {
			t.Fatalf("%d of 100 were released", len(seen))
		}
	}
}

func TestSetPolicyFor(t *testing.T) {
	var panics []string
	set := gate.NewSet(policy.Constant(time.Second),
		gate.WithPolicyFor(func(key string) policy.Policy {
			switch key {
			case "slow":
				return policy.Constant(time.Hour)
			case "panics at once":
				panic("no policy for you")
			case "panics later":
				return policy.Func(func(policy.History) policy.Decision { panic("no decision for you") })
			}
			return nil
		}),
		gate.OnKeyPanic(func(key string, p gate.Panic) { panics = append(panics, fmt.Sprint(key, ", ", p.Of, ": ", p.Value)) }),
		nil)
	for key, want := range map[string][2]time.Duration{
		"slow": {time.Hour, time.Hour}, "other": {time.Second, time.Second}, "panics at once": {time.Second, time.Second},
		"panics later": {500 * time.Millisecond, 550 * time.Millisecond}, // as by policy.Default
	} {
		for range 2 {
			until := set.ObserveCrash(key, start, errCrash).Until().Sub(start)
			if until < want[0] || until > 2*want[1] {
				t.Errorf("%s is held for %v, want %v", key, until, want)
			}
		}
	}
	slices.Sort(panics)
	wantKeys(t, "panics", panics, "panics at once, choice of a policy by key: no policy for you", "panics later, policy: no decision for you")
}

func TestSetObservers(t *testing.T) {
	recorders := map[string]*gatetest.Recorder{"a": {}, "b": {}}
	var panics []string
	last := 0
	var set *gate.Set[string]
	set = gate.NewSet(policy.Classic(),
		gate.OnKeyTransition(func(string, gate.Transition) { panic("at every one") }),
		gate.OnKeyTransition(func(key string, tr gate.Transition) {
			recorders[key].Observe(tr)
			next, ok := set.NextDeadline()
			if until, ends := tr.To.ReleaseAt(); ends && (!ok || next.After(until)) {
				t.Errorf("the set does not know yet what its observer learns: %v", tr.To)
			}
		}),
		gate.OnKeyTransition(func(string, gate.Transition) { last++ }),
		gate.OnKeyPanic(func(_ string, p gate.Panic) { panics = append(panics, p.Of) }),
	)
	for i := range 5 {
		set.ObserveCrash("a", at(float64(i)), errCrash)
	}
	set.ObserveCrash("b", at(0), errCrash)
	for range set.Tick(at(0.5)) {
	}
	set.Pause("b", gate.By{Who: "ann", Why: "migration"})
	set.ObserveStart("c", at(0)) // no transition
	for key, want := range map[string][]gate.Phase{
		"a": {gate.BackingOff, gate.BackingOff, gate.BackingOff, gate.BackingOff, gate.CrashLooping},
		"b": {gate.BackingOff, gate.Idle, gate.Paused},
	} {
		if got := recorders[key].Phases(); !slices.Equal(got, want) {
			t.Errorf("%s: phases = %v, want %v", key, got, want)
		}
		if err := recorders[key].Check(); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if tr := recorders["b"].Transitions()[2]; tr.By.Who != "ann" || tr.Cause != gate.CausePause {
		t.Errorf("the pause is reported as %+v", tr)
	}
	if by, ok := set.PausedBy("b"); !ok || by.Why != "migration" {
		t.Errorf("it was paused by %v, %v", by, ok)
	}
	if last != 8 {
		t.Errorf("the observer after the one that panics got %d transitions, want 8", last)
	}
	wantKeys(t, "panics", panics, gate.OfObserver)
}

// An observer may do anything to the set, also to the key that it is called for.
func TestSetObserverUsesTheSet(t *testing.T) {
	var order []string
	var set *gate.Set[int]
	set = gate.NewSet(policy.Constant(time.Second), gate.OnKeyTransition(func(key int, tr gate.Transition) {
		order = append(order, fmt.Sprint(key, " ", tr.To.Phase()))
		switch {
		case tr.To.Phase() == gate.BackingOff && key == 0:
			set.ForceRelease(0) // delivered after this one has returned
			set.ObserveCrash(1, at(0), errCrash)
			order = append(order, "end")
		case key == 1:
			set.Delete(1)
		}
	}))
	set.ObserveCrash(0, at(0), errCrash)
	if want := []string{"0 backing off", "1 backing off", "end", "0 idle"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	if set.Len() != 1 {
		t.Errorf("%d gates, want that of 0", set.Len())
	}
}

func TestSetRefuses(t *testing.T) {
	for name, call := range map[string]func(){
		"OnKeyTransition": func() { gate.OnKeyTransition[int](nil) },
		"OnKeyPanic":      func() { gate.OnKeyPanic[int](nil) },
		"WithMaxIdle":     func() { gate.WithMaxIdle[int](-1) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			call()
		}()
	}
}

// Idle gates are bounded, exactly, whatever the keys; those that are held, paused or in
// a run are not forgotten.
func TestSetMaxIdle(t *testing.T) {
	for _, most := range []int{0, 1, 10, 1000, 5000} {
		set := gate.NewSet(policy.Constant(time.Hour), gate.WithMaxIdle[int](most))
		for key := range 50 {
			set.ObserveCrash(-1-3*key, at(0), errCrash)
			set.Pause(-2 - 3*key)
			set.ObserveStart(-3-3*key, at(0))
		}
		for key := range 3 * (most + 100) {
			set.ObserveStart(key, at(0))
			set.ObserveCleanExit(key, at(1))
			if idle := set.Len() - 150; idle > most {
				t.Fatalf("%d idle gates, want %d at most", idle, most)
			}
		}
		if idle := set.Len() - 150; idle < most*9/10 {
			t.Errorf("%d idle gates, want about %d", idle, most)
		}
		for key := range 50 {
			if set.State(-1-3*key).Phase() != gate.BackingOff || set.State(-2-3*key).Phase() != gate.Paused || set.TryStart(-3-3*key, at(2)) {
				t.Fatal("one that is held, paused or in a run was forgotten")
			}
		}
	}
}

// Those with a clean slate go before those with a streak, the least used first.
func TestSetMaxIdleOrder(t *testing.T) {
	set := gate.NewSet(policy.Constant(0), gate.WithMaxIdle[string](3))
	set.ObserveCrash("streak", at(0), errCrash) // idle at once, with a streak
	for _, key := range []string{"a", "b", "a", "c", "d"} {
		set.ObserveCleanExit(key, at(1))
	}
	wantKeys(t, "kept", keysOf(set.All()), "c", "d", "streak")
}

// A million keys that come and go leave nothing behind, of which those that point to
// something used to keep it.
func TestSetForgets(t *testing.T) {
	type target [1000]byte
	set := gate.NewSet(policy.Constant(time.Hour), gate.WithMaxIdle[*target](10))
	before := heap()
	for range 20_000 {
		key := new(target)
		set.ObserveStart(key, at(0))
		set.ObserveCleanExit(key, at(1))
	}
	if set.Len() != 10 {
		t.Errorf("%d gates, want 10", set.Len())
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	runtime.KeepAlive(set)

	all := gate.NewSet[int](policy.Classic())
	before = heap()
	for key := range 200_000 {
		all.ObserveCrash(key, at(0), errCrash)
	}
	for key := range 200_000 {
		all.Delete(key)
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("200,000 gates that were deleted leave %d bytes", grown)
	}
	runtime.KeepAlive(all)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Ten lives: what is saved and restored stays as it is.
func TestSetTenLives(t *testing.T) {
	set := gate.NewSet[string](policy.Classic())
	set.ObserveCrash("held", at(4), errors.New("no such host"))
	set.ObserveStart("running", at(4))
	set.Pause("paused", gate.By{Who: "ann"})
	for i := range 5 {
		set.ObserveCrash("looping", at(float64(i)), errCrash)
	}
	first := maps.Collect(set.SnapshotAll())
	if len(first) != 4 {
		t.Fatalf("%d snapshots, want 4", len(first))
	}
	for life := range 10 {
		next := gate.NewSet[string](policy.Classic())
		if err := next.Restore(at(4), maps.All(maps.Collect(set.SnapshotAll()))); err != nil {
			t.Fatal(err)
		}
		for key := range first {
			if got, want := next.State(key), set.State(key); !got.Equal(want) {
				t.Errorf("life %d: %s is %v, was %v", life, key, got, want)
			}
			if was, is := mustSnapshot(t, set, key), mustSnapshot(t, next, key); life > 0 && mustMarshal(t, was) != mustMarshal(t, is) {
				t.Errorf("life %d: %s was %s, is %s", life, key, mustMarshal(t, was), mustMarshal(t, is))
			}
		}
		set = next
	}
	wantKeys(t, "due", keysOf(set.Tick(at(304))), "held", "looping")
}

func mustSnapshot(t *testing.T, set *gate.Set[string], key string) gate.Snapshot {
	t.Helper()
	s, ok := set.Snapshot(key)
	if !ok {
		t.Fatalf("%s has no gate", key)
	}
	return s
}

// What cannot be restored leaves its gate as it was, and the others are.
func TestSetRestoreJoinsFaults(t *testing.T) {
	set := gate.NewSet[string](policy.Classic())
	set.ObserveCrash("bad", at(0), errCrash)
	good := gate.NewTracker(policy.Classic())
	good.ObserveCrash(at(0), errCrash)
	err := set.Restore(at(0), maps.All(map[string]gate.Snapshot{"bad": {Version: 99}, "good": good.Snapshot()}))
	if err == nil || set.State("bad").Phase() != gate.BackingOff || set.State("good").Phase() != gate.BackingOff {
		t.Errorf("error %v, bad is %v, good is %v", err, set.State("bad"), set.State("good"))
	}
}
