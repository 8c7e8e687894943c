package gatetest_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	start    = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)
	errCrash = errors.New("exit status 1")
)

func TestRecorderZeroValue(t *testing.T) {
	var rec gatetest.Recorder
	if got := rec.Transitions(); len(got) != 0 {
		t.Errorf("transitions = %v, want none", got)
	}
	if got := rec.Phases(); len(got) != 0 {
		t.Errorf("phases = %v, want none", got)
	}
	if err := rec.Check(); err != nil {
		t.Errorf("check = %v, want nil", err)
	}
}

func TestRecorderFollowsAGate(t *testing.T) {
	var rec gatetest.Recorder
	g := gate.New(policy.Default(), gate.OnTransition(rec.Observe))
	for i := range 5 {
		g.ObserveCrash(start.Add(time.Duration(i)*time.Second), errCrash)
	}
	g.ForceRelease()

	want := []gate.Phase{gate.BackingOff, gate.BackingOff, gate.BackingOff, gate.BackingOff, gate.CrashLooping, gate.Idle}
	if got := rec.Phases(); !slices.Equal(got, want) {
		t.Errorf("phases = %v, want %v", got, want)
	}
	if err := rec.Check(); err != nil {
		t.Error(err)
	}
	kept := rec.Transitions()
	if last := kept[len(kept)-1]; last.Cause != gate.CauseForce || last.Seq != 6 {
		t.Errorf("last = %+v, want a force release with number 6", last)
	}

	kept[0].Seq = 99
	if rec.Check() != nil {
		t.Error("the transitions returned are not a copy")
	}

	rec.Reset()
	if got := rec.Transitions(); len(got) != 0 {
		t.Errorf("after a reset: %v, want none", got)
	}
	g.ObserveCrash(start.Add(time.Minute), errCrash)
	if err := rec.Check(); err != nil || len(rec.Phases()) != 1 {
		t.Errorf("a chain that begins at number 7: check = %v, phases = %v; want nil and one", err, rec.Phases())
	}
}

func TestRecorderCheck(t *testing.T) {
	held := gate.Held(gate.BackingOff, start)
	longer := gate.Held(gate.BackingOff, start.Add(time.Second))
	for _, test := range []struct {
		name        string
		transitions []gate.Transition
		want        []string // one fault each
	}{
		{"unbroken", []gate.Transition{{To: held, Seq: 1}, {From: held, To: longer, Seq: 2}, {From: longer, Seq: 3}}, nil},
		{"late", []gate.Transition{{From: held, Seq: 8}, {To: held, Seq: 9}}, nil},
		{"gap", []gate.Transition{{To: held, Seq: 1}, {From: longer, Seq: 3}}, []string{"transition 3 follows 1"}},
		{"twice", []gate.Transition{{To: held, Seq: 1}, {To: held, Seq: 1}}, []string{"transition 1 follows 1"}},
		{"broken", []gate.Transition{{To: held, Seq: 1}, {From: longer, Seq: 2}}, []string{"transition 2 begins at backing off"}},
		{"no change", []gate.Transition{{From: held, To: held, Seq: 1}}, []string{"transition 1 changes nothing"}},
		{"all at once", []gate.Transition{{Seq: 1}, {From: held, Seq: 2}, {To: held, Seq: 9}},
			[]string{"transition 1 changes nothing", "transition 2 begins at", "transition 9 follows 2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var rec gatetest.Recorder
			for _, tr := range test.transitions {
				rec.Observe(tr)
			}
			var faults []string
			if err := rec.Check(); err != nil {
				faults = strings.Split(err.Error(), "\n")
			}
			if !slices.EqualFunc(faults, test.want, strings.Contains) {
				t.Errorf("check = %q, want %q", faults, test.want)
			}
		})
	}
}

func TestRecorderConcurrently(t *testing.T) {
	const goroutines, each = 8, 50 // fewer transitions than a gate keeps for a slow observer
	var rec gatetest.Recorder
	g := gate.New(policy.Steps(time.Second, 2*time.Second), gate.OnTransition(rec.Observe))
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				g.ObserveCrash(start, errCrash)
				g.ForceRelease()
				rec.Phases()
				rec.Transitions()
				_ = rec.Check()
			}
		})
	}
	wg.Wait()
	if err := rec.Check(); err != nil {
		t.Error(err)
	}
	if got := len(rec.Transitions()); got == 0 || got > 2*goroutines*each {
		t.Errorf("%d transitions, want some, and at most %d", got, 2*goroutines*each)
	}
}
