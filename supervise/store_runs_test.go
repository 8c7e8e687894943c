package supervise_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// saveRuns saves a gate that has seen so many runs, of which the last is under way.
func saveRuns(t *testing.T, store gate.Store, key string, n int) {
	t.Helper()
	var g gate.Tracker
	for range n {
		g.ObserveStart(time.Now())
	}
	if _, err := store.Save(t.Context(), key, g.Snapshot(), 0); err != nil {
		t.Fatal(err)
	}
}

func TestRunNumbersGoOnFromLifeToLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		var runs []uint64
		for life := range 3 {
			var dead *gatetest.MemoryStore
			first := true
			j := until(t, time.Hour, func(ctx context.Context) error {
				info, _ := supervise.FromContext(ctx)
				runs = append(runs, info.Run)
				if !first {
					time.Sleep(time.Minute)
					dead = copied(t, store, "poller") // what a kill -9 now would leave
					return waits(ctx)
				}
				first = false
				if died := errors.Is(info.LastErr, supervise.ErrDied); died != (life > 0) {
					t.Errorf("life %d begins after %v", life, info.LastErr)
				}
				return errBoom
			}, second, supervise.WithStore(store))
			if crash := j.of(supervise.KindCrash)[0]; life > 0 && crash.Run != uint64(2*life) {
				t.Errorf("the run that died is %d, want %d", crash.Run, 2*life)
			}
			store = dead
		}
		if !slices.Equal(runs, []uint64{1, 2, 3, 4, 5, 6}) {
			t.Errorf("the runs are %v", runs)
		}
	})
}

// A task that is never restarted runs in the next life, so its death is not its end.
func TestDeathIsNotTheLastEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		saveRuns(t, store, "poller", 5)
		j := until(t, time.Hour, failing, second, supervise.WithRestart(supervise.Never), supervise.WithStore(store))
		crashes := j.of(supervise.KindCrash)
		if len(crashes) != 2 || crashes[0].Run != 5 || crashes[0].Last || crashes[1].Run != 6 || !crashes[1].Last {
			t.Errorf("told of %v", crashes)
		}
	})
}

// A gate that is in use is not restored, but the numbers go on from the highest known.
func TestRunNumbersOfAGateInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ saved, seen, want int }{{5, 3, 6}, {3, 5, 6}, {0, 5, 6}} {
			store := new(gatetest.MemoryStore)
			if c.saved > 0 {
				saveRuns(t, store, "poller", c.saved)
			}
			g := gate.New(nil)
			for range c.seen {
				g.ObserveStart(time.Now())
			}
			g.ObserveCleanExit(time.Now())
			until(t, time.Hour, func(ctx context.Context) error {
				if info, _ := supervise.FromContext(ctx); info.Run != uint64(c.want) {
					t.Errorf("run %d, want %d", info.Run, c.want)
				}
				return nil
			}, supervise.WithGate(g), supervise.WithStore(store))
			if s, _ := loaded(t, store, "poller"); s.Runs != uint64(c.want) {
				t.Errorf("%d runs are saved, want %d", s.Runs, c.want)
			}
		}
	})
}

// A task that is stopped while its gate is restored, and then hangs, is abandoned.
func TestStopWhileTheNumberIsRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		saveRuns(t, store, "s/a", 5)
		saved, revision := loaded(t, store, "s/a")
		saved.Phase, saved.Until = gate.BackingOff, time.Now().Add(time.Second)
		if _, err := store.Save(t.Context(), "s/a", saved, revision); err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		defer close(release)
		s := supervise.New("s", quiet, supervise.WithStore(store))
		calls := 0
		g := gate.New(policy.Constant(time.Hour), gate.OnTransition(func(gate.Transition) {
			if calls++; calls == 1 { // it is restored
				s.Task("s/a").Stop()
				time.Sleep(time.Millisecond) // until it has been asked to
				return
			}
			<-release // at the death
		}))
		s.Add("a", waits, supervise.WithGate(g), supervise.WithStopTimeout(time.Second))
		err := s.Run(bubble(t, time.Minute))
		var abandoned *supervise.AbandonedError
		if !errors.As(err, &abandoned) || abandoned.Run != 6 {
			t.Errorf("it ends with %v after %d calls", err, calls)
		}
	})
}
