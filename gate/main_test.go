package gate_test

import (
	"errors"
	"flag"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func TestMain(m *testing.M) {
	// A check takes microseconds, so that there can be many. The command line has
	// the last word.
	if err := flag.Set("rapid.checks", "2000"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// start is the common start that the tests count from.
var start = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

var errCrash = errors.New("exit status 1")

// at returns the instant that is so many seconds after start.
func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

func held(phase gate.Phase, until time.Time) gate.State {
	return gate.Held(phase, until)
}

// machine is what the two shells have in common.
type machine interface {
	ObserveStart(now time.Time)
	TryStart(now time.Time) bool
	ObserveCrash(now time.Time, err error) gate.State
	ObserveCleanExit(now time.Time) gate.State
	ObserveRestart(now time.Time) gate.State
	MaybeRelease(now time.Time) bool
	ForceRelease(by ...gate.By) bool
	Probe(by ...gate.By) bool
	Pause(by ...gate.By) bool
	PausedBy() (gate.By, bool)
	State() gate.State
	Admissible(now time.Time) bool
	History() policy.History
	Snapshot() gate.Snapshot
	Restore(s gate.Snapshot) error
}

var (
	_ machine = (*gate.Tracker)(nil)
	_ machine = (*gate.Gate)(nil)
)

// shells makes one of each under the same policy.
var shells = []struct {
	name  string
	fresh func(policy.Policy) machine
}{
	{"Tracker", func(p policy.Policy) machine { return gate.NewTracker(p) }},
	{"Gate", func(p policy.Policy) machine { return gate.New(p) }},
	{"ObservedGate", func(p policy.Policy) machine { return gate.New(p, gate.OnTransition(func(gate.Transition) {})) }},
}

// onEach runs test with each shell.
func onEach(t *testing.T, test func(t *testing.T, fresh func(policy.Policy) machine)) {
	for _, shell := range shells {
		t.Run(shell.name, func(t *testing.T) { test(t, shell.fresh) })
	}
}

func wantState(t *testing.T, m machine, want gate.State) {
	t.Helper()
	if got := m.State(); !got.Equal(want) {
		t.Errorf("state = %v, want %v", got, want)
	}
}
