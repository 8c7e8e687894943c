package gate_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func TestNilErrorIsReplaced(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		var seen error
		m := fresh(policy.Func(func(h policy.History) policy.Decision {
			seen = h.Err()
			return policy.Decision{Delay: time.Second}
		}))
		wantCrash := m.ObserveCrash(at(0), nil)
		if !errors.Is(seen, gate.ErrNil) || !errors.Is(m.History().Err(), gate.ErrNil) {
			t.Errorf("the policy saw %v, the history has %v; want ErrNil", seen, m.History().Err())
		}
		wantState(t, m, wantCrash)
		wantState(t, m, held(gate.BackingOff, at(1)))
	})
}

// seeded restores m to one that is fresh but for the seed of its random draws, so
// that it draws what others do.
func seeded[M machine](t testing.TB, m M) M {
	t.Helper()
	s := new(gate.Tracker).Snapshot()
	s.History.Seed = 7
	if err := m.Restore(s); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNilPolicyIsTheDefault(t *testing.T) {
	for name, m := range map[string]machine{
		"NewTracker":   gate.NewTracker(nil),
		"New":          gate.New(nil),
		"zero Tracker": new(gate.Tracker),
		"zero Gate":    new(gate.Gate),
	} {
		t.Run(name, func(t *testing.T) {
			if !m.Admissible(time.Time{}) || m.State() != (gate.State{}) || m.MaybeRelease(at(0)) || m.ForceRelease() {
				t.Fatal("a fresh one is not idle")
			}
			m, like := seeded(t, m), seeded(t, gate.NewTracker(policy.Default()))
			for i := range 8 {
				m.ObserveCrash(at(float64(i)), errCrash)
				like.ObserveCrash(at(float64(i)), errCrash)
				wantState(t, m, like.State())
			}
			if m.State().Phase() != gate.CrashLooping {
				t.Errorf("state = %v after 8 crashes, want a crash loop", m.State())
			}
		})
	}
}

func TestSecondStartEndsTheFirstRunAsClean(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		var asked []error
		var ran []time.Duration
		m := fresh(policy.Func(func(h policy.History) policy.Decision {
			asked, ran = append(asked, h.Err()), append(ran, h.Ran())
			return policy.Decision{Delay: time.Hour}
		}))
		m.ObserveStart(at(0))
		m.ObserveStart(at(5))
		if len(asked) != 1 || asked[0] != nil || ran[0] != 5*time.Second {
			t.Errorf("the policy was asked about %v after %v, want once, about a clean exit after 5s", asked, ran)
		}
		wantState(t, m, gate.State{})
		m.ObserveCrash(at(7), errCrash)
		if len(ran) != 2 || ran[1] != 2*time.Second {
			t.Errorf("runs lasted %v, want 5s and 2s", ran)
		}
	})
}

func TestCleanExitNeverHolds(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Func(func(policy.History) policy.Decision { return policy.Decision{Verdict: policy.GiveUp} }))
		m.ObserveCrash(at(0), errCrash)
		wantState(t, m, held(gate.GaveUp, endless))
		if got := m.ObserveCleanExit(at(1)); got != (gate.State{}) {
			t.Errorf("after a clean exit: %v, want idle", got)
		}
		wantState(t, m, gate.State{})
		if m.History().Err() != nil {
			t.Errorf("the history has %v, want a clean exit", m.History().Err())
		}
	})
}

func TestObserveRestartHolds(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Steps(3*time.Second, 7*time.Second))
		if got := m.ObserveRestart(at(0)); !got.Until().Equal(at(3)) {
			t.Errorf("after a restart: %v, want a hold until 3", got)
		}
		wantState(t, m, held(gate.BackingOff, at(3)))
		if h := m.History(); h.Err() != nil || h.Streak() != 0 {
			t.Errorf("the history has the error %v and a streak of %d, want neither", h.Err(), h.Streak())
		}
	})
}

// A policy of someone else's may answer anything, or not at all.
func TestStrangeDecisions(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		for _, test := range []struct {
			name     string
			decision policy.Decision
			want     gate.State
		}{
			{"restart now", policy.Decision{}, gate.State{}},
			{"negative delay", policy.Decision{Delay: -time.Hour}, gate.State{}},
			{"shortest delay", policy.Decision{Delay: 1}, held(gate.BackingOff, start.Add(1))},
			{"longest delay", policy.Decision{Delay: math.MaxInt64}, held(gate.BackingOff, endless)},
			{"crash loop without a delay", policy.Decision{Verdict: policy.CrashLooping}, held(gate.CrashLooping, start)},
			{"crash loop, negative delay", policy.Decision{Verdict: policy.CrashLooping, Delay: -1}, held(gate.CrashLooping, start)},
			{"unknown verdict", policy.Decision{Verdict: 77, Delay: time.Second}, held(gate.CrashLooping, at(1))},
			{"give up, with a delay", policy.Decision{Verdict: policy.GiveUp, Delay: time.Second}, held(gate.GaveUp, endless)},
		} {
			t.Run(test.name, func(t *testing.T) {
				m := fresh(policy.Func(func(policy.History) policy.Decision { return test.decision }))
				if got := m.ObserveCrash(start, errCrash); got != m.State() {
					t.Errorf("returned %v, but the state is %v", got, m.State())
				}
				wantState(t, m, test.want)
				if m.MaybeRelease(start.Add(-1)) {
					t.Error("released before the hold was over")
				}
			})
		}
	})
}

func TestPolicyThatPanicsCountsAsDefault(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m, like := seeded(t, fresh(helpless)), seeded(t, gate.NewTracker(policy.Default()))
		for i, event := range []func(machine, time.Time) gate.State{
			func(m machine, now time.Time) gate.State { m.ObserveStart(now); return m.State() },
			func(m machine, now time.Time) gate.State { m.ObserveStart(now); return m.State() }, // asks as well
			func(m machine, now time.Time) gate.State { return m.ObserveCrash(now, errCrash) },
			func(m machine, now time.Time) gate.State { return m.ObserveCrash(now, errCrash) },
			machine.ObserveRestart,
			machine.ObserveCleanExit,
		} {
			if got, want := event(m, at(float64(i))), event(like, at(float64(i))); !got.Equal(want) {
				t.Errorf("event %d: %v, want %v", i, got, want)
			}
		}
	})
}

func TestHistory(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Classic())
		if h := m.History(); h.Streak() != 0 || !h.Now().IsZero() {
			t.Errorf("a fresh history has a streak of %d, at %v", h.Streak(), h.Now())
		}
		cause := errors.New("cause")
		m.ObserveStart(at(0))
		m.ObserveCrash(at(2), cause)
		h := m.History()
		if h.Streak() != 1 || !errors.Is(h.Err(), cause) || h.Ran() != 2*time.Second || !h.Now().Equal(at(2)) {
			t.Errorf("history: streak %d, error %v, ran %v, now %v; want 1, cause, 2s, 2 s from the start",
				h.Streak(), h.Err(), h.Ran(), h.Now())
		}
	})
}

func TestGateHistoryIsACopy(t *testing.T) {
	g := gate.New(nil)
	g.ObserveCrash(at(0), errCrash)
	before := g.History()
	g.ObserveCrash(at(1), nil)
	if before.Streak() != 1 || !errors.Is(before.Err(), errCrash) || !before.Now().Equal(at(0)) {
		t.Errorf("the copy has a streak of %d, %v at %v after another crash, want what it had", before.Streak(), before.Err(), before.Now())
	}
	if since, ok := before.Since(1); !ok || since != 0 {
		t.Errorf("the copy's crash was %v ago (%t), want 0", since, ok)
	}
	before.Since(1000) // as a policy may, which deepens the copy alone
	if depth := g.Snapshot().History.Depth; depth > 8 {
		t.Errorf("the gate's history is %d deep after the copy was asked", depth)
	}
}

// The monotonic clock reading of the first instant is kept, so that a hold is
// not moved by those who set the clock.
func TestHoldsKeepTheMonotonicClock(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Classic())
		now := time.Now()
		until := m.ObserveCrash(now, errCrash).Until()
		if until != now.Add(500*time.Millisecond) {
			t.Errorf("until = %v, want half a second after %v, with its monotonic reading and location", until, now)
		}
	})
}
