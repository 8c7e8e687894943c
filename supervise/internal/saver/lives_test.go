package saver_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

// A Save takes longer than Close waits. The next life begins at once, goes on from what
// that Save saves, and is saved itself, whenever it takes effect.
func TestLateSaveIsRecognized(t *testing.T) {
	for name, test := range map[string]struct {
		save  does          // the first one
		found uint64        // crashes, by the next life
		takes time.Duration // its Load
	}{
		"in time": {
			takes(3 * time.Second),
			1, 2 * time.Second,
		},
		"after the next life has begun": {
			takes(20 * time.Second),
			0, 3 * time.Second,
		},
		"though it fails": {
			func(context.Context, string) error { time.Sleep(20 * time.Second); return errDisk },
			0, 3 * time.Second,
		},
		"and ends with its context": {
			func(ctx context.Context, _ string) error { <-ctx.Done(); return context.Cause(ctx) },
			0, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := onSave(firstly(test.save))
				s := saver.New(store)
				k := add(t, s, "task")
				k.crash()
				s.Close()
				k.want(t, saver.ErrUnsaved)

				begun := time.Now()
				next := saver.New(store)
				k = add(t, next, "task")
				if d, n := time.Since(begun), k.gate.Snapshot().History.Total; d != test.takes || n != test.found {
					t.Errorf("found %d crashes after %v, want %d after %v", n, d, test.found, test.takes)
				}
				time.Sleep(30 * time.Second)
				for range 2 {
					k.crash()
					time.Sleep(30 * time.Second)
				}
				next.Close()
				k.want(t)
				if n := crashes(t, store, "task"); n != test.found+2 {
					t.Errorf("%d crashes are saved, want %d", n, test.found+2)
				}
				if saver.Late() != 0 {
					t.Error("a late entry is kept")
				}
			})
		})
	}
}

// A call that Close has cancelled has returned, and takes effect all the same, on the
// other side of the network.
func TestCancelledSaveTakesEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(fake)
		s := saver.New(store)
		k := add(t, s, "task")
		sent := make(chan gate.Snapshot, 1)
		store.on(nil, firstly(func(ctx context.Context, _ string) error {
			sent <- k.gate.Snapshot()
			<-ctx.Done()
			return context.Cause(ctx)
		}), nil)
		k.crash()
		s.Close()

		next := saver.New(store)
		again := add(t, next, "task")
		if _, err := store.MemoryStore.Save(t.Context(), "task", <-sent, 0); err != nil {
			t.Fatal(err)
		}
		again.crash()
		again.crash()
		next.Close()
		again.want(t)
		if n := crashes(t, store, "task"); n != 2 {
			t.Errorf("%d crashes are saved", n)
		}
		time.Sleep(6 * time.Second)
		if saver.Late() != 0 {
			t.Error("a late entry is kept")
		}
	})
}

// Each life leaves a Save behind, and they take effect in any order.
func TestManyLateSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		store := onSave(func(context.Context, string) error {
			if n := n.Add(1); n <= 5 {
				time.Sleep(time.Duration(100-n) * time.Second)
			}
			return nil
		})
		for range 5 {
			s := saver.New(store)
			k := &task{gate: gate.New(policy.Constant(0))}
			k.Entry = s.Entry("task", k.gate, k.add)
			_, _, _ = k.Load(t.Context())
			k.crash()
			s.Close()
			time.Sleep(10 * time.Second)
		}
		s := saver.New(store)
		k := add(t, s, "task")
		time.Sleep(2 * time.Minute)
		k.crash()
		s.Close()
		k.want(t)
		if saver.Late() != 0 {
			t.Error("late entries are kept")
		}
	})
}

// Somebody else has saved while a late Save was out: that is a conflict still.
func TestConflictBesideALateSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(firstly(takes(20 * time.Second)))
		s := saver.New(store)
		add(t, s, "task").crash()
		s.Close()
		next := saver.New(store)
		k := add(t, next, "task")
		foreign(t, store, "task")
		k.crash()
		time.Sleep(time.Minute)
		k.want(t, gate.ErrConflict)
		if n := crashes(t, store, "task"); n != 1000 {
			t.Errorf("%d crashes are saved, want those of the other", n)
		}
		next.Close()
	})
}

// A task is removed and added again while its gate is being saved, or is to be.
func TestEntryIsReplaced(t *testing.T) {
	slow := takes(time.Second)
	for name, test := range map[string]struct {
		save   does
		before func(t *testing.T, s *saver.Saver, k *task)
		found  uint64
	}{
		"saving": {slow, func(_ *testing.T, _ *saver.Saver, k *task) {
			k.crash()
			synctest.Wait()
		}, 1},
		"queued": {slow, func(_ *testing.T, _ *saver.Saver, k *task) {
			k.crash()
		}, 1},
		"dirty": {slow, func(_ *testing.T, _ *saver.Saver, k *task) {
			k.crash()
			synctest.Wait()
			k.crash()
		}, 2},
		"dropped": {slow, func(_ *testing.T, _ *saver.Saver, k *task) {
			k.crash()
			synctest.Wait()
			k.crash()
			k.Drop()
		}, 2},
		"hanging": {
			firstly(takes(20 * time.Second)),
			func(_ *testing.T, _ *saver.Saver, k *task) {
				k.crash()
				synctest.Wait()
			}, 0,
		},
		"twice": {slow, func(t *testing.T, s *saver.Saver, k *task) {
			k.crash()
			synctest.Wait()
			between := &task{gate: gate.New(nil)}
			between.Entry = s.Entry("task", between.gate, between.add)
			between.crash() // is not loaded yet, and never saved
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := onSave(test.save)
				s := saver.New(store)
				old := add(t, s, "task")
				test.before(t, s, old)
				k := add(t, s, "task")
				if n := k.gate.Snapshot().History.Total; n != test.found {
					t.Errorf("found %d crashes, want %d", n, test.found)
				}
				for range 3 {
					k.crash()
					old.Mark() // does nothing
					time.Sleep(30 * time.Second)
				}
				s.Close()
				for _, k := range []*task{old, k} {
					for _, err := range k.all() {
						if errors.Is(err, gate.ErrConflict) {
							t.Errorf("reported %v", err)
						}
					}
				}
				if n := crashes(t, store, "task"); n != test.found+3 {
					t.Errorf("%d crashes are saved, want %d", n, test.found+3)
				}
			})
		})
	}
}

// An entry that is replaced while a Save hangs goes on to save what was marked since,
// which fails. What it has saved is there all the same.
func TestReplacedEntrySavesTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		store := onSave(func(context.Context, string) error {
			switch n.Add(1) {
			case 1:
				time.Sleep(10 * time.Second)
			case 2:
				return errDisk
			}
			return nil
		})
		s := saver.New(store)
		old := add(t, s, "task")
		old.crash()
		synctest.Wait()
		old.crash()
		k := add(t, s, "task") // whose Load does not wait that long
		time.Sleep(time.Minute)
		k.crash()
		s.Close()
		old.want(t)
		k.want(t, saver.ErrSlow, nil, errDisk, nil)
		if n := crashes(t, store, "task"); n != 1 {
			t.Errorf("%d crashes are saved", n)
		}
	})
}

// An entry is marked though there is a newer one, which is being saved: it does not take
// that one's place.
func TestOldEntryIsMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(takes(time.Second))
		s := saver.New(store)
		old := add(t, s, "task")
		old.crash()
		time.Sleep(5 * time.Second)
		k := add(t, s, "task")
		for range 3 {
			k.crash()
			synctest.Wait()
			old.Mark()
			time.Sleep(5 * time.Second)
		}
		s.Close()
		k.want(t)
		if n := crashes(t, store, "task"); n != 4 {
			t.Errorf("%d crashes are saved", n)
		}
	})
}

// An entry that waits for a retry is replaced: the store fails for the new one instead.
func TestWaitingEntryIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(fake)
		s := saver.New(store)
		old := add(t, s, "task")
		store.Fail(errDisk)
		old.crash()
		time.Sleep(10 * time.Second)
		k := &task{gate: gate.New(nil)}
		k.Entry = s.Entry("task", k.gate, k.add)
		begun := time.Now()
		if _, _, err := k.Load(t.Context()); !errors.Is(err, errDisk) || time.Since(begun) != 0 {
			t.Errorf("Load returns %v after %v", err, time.Since(begun))
		}
		k.crash()
		time.Sleep(10 * time.Second)
		store.Fail(nil)
		time.Sleep(31 * time.Second)
		old.want(t, errDisk)
		k.want(t, nil)
		if busy, _, failing := s.Kept(); busy+failing != 0 {
			t.Errorf("%d are busy, %d fail", busy, failing)
		}
		s.Close()
	})
}

// Tasks come and go while the store fails. Nothing is kept of those that were dropped.
func TestDroppedEntriesAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(fake)
		store.Fail(errDisk)
		s := saver.New(store)
		var all reports
		for i := range 1000 {
			g := gate.New(nil)
			e := s.Entry(time.Duration(i).String(), g, all.add)
			g.ObserveCrash(time.Now(), errTask)
			e.Mark()
			if i%2 == 0 {
				synctest.Wait()
			}
			e.Drop()
			e.Drop() // does nothing
			e.Mark()
		}
		time.Sleep(31 * time.Second)
		if busy, queue, failing := s.Kept(); busy != 0 || failing != 0 || queue != 0 {
			t.Errorf("%d are busy, %d fail, there is room for %d", busy, failing, queue)
		}
		all.want(t, errDisk)
		store.Fail(nil)
		g := gate.New(nil)
		s.Entry("last", g, all.add).Mark()
		time.Sleep(time.Second)
		all.want(t, errDisk, nil)
		s.Close()
	})
}
