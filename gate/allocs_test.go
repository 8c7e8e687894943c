package gate_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func wantAllocs(t *testing.T, want float64, what string, f func()) {
	t.Helper()
	if got := testing.AllocsPerRun(100, f); got != want {
		t.Errorf("%s: %v allocations, want %v", what, got, want)
	}
}

func TestSizes(t *testing.T) {
	if size := unsafe.Sizeof(gate.Tracker{}); size > 160 {
		t.Errorf("a Tracker has %d bytes, want at most 160", size)
	}
	if size := unsafe.Sizeof(gate.Gate{}); size > 192 {
		t.Errorf("a Gate has %d bytes, want at most 192", size)
	}
	if size := unsafe.Sizeof(gate.State{}); size > 32 {
		t.Errorf("a State has %d bytes, want at most 32, which fit into registers", size)
	}
}

// unobserved are the shells that nobody observes, whose budget is zero.
var unobserved = shells[:2]

// budgeted are policies that look no further back than 8 crashes.
var budgeted = map[string]policy.Policy{
	"default": policy.Default(),
	"classic": policy.Classic(),
	"composed": policy.Compose(policy.Steps(time.Second, time.Minute), policy.CrashLoop(8, time.Minute, time.Minute),
		policy.Probation(time.Hour), policy.MaxCrashes(7, time.Minute), policy.StableRun(time.Minute), policy.Spread(0.1)),
}

// onBudget runs test with each shell that nobody observes, under each such policy.
func onBudget(t *testing.T, test func(t *testing.T, fresh func() machine)) {
	for name, p := range budgeted {
		for _, shell := range unobserved {
			t.Run(shell.name+" under "+name, func(t *testing.T) { test(t, func() machine { return shell.fresh(p) }) })
		}
	}
}

func TestNoAllocationBeforeTheFirstCrash(t *testing.T) {
	onBudget(t, func(t *testing.T, fresh func() machine) {
		m, now := fresh(), start
		wantAllocs(t, 0, "all events but a crash", func() {
			m.ObserveStart(now)
			now = now.Add(time.Hour)
			m.ObserveStart(now)
			m.ObserveCleanExit(now)
			m.ObserveRestart(now)
			m.MaybeRelease(now)
			m.TryStart(now)
			m.Probe()
			m.ForceRelease()
		})
	})
}

func TestTheFirstCrashAllocatesOnce(t *testing.T) {
	onBudget(t, func(t *testing.T, fresh func() machine) {
		made := testing.AllocsPerRun(100, func() { fresh() })
		wantAllocs(t, made+1, "a gate and its first crash", func() { fresh().ObserveCrash(start, errCrash) })
	})
}

func TestNoAllocationAfterTheFirstCrash(t *testing.T) {
	onBudget(t, func(t *testing.T, fresh func() machine) {
		m, now := fresh(), start
		m.ObserveCrash(now, errCrash)
		wantAllocs(t, 0, "all events", func() {
			for range 10 { // on to a crash loop
				now = now.Add(time.Second)
				m.ObserveStart(now)
				m.ObserveCrash(now, errCrash)
			}
			m.Admissible(now)
			m.State()
			m.ObserveRestart(now)
			m.Probe()
			m.TryStart(now)
			m.ObserveCrash(now, errCrash)
			m.MaybeRelease(now.Add(time.Hour))
			m.ObserveCleanExit(now)
			m.ForceRelease()
		})
	})
}

// To pause costs the place of who did, and no more.
func TestPauseAllocatesOnce(t *testing.T) {
	onBudget(t, func(t *testing.T, fresh func() machine) {
		m := fresh()
		wantAllocs(t, 1, "a pause", func() {
			m.Pause()
			m.Admissible(start)
			m.Probe()
		})
	})
}

// A gate that has observers reuses the memory of what waits for them.
func TestObserversCostNoAllocationPerTransition(t *testing.T) {
	m := shells[2].fresh(policy.Default())
	m.ObserveCrash(start, errCrash)
	wantAllocs(t, 0, "two transitions", func() {
		m.ForceRelease()
		m.ObserveCrash(start, errCrash)
	})
}
