package supervise_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

var named = supervise.WithName("poller")

// copied returns a store as the death of the process would leave it now.
func copied(t *testing.T, from *gatetest.MemoryStore, keys ...string) *gatetest.MemoryStore {
	t.Helper()
	to := new(gatetest.MemoryStore)
	for _, key := range keys {
		if s, revision := loaded(t, from, key); revision != 0 {
			if _, err := to.Save(context.Background(), key, s, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}

func loaded(t *testing.T, store gate.Store, key string) (gate.Snapshot, uint64) {
	t.Helper()
	s, revision, err := store.Load(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	return s, revision
}

// until runs a task for as long as d, and returns what observers were told.
func until(t *testing.T, d time.Duration, fn func(context.Context) error, opts ...supervise.RunOption) *journal {
	t.Helper()
	var j journal
	_ = supervise.Run(bubble(t, d), fn, append(opts, named, quiet, supervise.WithObserver(&j))...)
	return &j
}

func TestDeathOfTheProcessIsACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store, dead *gatetest.MemoryStore
		store = new(gatetest.MemoryStore)
		until(t, time.Hour, func(ctx context.Context) error {
			time.Sleep(time.Minute)
			dead = copied(t, store, "poller") // what a kill -9 now would leave
			return waits(ctx)
		}, second, supervise.WithStore(store))
		if s, _ := loaded(t, store, "poller"); s.History.Running {
			t.Error("a task that was stopped counts as running")
		}

		begun := time.Now()
		var info supervise.Info
		j := until(t, time.Minute, func(ctx context.Context) error {
			info, _ = supervise.FromContext(ctx)
			return nil
		}, second, supervise.WithStore(dead))
		if crashes := j.of(supervise.KindCrash); len(crashes) != 1 || !errors.Is(crashes[0].Err, supervise.ErrDied) || crashes[0].Run != 1 {
			t.Errorf("told of crashes %v, want the death", crashes)
		}
		if got := time.Since(begun); got != time.Second || !errors.Is(info.LastErr, supervise.ErrDied) {
			t.Errorf("held for %v, then run with LastErr %v", got, info.LastErr)
		}
		if info.Run != 2 {
			t.Errorf("run %d follows the first", info.Run)
		}
	})
}

// TestDeathsOfOthers: a task that is innocent of the deaths of its process can be left
// out of the account of them; by default they count.
func TestDeathsOfOthers(t *testing.T) {
	innocent := policy.Compose(policy.Default(), policy.Ignore(func(err error) bool { return errors.Is(err, supervise.ErrDied) }))
	for name, test := range map[string]struct {
		policy  policy.Policy
		tripped bool
	}{"by default": {policy.Default(), true}, "ignored": {innocent, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := new(gatetest.MemoryStore)
				for range 6 {
					var dead *gatetest.MemoryStore
					until(t, 10*time.Minute, func(ctx context.Context) error {
						time.Sleep(time.Second)
						dead = copied(t, store, "poller")
						return waits(ctx)
					}, supervise.WithPolicy(test.policy), supervise.WithStore(store))
					store = dead
				}
				s, _ := loaded(t, store, "poller")
				if tripped := s.History.Streak > 1; tripped != test.tripped {
					t.Errorf("a streak of %d after six deaths", s.History.Streak)
				}
			})
		})
	}
}

func TestCleanStopIsNoDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := supervise.WithStore(new(gatetest.MemoryStore))
		until(t, time.Minute, waits, second, store)
		begun := time.Now()
		j := until(t, time.Minute, func(context.Context) error { return nil }, second, store)
		if got := strings.Join(j.kinds(), " "); got != "start exit" || time.Since(begun) != 0 {
			t.Errorf("told %v, held for %v", got, time.Since(begun))
		}
	})
}

func TestHoldGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := supervise.WithStore(new(gatetest.MemoryStore))
		minute := supervise.WithPolicy(policy.Constant(time.Minute))
		until(t, 20*time.Second, failing, minute, store)
		time.Sleep(10 * time.Second) // down
		begun := time.Now()
		until(t, time.Hour, func(context.Context) error { return nil }, minute, store)
		if got := time.Since(begun); got != 30*time.Second {
			t.Errorf("held for %v, want what was left", got)
		}
	})
}

func TestGivenUpStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := supervise.WithStore(new(gatetest.MemoryStore))
		once := supervise.WithPolicy(policy.Compose(policy.Constant(0), policy.MaxCrashes(1, time.Hour)))
		for range 2 {
			if n := len(until(t, time.Minute, failing, once, store).of(supervise.KindCrash)); n != 2 {
				t.Errorf("%d crashes, want those of a clean slate", n)
			}
		}
	})
}

func TestStoreOfATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := []string{"root/db", "root/db/pool"}
		var dead *gatetest.MemoryStore
		store := new(gatetest.MemoryStore)
		db, root := supervise.New("db"), supervise.New("root", supervise.WithStore(store), second, quiet)
		add(t, db, "pool", func(ctx context.Context) error {
			time.Sleep(time.Minute)
			dead = copied(t, store, keys...)
			return waits(ctx)
		})
		add(t, root, "db", db.Run)
		_ = root.Run(bubble(t, time.Hour))
		for _, key := range keys {
			if s, _ := loaded(t, dead, key); !s.History.Running {
				t.Errorf("%s was not seen to run", key)
			}
			if s, _ := loaded(t, store, key); s.History.Running {
				t.Errorf("%s runs after its end", key)
			}
		}

		var j journal
		root = supervise.New("root", supervise.WithStore(dead), second, quiet, supervise.WithObserver(&j))
		db = supervise.New("db")
		add(t, db, "pool", waits)
		add(t, root, "db", db.Run)
		_ = root.Run(bubble(t, time.Hour))
		if got := strings.Join(j.kinds(), " "); got != "crash release start crash release start stop stop" {
			t.Errorf("told %v", got)
		}
	})
}

func add(t *testing.T, s *supervise.Supervisor, name string, fn func(context.Context) error) {
	t.Helper()
	if _, err := s.TryAdd(name, fn); err != nil {
		t.Fatal(err)
	}
}

func TestStoreFailsAndWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		store.Fail(errBoom)
		time.AfterFunc(time.Hour, func() { store.Fail(nil) })
		j := until(t, 2*time.Hour, times(1000, func() error { return errBoom }), second, supervise.WithRestart(supervise.Always), supervise.WithStore(store))
		changes := j.of(supervise.KindStore)
		if len(changes) != 2 || !errors.Is(changes[0].Err, errBoom) || changes[1].Err != nil {
			t.Fatalf("told %v, want failing and working again", changes)
		}
		if at := changes[1].At.Sub(changes[0].At); at > time.Hour+30*time.Second {
			t.Errorf("saved again after %v", at)
		}
		if s, _ := loaded(t, store, "poller"); s.History.Total != 1000 {
			t.Errorf("%d crashes are saved", s.History.Total)
		}
	})
}

func TestSaveThatFailedMayHaveSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &stubborn{}
		store.after = func() error {
			if store.saves%2 == 1 {
				return errBoom
			}
			return nil
		}
		j := until(t, time.Hour, times(10, func() error { return errBoom }), second, supervise.WithStore(store))
		for _, e := range j.of(supervise.KindStore) {
			if errors.Is(e.Err, gate.ErrConflict) {
				t.Error("it is in conflict with itself")
			}
		}
		if s, _ := loaded(t, &store.MemoryStore, "poller"); s.History.Total != 10 || s.History.Running {
			t.Errorf("saved is %+v", s.History)
		}
	})
}

func TestConflictIsLeftToTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		time.AfterFunc(90*time.Second, func() {
			other, revision := loaded(t, store, "poller")
			other.History.Total += 1000
			if _, err := store.Save(context.Background(), "poller", other, revision); err != nil {
				t.Error(err)
			}
		})
		minute := supervise.WithPolicy(policy.Constant(time.Minute))
		j := until(t, time.Hour+time.Second, failing, minute, supervise.WithStore(store))
		if changes := j.of(supervise.KindStore); len(changes) != 1 || !errors.Is(changes[0].Err, gate.ErrConflict) {
			t.Errorf("told %v", changes)
		}
		if s, _ := loaded(t, store, "poller"); s.History.Total < 1000 || len(j.of(supervise.KindCrash)) != 61 {
			t.Errorf("%d crashes are saved, %d were", s.History.Total, len(j.of(supervise.KindCrash)))
		}
	})
}

func TestSavedThatCannotBeRestoredIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		newer := gate.Snapshot{Version: math.MaxInt}
		if _, err := store.Save(t.Context(), "poller", newer, 0); err != nil {
			t.Fatal(err)
		}
		j := until(t, time.Minute, times(1, func() error { return errBoom }), second, supervise.WithStore(store))
		changes := j.of(supervise.KindStore)
		if len(changes) != 1 || !strings.Contains(changes[0].Err.Error(), "delete it from the store") {
			t.Errorf("told %v", changes)
		}
		if s, _ := loaded(t, store, "poller"); s.Version != math.MaxInt {
			t.Errorf("version is %d now", s.Version)
		}
	})
}

// stubborn is a store whose methods fail as they are set to, after they have saved.
type stubborn struct {
	gatetest.MemoryStore
	load, after func() error
	saves       int
}

func (s *stubborn) Load(ctx context.Context, key string) (gate.Snapshot, uint64, error) {
	if s.load != nil {
		if err := s.load(); err != nil {
			return gate.Snapshot{}, 0, err
		}
	}
	return s.MemoryStore.Load(ctx, key)
}

func (s *stubborn) Save(ctx context.Context, key string, g gate.Snapshot, revision uint64) (uint64, error) {
	s.saves++
	revision, err := s.MemoryStore.Save(ctx, key, g, revision)
	if after := s.after(); err == nil {
		err = after
	}
	return revision, err
}

func TestStoreThatMisbehaves(t *testing.T) {
	block := func(release <-chan struct{}) func() error {
		return func() error { <-release; return nil }
	}
	for name, does := range map[string]func(<-chan struct{}) func() error{
		"panics":              func(<-chan struct{}) func() error { return func() error { panic("disk") } },
		"calls Goexit":        func(<-chan struct{}) func() error { return func() error { runtime.Goexit(); return nil } },
		"fails":               func(<-chan struct{}) func() error { return func() error { return errBoom } },
		"blocks for ever":     block,
		"says it is canceled": func(<-chan struct{}) func() error { return func() error { return context.Canceled } },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				store := &stubborn{load: does(release), after: does(release)}
				begun := time.Now()
				j := until(t, time.Hour, times(10, func() error { return errBoom }), second, supervise.WithStore(store))
				if n := len(j.of(supervise.KindStart)); n != 11 {
					t.Errorf("%d runs, want 11", n)
				}
				if d := time.Since(begun); d > 17*time.Second { // 10 holds, the wait for Load, and for the last Save
					t.Errorf("it took %v", d)
				}
				if changes := j.of(supervise.KindStore); len(changes) != 1 || changes[0].Err == nil {
					t.Errorf("told %v, want failing, once", changes)
				}
			})
		})
	}
}

func TestStoreIsRefused(t *testing.T) {
	store := supervise.WithStore(new(gatetest.MemoryStore))
	for name, f := range map[string]func(){
		"Run without a name": func() { _ = supervise.Run(t.Context(), failing, store) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, "WithStore") {
					t.Errorf("%s panics with %q", name, v)
				}
			}()
			f()
		}()
	}
	if err := supervise.Run(t.Context(), func(context.Context) error { return nil }, quiet, supervise.WithStore(nil)); err != nil {
		t.Error(err)
	}
}
