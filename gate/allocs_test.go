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
}

// unobserved are the shells that have nobody to tell, whose budget is zero.
var unobserved = shells[:2]

func TestNoAllocationAfterTheFirstCrash(t *testing.T) {
	for _, shell := range unobserved {
		m := shell.fresh(policy.Default())
		now := start
		m.ObserveCrash(now, errCrash)
		wantAllocs(t, 0, shell.name, func() {
			for range 5 { // on to a crash loop
				now = now.Add(time.Second)
				m.ObserveStart(now)
				m.ObserveCrash(now, errCrash)
			}
			m.Admissible(now)
			m.State()
			m.ObserveRestart(now)
			m.MaybeRelease(now.Add(time.Hour))
			m.ObserveCleanExit(now)
			m.ForceRelease()
		})
	}
}

// A gate that has observers keeps what it tells them in memory it reuses.
func TestObserversCostNoAllocationPerTransition(t *testing.T) {
	m := shells[2].fresh(policy.Default())
	m.ObserveCrash(start, errCrash)
	wantAllocs(t, 0, "two transitions", func() {
		m.ForceRelease()
		m.ObserveCrash(start, errCrash)
	})
}

func TestNoAllocationBeforeTheFirstCrash(t *testing.T) {
	for _, shell := range unobserved {
		m := shell.fresh(policy.Default())
		now := start
		wantAllocs(t, 0, shell.name, func() {
			m.ObserveStart(now)
			now = now.Add(time.Hour)
			m.ObserveStart(now)
			m.ObserveCleanExit(now)
			m.ObserveRestart(now)
			m.MaybeRelease(now)
			m.ForceRelease()
		})
	}
}

func TestTheFirstCrashAllocatesOnce(t *testing.T) {
	var tracker gate.Tracker
	wantAllocs(t, 1, "the first crash", func() {
		tracker = gate.Tracker{}
		tracker.ObserveCrash(start, errCrash)
	})
}
