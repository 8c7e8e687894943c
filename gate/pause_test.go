package gate_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func TestByString(t *testing.T) {
	for want, by := range map[string]gate.By{
		"":                          {},
		"ann":                       {Who: "ann"},
		"the database is back":      {Why: "the database is back"},
		"ann: the database is back": {Who: "ann", Why: "the database is back"},
	} {
		if got := by.String(); got != want {
			t.Errorf("String of %#v = %q, want %q", by, got, want)
		}
	}
}

var (
	ann = gate.By{Who: "ann", Why: "the disk is full"}
	bob = gate.By{Who: "bob"}
)

func wantPausedBy(t *testing.T, m machine, want gate.By, paused bool) {
	t.Helper()
	if by, ok := m.PausedBy(); by != want || ok != paused {
		t.Errorf("PausedBy = %v, %t; want %v, %t", by, ok, want, paused)
	}
}

// Who paused a gate last is kept until it is opened, and across lives.
func TestPausedBy(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		for name, open := range map[string]func(m machine){
			"force release": func(m machine) { m.ForceRelease() },
			"probe":         func(m machine) { m.Probe(bob) },
			"start":         func(m machine) { m.ObserveStart(at(1)) },
			"restore":       func(m machine) { _ = m.Restore(new(gate.Tracker).Snapshot()) },
		} {
			m := fresh(policy.Classic())
			wantPausedBy(t, m, gate.By{}, false)
			m.ObserveCrash(at(0), errCrash)
			wantPausedBy(t, m, gate.By{}, false)
			if !m.Pause(ann) || m.Pause(bob) {
				t.Errorf("%s: Pause did not report the first one alone", name)
			}
			wantPausedBy(t, m, bob, true)
			m.ObserveCrash(at(0.5), errCrash)
			m.ObserveCleanExit(at(0.6))
			m.MaybeRelease(at(9))
			wantPausedBy(t, m, bob, true)
			after := fresh(policy.Classic())
			if err := after.Restore(throughJSON(t, m.Snapshot()).Resume(at(5))); err != nil {
				t.Fatal(err)
			}
			wantPausedBy(t, after, bob, true)
			open(m)
			wantPausedBy(t, m, gate.By{}, false)
			if m.State() != (gate.State{}) {
				t.Errorf("%s: state = %v, want idle", name, m.State())
			}
			wantPausedBy(t, after, bob, true) // it shares nothing with the other
		}
		m := fresh(policy.Classic())
		m.Pause()
		wantPausedBy(t, m, gate.By{}, true)
		s := m.Snapshot()
		s.PausedBy = nil // as somebody may write it
		if err := m.Restore(s); err != nil {
			t.Fatal(err)
		}
		wantPausedBy(t, m, gate.By{}, true)
	})
}

// A snapshot and its gate share nothing.
func TestSnapshotIsACopy(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Classic())
		m.ObserveCrash(at(0), errCrash)
		m.Pause(ann)
		s := m.Snapshot()
		s.PausedBy.Who, s.History.Crashes[0] = "mallory", 77
		wantPausedBy(t, m, ann, true)
		s = m.Snapshot()
		if err := m.Restore(s); err != nil {
			t.Fatal(err)
		}
		s.PausedBy.Who, s.History.Crashes[0] = "mallory", 77
		wantPausedBy(t, m, ann, true)
		if got := m.Snapshot().History.Crashes[0]; got != 0 {
			t.Errorf("the crash is at %v, want 0", got)
		}
	})
}

// A gate may be paused before anything else, and be asked anything then.
func TestPauseBeforeAnything(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Classic())
		m.Pause(ann)
		wantState(t, m, held(gate.Paused, endless))
		if m.State() != held(gate.Paused, endless) || m.Admissible(at(0)) || m.MaybeRelease(at(0)) || m.TryStart(at(0)) || m.History().Streak() != 0 {
			t.Errorf("state = %v, want it paused, and nothing else", m.State())
		}
		m.ObserveCrash(at(0), errCrash)
		wantState(t, m, held(gate.Paused, endless))
		m.Probe()
		m.ObserveCrash(at(1), errCrash)
		wantState(t, m, held(gate.BackingOff, at(2)))
	})
}

// Who opens or pauses a gate, and why, goes with the transition; to pause it again is
// none, whoever does it, and nor is what happens meanwhile.
func TestTransitionsSayBy(t *testing.T) {
	var got []gate.Transition
	g := gate.New(policy.Classic(), gate.OnTransition(func(tr gate.Transition) { got = append(got, tr) }))
	g.Pause(ann)
	g.Pause(bob)
	g.ObserveCrash(at(0), errCrash)
	g.ObserveCrash(at(1), errCrash)
	g.ObserveCrash(time.Time{}, errCrash)
	g.ObserveCrash(start.AddDate(30, 0, 0), errCrash)
	g.ObserveCleanExit(at(2))
	g.Probe(ann)
	g.Probe(ann)
	g.ObserveCrash(at(3), errCrash)
	g.ForceRelease(bob, ann)
	g.ForceRelease(bob)
	paused := held(gate.Paused, endless)
	crashed := got[len(got)-1].From
	for i, want := range []gate.Transition{
		{To: paused, Cause: gate.CausePause, By: ann},
		{From: paused, Cause: gate.CauseProbe, By: ann},
		{To: crashed, Cause: gate.CauseCrash, Err: errCrash},
		{From: crashed, Cause: gate.CauseForce, By: bob},
	} {
		if want.Seq = uint64(i + 1); i >= len(got) {
			t.Fatalf("there are %d transitions: %v", len(got), got)
		}
		tr := got[i]
		if tr.At = (time.Time{}); tr != want {
			t.Errorf("transition %d:\n got %+v\nwant %+v", i+1, tr, want)
		}
	}
	if len(got) != 4 {
		t.Errorf("there are %d transitions, want 4: %v", len(got), got)
	}
}

// errUnprintable does what it likes when it is asked for its text.
type errUnprintable struct{ call func() }

func (e errUnprintable) Error() string {
	e.call()
	return "unprintable"
}

// An error is asked for its text outside the lock: it may use the gate, panic, and call
// runtime.Goexit.
func TestSnapshotOfAnErrorThatUsesTheGate(t *testing.T) {
	var g gate.Gate
	crashed := false
	g.ObserveCrash(at(0), errUnprintable{func() {
		if !crashed {
			crashed = true
			g.ObserveCrash(at(1), errCrash)
			g.Snapshot()
		}
	}})
	if s := g.Snapshot(); s.History.Err != "unprintable" || s.History.Total != 1 {
		t.Errorf("error %q, %d crashes; want those when the snapshot was taken", s.History.Err, s.History.Total)
	}
	g.ObserveCrash(at(2), errUnprintable{func() { panic(errors.New("no comment")) }})
	if got, want := g.Snapshot().History.Err, "gate_test.errUnprintable, whose Error method panics"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	g.ObserveCrash(at(3), errUnprintable{runtime.Goexit})
	inGoroutine(func() { g.Snapshot() })
	if got := g.History().Crashes(); got != 4 {
		t.Errorf("%d crashes, want all 4", got)
	}
}
