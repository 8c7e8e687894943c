package gate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

var errShutdown = errors.New("shutting down")

// auditor checks transitions as they come.
type auditor struct {
	t    *testing.T
	last gate.Transition
}

func (a *auditor) observe(tr gate.Transition) {
	if tr.Seq != a.last.Seq+1 || tr.From != a.last.To {
		a.t.Errorf("transition %+v follows %+v", tr, a.last)
	}
	if tr.From == tr.To {
		a.t.Errorf("transition %+v changes nothing", tr)
	}
	switch until, ends := tr.To.ReleaseAt(); {
	case (tr.Cause == gate.CauseCrash) != (tr.Err != nil):
		a.t.Errorf("transition %+v: an error goes with a crash, and with nothing else", tr)
	case tr.Cause == gate.CauseCrash && ends && until.Before(tr.At):
		a.t.Errorf("transition %+v: the hold ended before it began", tr)
	case tr.Cause == gate.CauseElapsed && !tr.From.Admissible(tr.At):
		a.t.Errorf("transition %+v: released before the hold was over", tr)
	}
	a.last = tr
}

// TestStress has everything happen to one gate at once: starts, crashes, force
// releases, restores, readers and waiters. In a bubble, so that holds of minutes pass,
// and whoever does not wake or end fails the test.
func TestStress(t *testing.T) {
	p := policy.CrashLoop(4, time.Minute, 5*time.Minute)(policy.Steps(0, time.Second, time.Hour))
	p = policy.MaxCrashes(6, time.Minute)(p)
	synctest.Test(t, func(t *testing.T) {
		audit := auditor{t: t}
		g := gate.New(p, gate.OnTransition(audit.observe))
		saved := g.Snapshot()
		ctx, shutdown := context.WithCancelCause(t.Context())

		const rounds = 200
		var events, waiters sync.WaitGroup
		for i := range 4 {
			events.Go(func() {
				for range rounds {
					g.ObserveStart(time.Now())
					time.Sleep(time.Duration(i) * time.Millisecond)
					wantSound(t, g.ObserveCrash(time.Now(), errCrash))
					wantSound(t, g.State())
				}
			})
		}
		events.Go(func() {
			for range rounds {
				g.ForceRelease()
				time.Sleep(3 * time.Millisecond)
				g.MaybeRelease(time.Now())
			}
		})
		events.Go(func() {
			for range rounds / 10 {
				time.Sleep(20 * time.Millisecond)
				if err := g.Restore(saved); err != nil {
					t.Error(err)
				}
				g.Snapshot()
				g.History()
				g.ObserveRestart(time.Now())
				g.ObserveCleanExit(time.Now())
			}
		})
		for range 8 {
			waiters.Go(func() {
				for ctx.Err() == nil {
					if err := g.Wait(ctx); err != nil && !errors.Is(err, errShutdown) {
						t.Errorf("Wait = %v", err)
					}
					time.Sleep(time.Millisecond)
				}
			})
		}

		events.Wait()
		shutdown(errShutdown)
		waiters.Wait()
		if g.State() != audit.last.To {
			t.Errorf("state = %v, but the last transition led to %v", g.State(), audit.last.To)
		}
	})
}

// wantSound fails unless s is a state that a gate may be in.
func wantSound(t *testing.T, s gate.State) {
	t.Helper()
	until, ends := s.ReleaseAt()
	switch {
	case s.Phase() == gate.Idle && (s != gate.State{} || !s.Admissible(time.Time{})):
		t.Errorf("state = %#v, want an idle one to be the zero value, and open", s)
	case s.Phase() != gate.Idle && ends && (s.Admissible(until.Add(-1)) || !s.Admissible(until)):
		t.Errorf("state = %v, want it open from its end on, and not before", s)
	case s.Phase() != gate.Idle && !ends && s.Admissible(endless):
		t.Errorf("state = %v, want it never open", s)
	case s.Phase() > gate.Paused:
		t.Errorf("phase = %d, which is none", s.Phase())
	}
}

// Crashes race force releases while others wait: whoever waits passes once the
// last force release has come, and the gate stays open.
func TestForceReleaseAgainstCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		audit := auditor{t: t}
		g := gate.New(givesUp, gate.OnTransition(audit.observe))
		for range 100 {
			var all sync.WaitGroup
			g.ObserveCrash(time.Now(), errCrash)
			for range 4 {
				all.Go(func() {
					if err := g.Wait(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			together(8, func(i int) {
				if i%2 == 0 {
					g.ObserveCrash(time.Now(), errCrash)
				} else {
					g.ForceRelease()
				}
			})
			g.ForceRelease()
			all.Wait()
			if !g.Admissible(time.Now()) || g.State() != (gate.State{}) {
				t.Fatalf("state = %v after the last force release, want idle", g.State())
			}
		}
	})
}
