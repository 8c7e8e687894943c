package supervise_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

const longestHold = 5 * time.Minute // of the policy of the model

// TestLivesOfAProcess runs a task through some lives of its process, that end by a
// stop or a kill, with the clock set in between. The first run of each never begins
// before the hold that was saved is over, nor later than the policy holds at all.
func TestLivesOfAProcess(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		drawn := rapid.SliceOfN(rapid.Custom(drawLife), 2, 5).Draw(r, "lives")
		synctest.Test(t, func(t *testing.T) {
			store := new(gatetest.MemoryStore)
			for _, l := range drawn {
				store = l.live(t, r, store)
			}
		})
	})
}

// life is a life of the process, and the time until the next.
type life struct {
	Runs       []time.Duration // how long they last until they crash, in turn
	For, Down  time.Duration
	Killed     bool
	ClockIsSet time.Duration
}

func drawLife(r *rapid.T) life {
	upTo := func(name string, d time.Duration) time.Duration {
		return time.Duration(rapid.Int64Range(0, int64(d)).Draw(r, name))
	}
	l := life{For: upTo("for", 10*time.Minute), Down: upTo("down", time.Minute), Killed: rapid.Bool().Draw(r, "killed")}
	for range rapid.IntRange(1, 4).Draw(r, "runs") {
		l.Runs = append(l.Runs, upTo("run", 90*time.Second))
	}
	if rapid.Bool().Draw(r, "clock") {
		l.ClockIsSet = upTo("forth", 1e15) - upTo("back", 1e15)
	}
	return l
}

// live runs the task for a life, and returns what the store has after it.
func (l life) live(t *testing.T, r *rapid.T, store *gatetest.MemoryStore) *gatetest.MemoryStore {
	saved, revision := loaded(t, store, "poller")
	begun, started, runs := time.Now(), time.Time{}, 0
	p := policy.Compose(policy.Exponential(time.Second, 2, time.Minute),
		policy.CrashLoop(3, time.Minute, longestHold), policy.StableRun(time.Minute))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- supervise.Run(ctx, func(ctx context.Context) error {
			if started.IsZero() {
				started = time.Now()
			}
			timer := time.NewTimer(l.Runs[runs%len(l.Runs)])
			runs++
			defer timer.Stop()
			select {
			case <-ctx.Done():
				return nil
			case <-timer.C:
				return errBoom
			}
		}, named, quiet, supervise.WithPolicy(p), supervise.WithStore(store))
	}()
	time.Sleep(l.For)
	synctest.Wait()
	dead := copied(t, store, "poller")
	cancel()
	<-ended
	switch held := started.Sub(begun); {
	case started.IsZero():
		if l.For > longestHold {
			r.Fatalf("no run in %v, restored from %+v", l.For, saved)
		}
	case held > longestHold:
		r.Fatalf("held for %v, restored from %+v", held, saved)
	case revision != 0 && saved.Phase != gate.Idle && started.Before(over(saved, begun)):
		r.Fatalf("started %v before the end of its hold, restored from %+v", over(saved, begun).Sub(started), saved)
	case revision != 0 && saved.History.Running && held < time.Second:
		r.Fatalf("a death was held for %v, restored from %+v", held, saved)
	}
	if l.Killed {
		store = dead
	}
	time.Sleep(l.Down)
	setClock(t, store, l.ClockIsSet)
	return store
}

// over is when the hold of s is over for a process that begins at now: if the
// clock was set back, what was left when it was saved is left.
func over(s gate.Snapshot, now time.Time) time.Time {
	if last := s.History.Start.Add(s.History.Now); now.Before(last) {
		return now.Add(s.Until.Sub(last))
	}
	return s.Until
}

// setClock changes what is saved as if the clock had been set by d since.
func setClock(t *testing.T, store *gatetest.MemoryStore, d time.Duration) {
	s, revision := loaded(t, store, "poller")
	if revision == 0 {
		return
	}
	s.History.Start = s.History.Start.Add(-d)
	if s.Phase != gate.Idle {
		s.Until = s.Until.Add(-d)
	}
	if _, err := store.Save(context.Background(), "poller", s, revision); err != nil {
		t.Fatal(err)
	}
}
