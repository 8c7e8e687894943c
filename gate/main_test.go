package gate_test

import (
	"errors"
	"flag"
	"log"
	"log/slog"
	"strings"
	"sync"
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
	return gate.State{Phase: phase, Until: until}
}

// machine is what the two shells have in common.
type machine interface {
	ObserveStart(now time.Time)
	ObserveCrash(now time.Time, err error) gate.State
	ObserveCleanExit(now time.Time) gate.State
	ObserveRestart(now time.Time) gate.State
	MaybeRelease(now time.Time) bool
	ForceRelease() bool
	State() gate.State
	Admissible(now time.Time) bool
	History() *policy.History
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
	if got := m.State(); got.Phase != want.Phase || !got.Until.Equal(want.Until) {
		t.Errorf("state = %v, want %v", got, want)
	}
}

// gatherLog makes slog's default a logger into the text it returns, for the
// duration of the test.
func gatherLog(t *testing.T) func() string {
	var mu sync.Mutex
	var text strings.Builder
	setLog(t, func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return text.Write(p)
	})
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return text.String()
	}
}

// setLog has slog's default write its lines with write, for the duration of the
// test.
func setLog(t *testing.T, write writerFunc) {
	logger, output, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(write, nil)))
	t.Cleanup(func() {
		slog.SetDefault(logger)
		log.SetOutput(output) // which slog.SetDefault has redirected
		log.SetFlags(flags)
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
