package gate_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func mustMarshal(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// throughJSON is what another process would read.
func throughJSON(t testing.TB, s gate.Snapshot) gate.Snapshot {
	t.Helper()
	var read gate.Snapshot
	if err := json.Unmarshal([]byte(mustMarshal(t, s)), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestSnapshotJSON(t *testing.T) {
	tracker := gate.NewTracker(policy.Classic())
	if got, want := mustMarshal(t, tracker.Snapshot()), `{"version":2,"phase":"idle","history":{}}`; got != want {
		t.Errorf("fresh:\n got %s\nwant %s", got, want)
	}
	tracker.ObserveStart(at(0))
	tracker.ObserveCrash(at(1), errors.New("no such host"))
	s := tracker.Snapshot()
	s.History.Seed = 7
	want := `{"version":2,"phase":"backing off","until":"2026-01-02T03:04:06.5Z","runs":1,"history":{` +
		`"start":"2026-01-02T03:04:05Z","now":"1s","ran":"1s","error":"no such host","crashed":true,` +
		`"crashes":["1s"],"total":1,"streak":1,"last_delay":"500ms","depth":5,"seed":7}}`
	if got := mustMarshal(t, s); got != want {
		t.Errorf("held:\n got %s\nwant %s", got, want)
	}
	if read := throughJSON(t, s); !reflect.DeepEqual(read, s) {
		t.Errorf("read back:\n got %+v\nwant %+v", read, s)
	}
}

func TestSnapshotHasNoMonotonicReading(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Classic())
		m.ObserveCrash(time.Now(), errCrash)
		s := m.Snapshot()
		if s.Until != s.Until.Round(0) || s.History.Start != s.History.Start.Round(0) {
			t.Errorf("until = %v, start = %v, want neither with a monotonic reading", s.Until, s.History.Start)
		}
	})
}

// A process dies in the middle of a hold; the one that follows it waits for the
// rest of the hold, and remembers the streak and the error.
func TestRestoreContinuesTheHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := gate.New(policy.Classic())
		begin := time.Now()
		for range 5 {
			before.ObserveCrash(time.Now(), errors.New("no such host"))
		}
		saved := throughJSON(t, before.Snapshot())

		time.Sleep(time.Minute)
		after := gate.New(policy.Classic())
		if err := after.Restore(saved); err != nil {
			t.Fatal(err)
		}
		wantState(t, after, before.State())
		if h := after.History(); h.Streak() != 5 || h.Err().Error() != "no such host" {
			t.Errorf("streak %d, error %v; want those before", h.Streak(), h.Err())
		}
		if err := after.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		wantPassed(t, begin, 5*time.Minute)
		after.ObserveCrash(time.Now(), errCrash)
		wantState(t, after, held(gate.BackingOff, time.Now().Add(500*time.Millisecond)))
	})
}

// A snapshot may go to a gate that has a history of its own already, and whose
// time began earlier or later.
func TestRestoreOntoAUsedGate(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		saved := fresh(policy.Classic())
		for i := range 3 {
			saved.ObserveCrash(at(float64(i)), errCrash)
		}
		for _, offset := range []float64{-1000, 0, 1000} {
			m := fresh(policy.Classic())
			m.ObserveCrash(at(offset), errCrash)
			if err := m.Restore(throughJSON(t, saved.Snapshot())); err != nil {
				t.Fatal(err)
			}
			wantState(t, m, held(gate.BackingOff, at(4)))
			if m.Admissible(at(3.999)) || !m.Admissible(at(4)) {
				t.Errorf("begun at %v: not admissible from the end of the hold on", offset)
			}
			m.ObserveCrash(at(3), errCrash)
			wantState(t, m, held(gate.BackingOff, at(7)))
			m.ObserveCrash(at(4), errCrash)
			wantState(t, m, held(gate.CrashLooping, at(304)))
			if err := m.Restore(fresh(policy.Classic()).Snapshot()); err != nil {
				t.Fatal(err)
			}
			wantState(t, m, gate.State{})
			m.ObserveCrash(at(2000), errCrash)
			wantState(t, m, held(gate.BackingOff, at(2000.5)))
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	var crashed gate.Tracker
	crashed.ObserveCrash(at(0), errCrash)
	pausedBy := new(gate.By)
	for _, test := range []struct {
		name  string
		spoil func(*gate.Snapshot)
		want  string
	}{
		{"no version", func(s *gate.Snapshot) { s.Version = 0 }, "snapshot version (0) is not one that this program reads, 1 to 2;"},
		{"future version", func(s *gate.Snapshot) { s.Version = 3 }, "snapshot version (3) is not one that this program reads, 1 to 2;"},
		{"unknown phase", func(s *gate.Snapshot) { s.Phase = 9 }, "phase (9) is unknown"},
		{"paused until", func(s *gate.Snapshot) { s.Phase = gate.Paused }, "though the phase is paused"},
		{"more runs than can be counted", func(s *gate.Snapshot) { s.Runs = 1 << 63 }, "runs (9223372036854775808) is above 9223372036854775807"},
		{"paused by, though held otherwise", func(s *gate.Snapshot) { s.PausedBy = pausedBy }, "paused_by is set, though the phase is backing off"},
		{"idle until", func(s *gate.Snapshot) { s.Phase = gate.Idle }, "though the phase is idle"},
		{"gave up until", func(s *gate.Snapshot) { s.Phase = gate.GaveUp }, "is not 9999-12-31 23:59:59.999999999 +0000 UTC, though the phase is gave up"},
		{"no until", func(s *gate.Snapshot) { s.Until = time.Time{} }, "until is missing, though the phase is backing off"},
		{"no history", func(s *gate.Snapshot) { s.History = policy.Record{} }, "the history is empty"},
		{"no crash loop", func(s *gate.Snapshot) { s.Phase = gate.CrashLooping }, "the history has no crash loop"},
		{"streak", func(s *gate.Snapshot) { s.History.Streak = 2 }, "streak (2) is above total (1)"},
		{"order", func(s *gate.Snapshot) { s.History.Crashes[0] = time.Second }, "crash 1 (1s) is out of order"},
		{"another age", func(s *gate.Snapshot) {
			s.History.Now, s.History.Crashes = -1<<62, nil
		}, "is more than 36 years from start"},
		{"two faults", func(s *gate.Snapshot) { s.Phase, s.History.Ran = 9, -1 }, "ran (-1ns) is negative"},
	} {
		t.Run(test.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
				spoiled := crashed.Snapshot()
				test.spoil(&spoiled)
				for _, m := range []machine{fresh(policy.Classic()), used(fresh(policy.Classic()))} {
					state, saved := m.State(), mustMarshal(t, m.Snapshot())
					err := m.Restore(spoiled)
					if err == nil || !strings.HasPrefix(err.Error(), "gate: snapshot ") || !strings.Contains(err.Error(), test.want) {
						t.Errorf("error = %v, want one that says %q", err, test.want)
					}
					if m.State() != state || mustMarshal(t, m.Snapshot()) != saved {
						t.Errorf("changed to %s, want %s still", mustMarshal(t, m.Snapshot()), saved)
					}
				}
			})
		})
	}
}

func used(m machine) machine {
	m.ObserveStart(at(-3))
	m.ObserveCrash(at(-2), errCrash)
	m.ObserveCrash(at(-1), errCrash)
	return m
}

// A history of another age goes to any gate, whatever that has seen: the hold is where
// it was, and so is the next one.
func TestRestoreFromAnotherAge(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		for _, years := range []int{-2000, -100, -40, -20, 20, 40, 7000} {
			old := fresh(policy.Classic())
			then := start.AddDate(years, 0, 0)
			old.ObserveCrash(then, errCrash)
			for _, m := range []machine{fresh(policy.Classic()), used(fresh(policy.Classic()))} {
				if err := m.Restore(throughJSON(t, old.Snapshot())); err != nil {
					t.Fatal(err)
				}
				wantState(t, m, held(gate.BackingOff, then.Add(500*time.Millisecond)))
				m.ObserveCrash(then, errCrash)
				wantState(t, m, held(gate.BackingOff, then.Add(time.Second)))
			}
		}
	})
}

// Ends beyond what a gate can represent are kept as far as it can: they never
// come sooner than saved.
func TestRestoreSaturates(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Constant(time.Hour))
		m.ObserveCrash(at(0), errCrash)
		saved := m.Snapshot()
		saved.Until = start.AddDate(100, 0, 0)
		if err := m.Restore(saved); err != nil {
			t.Fatal(err)
		}
		wantState(t, m, held(gate.BackingOff, endless))
		saved.Until = start.AddDate(-100, 0, 0)
		if err := m.Restore(saved); err != nil {
			t.Fatal(err)
		}
		wantState(t, m, held(gate.BackingOff, start)) // no hold ends before the last instant seen
		if !m.Admissible(start) {
			t.Errorf("%v is not over", m.State())
		}
	})
}

// Whoever reads a gate while it is being restored sees it before or after.
func TestRestoreUnderReaders(t *testing.T) {
	g := gate.New(policy.Classic())
	looping := used(gate.NewTracker(policy.Classic()))
	for range 5 {
		looping.ObserveCrash(at(0), errCrash)
	}
	allowed := map[gate.State]bool{{}: true, g.ObserveCrash(at(-10), errCrash): true}
	if err := g.Restore(looping.Snapshot()); err != nil {
		t.Fatal(err)
	}
	allowed[g.State()] = true
	fresh := new(gate.Tracker).Snapshot()

	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if s := g.State(); !allowed[s] {
					t.Errorf("state = %v, want one of %v", s, allowed)
					return
				}
				g.Admissible(at(0))
				g.MaybeRelease(at(-1000))
				g.Snapshot()
			}
		})
	}
	for range 500 {
		for _, s := range []gate.Snapshot{fresh, looping.Snapshot()} {
			if err := g.Restore(s); err != nil {
				t.Error(err)
			}
		}
	}
	close(done)
	readers.Wait()
}

// Instants are kept apart from the policy, so that another may take over.
func TestRestoreUnderAnotherPolicy(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		loop := fresh(policy.CrashLoop(1, time.Minute, math.MaxInt64)(policy.Constant(0)))
		loop.ObserveCrash(at(0), errCrash)
		m := fresh(policy.Constant(time.Second))
		if err := m.Restore(throughJSON(t, loop.Snapshot())); err != nil {
			t.Fatal(err)
		}
		wantState(t, m, held(gate.CrashLooping, endless))
		m.ObserveStart(at(1))
		m.ObserveCrash(at(2), errCrash) // in spite of a loop without an end
		wantState(t, m, held(gate.CrashLooping, endless))
		m.ForceRelease()
		m.ObserveCrash(at(3), errCrash)
		wantState(t, m, held(gate.BackingOff, at(4)))
	})
}

// The runs that were started are counted over all lives, whatever else happens.
func TestRunsAreCounted(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Constant(time.Second))
		m.ObserveStart(at(0))
		m.ObserveStart(at(1)) // the one before has ended
		m.ObserveCrash(at(2), errCrash)
		m.TryStart(at(2)) // it is held
		m.TryStart(at(3))
		m.TryStart(at(3)) // it runs
		m.ForceRelease()
		m.Pause(gate.By{Who: "ann"})
		s := throughJSON(t, m.Snapshot())
		if s.Runs != 3 {
			t.Fatalf("%d runs, want 3", s.Runs)
		}
		next := fresh(nil)
		if err := next.Restore(s.Resume(at(60))); err != nil {
			t.Fatal(err)
		}
		next.ObserveStart(at(61))
		if got := next.Snapshot().Runs; got != 4 {
			t.Errorf("%d runs after the next life began one, want 4", got)
		}
		s.Version, s.Runs = 2, 0 // of a program that did not count them
		if err := next.Restore(s); err != nil || next.Snapshot().Runs != 0 {
			t.Errorf("%d runs, error %v", next.Snapshot().Runs, err)
		}
	})
}
