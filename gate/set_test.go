package gate_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

func TestSetGet(t *testing.T) {
	set := gate.NewSet[string](nil)
	if _, ok := set.Lookup("a"); ok || set.Len() != 0 {
		t.Error("a new set has gates")
	}
	g := set.Get("a")
	if set.Get("a") != g || set.Get("b") == g {
		t.Error("the gates of a and b are not one each")
	}
	if found, ok := set.Lookup("a"); !ok || found != g {
		t.Error("Lookup does not find what Get has made")
	}
	wantState(t, g, gate.State{})
	g.ObserveCrash(at(0), errCrash)
	wantState(t, g, held(gate.BackingOff, at(0.5))) // by the default policy
}

func TestSetDelete(t *testing.T) {
	set := gate.NewSet[string](nil)
	g := set.Get("a")
	g.ObserveCrash(at(0), errCrash)
	if !set.Delete("a") || set.Delete("a") || set.Len() != 0 {
		t.Error("the gate was not deleted once")
	}
	if _, ok := set.NextDeadline(); ok {
		t.Error("the deadline of a deleted gate is left")
	}
	g.ObserveCrash(at(1), errCrash)
	if _, ok := set.NextDeadline(); ok || set.Len() != 0 {
		t.Error("a deleted gate came back by itself")
	}
	if set.Get("a") == g {
		t.Error("Get returns the deleted gate")
	}
}

func TestSetAllStopsEarly(t *testing.T) {
	set := gate.NewSet[int](nil)
	for key := range 100 {
		set.Get(key)
	}
	n := 0
	for range set.All() {
		if n++; n == 7 {
			break
		}
	}
	if n != 7 {
		t.Errorf("the loop ran %d times after it had ended", n)
	}
}

func TestSetPolicyFor(t *testing.T) {
	text := gatherLog(t)
	set := gate.NewSet(policy.Constant(time.Second), gate.WithPolicyFor(func(key string) policy.Policy {
		switch key {
		case "slow":
			return policy.Constant(time.Hour)
		case "panics at once":
			panic("no policy for you")
		case "panics later":
			return policy.Func(func(*policy.History) policy.Decision { panic("no decision for you") })
		}
		return nil
	}))
	for key, want := range map[string]time.Duration{
		"slow": time.Hour, "other": time.Second, "panics at once": time.Second, "panics later": 500 * time.Millisecond,
	} {
		set.Get(key).ObserveCrash(start, errCrash)
		wantState(t, set.Get(key), held(gate.BackingOff, start.Add(want)))
	}
	if got := strings.Count(text(), "a policy panicked"); got != 1 {
		t.Errorf("the panics were reported %d times, want once:\n%s", got, text())
	}
}

func TestSetObservers(t *testing.T) {
	text := gatherLog(t)
	recorders := map[string]*gatetest.Recorder{"a": {}, "b": {}}
	exits := 0
	var set *gate.Set[string]
	set = gate.NewSet(nil,
		gate.OnKeyTransition(func(string, gate.Transition) { panic("at every one") }),
		gate.OnKeyTransition(func(key string, tr gate.Transition) {
			recorders[key].Observe(tr)
			if next, ok := set.NextDeadline(); tr.To.Phase != gate.Idle && (!ok || next.After(tr.To.Until)) {
				t.Errorf("the set does not know yet what its observer is told: %v", tr.To)
			}
		}),
		gate.OnKeyTransition(func(string, gate.Transition) { exits++ }),
	)
	set.Get("a").OnTransition(func(gate.Transition) {})
	for i := range 5 {
		set.Get("a").ObserveCrash(at(float64(i)), errCrash)
	}
	set.Get("b").ObserveCrash(at(0), errCrash)
	for range set.Tick(at(0.5)) {
	}
	set.Get("c").ObserveStart(at(0)) // no transition

	wantPhases := map[string][]gate.Phase{
		"a": {gate.BackingOff, gate.BackingOff, gate.BackingOff, gate.BackingOff, gate.CrashLooping},
		"b": {gate.BackingOff, gate.Idle},
	}
	for key, want := range wantPhases {
		if got := recorders[key].Phases(); !slices.Equal(got, want) {
			t.Errorf("%s: phases = %v, want %v", key, got, want)
		}
		if err := recorders[key].Check(); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	set.Delete("b")
	set.Get("a").ForceRelease()
	if exits != 8 {
		t.Errorf("the observer after the one that panics was told of %d transitions, want 8", exits)
	}
	if got := strings.Count(text(), "observer of transitions panicked"); got != 1 {
		t.Errorf("the panics were reported %d times, want once", got)
	}
}

func TestSetObserversAreNotToldOfDeletedGates(t *testing.T) {
	var told int
	set := gate.NewSet(nil, gate.OnKeyTransition(func(string, gate.Transition) { told++ }))
	g := set.Get("a")
	g.ObserveCrash(at(0), errCrash)
	set.Delete("a")
	g.ForceRelease()
	if told != 1 {
		t.Errorf("told of %d transitions, want the one before the gate was deleted", told)
	}
}

func TestSetOptionsRefuse(t *testing.T) {
	for name, make := range map[string]func(){
		"OnKeyTransition: fn is nil":      func() { gate.OnKeyTransition[int](nil) },
		"WithMaxIdle: n (-1) is negative": func() { gate.WithMaxIdle[int](-1) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), name) {
					t.Errorf("panic = %v, want one that says %q", v, name)
				}
			}()
			make()
		}()
	}
}

func TestTickReleasesEachOnce(t *testing.T) {
	set := gate.NewSet[int](policy.Constant(time.Second))
	const n = 1000
	for key := range n {
		set.Get(key).ObserveCrash(at(float64(key)), errCrash)
	}
	if next, ok := set.NextDeadline(); !ok || !next.Equal(at(1)) {
		t.Errorf("next deadline = %v, want %v", next, at(1))
	}
	for range set.Tick(at(0.999)) {
		t.Error("a gate is due before its time")
	}
	seen := 0
	for range set.Tick(at(500)) { // of which one is seen, and the others are left
		seen++
		break
	}
	for key, g := range set.Tick(at(500)) {
		if key >= n/2 || g.State() != (gate.State{}) {
			t.Errorf("gate %d is yielded, %v", key, g.State())
		}
		seen++
	}
	if seen != n/2 {
		t.Errorf("%d gates were due, want %d", seen, n/2)
	}
	if next, ok := set.NextDeadline(); !ok || !next.Equal(at(n/2+1)) {
		t.Errorf("next deadline = %v, want %v", next, at(n/2+1))
	}
}

// Neither a hold without an end nor the end of time confuses the deadlines.
func TestTickAtTheEndOfTime(t *testing.T) {
	set := gate.NewSet(nil, gate.WithPolicyFor(func(key string) policy.Policy {
		delay := map[string]time.Duration{"a second": time.Second, "for ever": math.MaxInt64, "30 years": 30 * 365 * 24 * time.Hour}
		return policy.Constant(delay[key])
	}))
	for range set.Tick(endless) {
		t.Error("a gate of an empty set is due")
	}
	for _, key := range []string{"for ever", "a second", "30 years", "gave up"} {
		set.Get(key).ObserveCrash(start, errCrash)
	}
	var due []string
	for key := range set.Tick(endless.AddDate(5000, 0, 0)) {
		due = append(due, key)
	}
	slices.Sort(due)
	if want := []string{"30 years", "a second"}; !slices.Equal(due, want) {
		t.Errorf("due = %q, want %q", due, want)
	}
	if next, ok := set.NextDeadline(); ok {
		t.Errorf("next deadline = %v, want none", next)
	}
}

// A crash prolongs a hold at the moment at which a Tick finds it over: the gate
// is not released, and due at its new time.
func TestTickAgainstACrash(t *testing.T) {
	var set *gate.Set[string]
	var crashes int
	deciding := make(chan struct{})
	set = gate.NewSet[string](policy.Func(func(*policy.History) policy.Decision {
		if crashes++; crashes == 2 {
			close(deciding)
			for _, held := set.NextDeadline(); held; _, held = set.NextDeadline() {
				runtime.Gosched() // until Tick has taken the gate from the queue
			}
		}
		return policy.Decision{Delay: time.Duration(crashes) * time.Second}
	}))
	g := set.Get("a")
	g.ObserveCrash(at(0), errCrash)
	var both sync.WaitGroup
	both.Go(func() { g.ObserveCrash(at(1), errCrash) })
	both.Go(func() {
		<-deciding
		for key := range set.Tick(at(1)) {
			t.Errorf("%s was released, though it has just crashed again", key)
		}
	})
	both.Wait()
	if next, ok := set.NextDeadline(); !ok || !next.Equal(at(3)) {
		t.Errorf("next deadline = %v, want %v", next, at(3))
	}
}

func TestSetSnapshotAndRestore(t *testing.T) {
	before := gate.NewSet[string](nil)
	for i := range 5 {
		before.Get("looping").ObserveCrash(at(float64(i)), errors.New("no such host"))
	}
	before.Get("runs").ObserveStart(at(0))
	before.Get("unused")
	saved := maps.Collect(before.SnapshotAll())
	if len(saved) != 2 {
		t.Errorf("%d snapshots, want those of the two gates that have seen something", len(saved))
	}
	for range before.SnapshotAll() {
		break
	}

	corrupt := saved["runs"]
	corrupt.Version = 99
	saved["corrupt"] = corrupt
	after := gate.NewSet[string](nil)
	err := after.Restore(at(64), maps.All(saved))
	if err == nil || !strings.Contains(err.Error(), "gate of corrupt: gate: snapshot version (99)") {
		t.Errorf("Restore = %v, want an error that names the corrupt one", err)
	}
	wantState(t, after.Get("looping"), before.Get("looping").State())
	wantState(t, after.Get("corrupt"), gate.State{})
	if !after.Get("runs").History().Running() {
		t.Error("the run under way is lost")
	}
	if due := maps.Collect(after.Tick(at(304))); len(due) != 1 || due["looping"] == nil {
		t.Errorf("due = %v, want the one that was crash looping", due)
	}
}

// A gate that somebody holds is the same after it was evicted, and an event
// brings it back; one that nobody holds is forgotten.
func TestEvictedGates(t *testing.T) {
	set := gate.NewSet(nil, gate.WithMaxIdle[string](1))
	kept := set.Get("kept")
	kept.ObserveCrash(at(0), errCrash)
	kept.MaybeRelease(at(10)) // idle, with a streak of one
	set.Get("forgotten").ObserveCrash(at(0), errCrash)
	set.Get("forgotten").MaybeRelease(at(10)) // evicts kept
	set.Get("kept-2").ObserveCrash(at(0), errCrash)
	set.Get("kept-2").MaybeRelease(at(10)) // evicts forgotten
	if set.Len() != 1 {
		t.Fatalf("%d gates, want the last one used", set.Len())
	}
	eventually(t, "the gate that nobody holds is forgotten", func() bool {
		runtime.GC()
		g, ok := set.Lookup("forgotten")
		return !ok || g == nil
	})
	if found, ok := set.Lookup("kept"); !ok || found != kept {
		t.Error("the gate that is held was not found again")
	}
	runtime.KeepAlive(kept)
	if got := set.Get("forgotten").History().Streak(); got != 0 {
		t.Errorf("the forgotten gate has a streak of %d", got)
	}
	set.Delete("kept")
	if set.Get("kept") == kept {
		t.Error("a deleted gate came back")
	}
}

// A flood of keys, clean or crashing, frees no gate that is held.
func TestFloodOfKeys(t *testing.T) {
	const max = 100
	set := gate.NewSet(nil, gate.WithMaxIdle[int](max))
	for i := range 5 {
		set.Get(-1).ObserveCrash(at(float64(i)), errCrash)
	}
	set.Get(-2).ObserveStart(at(0)) // runs
	for key := range 20_000 {
		g := set.Get(key)
		if key%3 == 0 {
			g.ObserveCrash(at(4), errCrash)
			g.MaybeRelease(at(5))
		}
		if set.Len() > max+2 {
			t.Fatalf("%d gates, want at most %d idle ones", set.Len(), max)
		}
		if key%10_000 == 0 {
			runtime.GC()
		}
	}
	if g, ok := set.Lookup(-1); !ok || g.State().Phase != gate.CrashLooping {
		t.Error("the gate that is crash looping was evicted")
	}
	if g, ok := set.Lookup(-2); !ok || !g.History().Running() {
		t.Error("the gate in a run was evicted")
	}
}

// A set whose gates come and go does not grow.
func TestSetForgetsWhatIsDeleted(t *testing.T) {
	set := gate.NewSet(nil, gate.WithMaxIdle[int](1<<20))
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	churn := func() {
		for key := range 10_000 {
			set.Get(key).ObserveCrash(start, errCrash)
			set.Delete(key)
		}
	}
	churn()
	before := heap()
	for range 5 {
		churn()
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("50,000 deleted gates have left %d bytes", after-before)
	}
}

// eventually waits for what the garbage collector does in its own time.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("not so: %s", what)
}
