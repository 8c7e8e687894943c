package saver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(returns(errDisk))
		s := saver.New(store)
		k := add(t, s, "task")
		k.crash()
		time.Sleep(2 * time.Minute)
		var want []time.Duration
		for at, delay := time.Duration(0), 100*time.Millisecond; at < 2*time.Minute; delay = min(2*delay, 30*time.Second) {
			want = append(want, at)
			at += delay
		}
		if got := store.times("task"); !slices.Equal(got, want) {
			t.Errorf("tried after %v, want %v", got, want)
		}
		k.want(t, errDisk)
		store.on(nil, nil, nil)
		s.Close() // for a last time
		k.want(t, errDisk, nil)
		if n := crashes(t, store, "task"); n != 1 {
			t.Errorf("%d crashes are saved", n)
		}
	})
}

// A store that fails is tried with one gate at a time, and once it works all others
// follow at once.
func TestOneIsTriedForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks = 20
		store := new(fake)
		s := saver.New(store)
		var all reports
		var entries []*task
		for i := range tasks {
			k := add(t, s, fmt.Sprint(i))
			k.Entry = s.Entry(fmt.Sprint(i), k.gate, all.add)
			k.recall(t)
			entries = append(entries, k)
		}
		store.on(nil, returns(errDisk), nil)
		for _, k := range entries {
			k.crash()
		}
		time.Sleep(10 * time.Minute)
		if n := store.saved(); n > tasks+30 {
			t.Errorf("%d saves were tried", n)
		}
		store.on(nil, nil, nil)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		last := store.saves[len(store.saves)-1].at
		for i := range tasks {
			if n := crashes(t, store, fmt.Sprint(i)); n != 1 {
				t.Errorf("task %d: %d crashes are saved", i, n)
			}
			if at := store.saves[len(store.saves)-1-i].at; at != last {
				t.Errorf("saves %v before the last one", last.Sub(at))
			}
		}
		all.want(t, errDisk, nil)
		s.Close()
	})
}

// Two keys cannot be saved. Then the store works, but the first one that is tried again
// is in conflict, or hangs: the other is saved nevertheless.
func TestOthersAreRetried(t *testing.T) {
	for name, test := range map[string]struct {
		first func(*testing.T, *fake, <-chan struct{})
		after time.Duration // the second is saved
	}{
		"after a conflict": {func(t *testing.T, store *fake, _ <-chan struct{}) {
			foreign(t, store, "first")
			store.on(nil, nil, nil)
		}, 100 * time.Millisecond},
		"while one hangs": {func(_ *testing.T, store *fake, release <-chan struct{}) {
			store.on(nil, func(_ context.Context, key string) error {
				if key == "first" {
					<-release
				}
				return nil
			}, nil)
		}, 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				store := onSave(returns(errDisk))
				s := saver.New(store)
				a, b := add(t, s, "first"), add(t, s, "second")
				a.crash()
				synctest.Wait()
				b.crash()
				synctest.Wait()
				test.first(t, store, release)
				time.Sleep(test.after + time.Millisecond)
				if n := crashes(t, store, "second"); n != 1 {
					t.Errorf("%d crashes are saved of the second", n)
				}
				close(release)
				s.Close()
			})
		})
	}
}

// When another key can be saved, one that waits is tried soon, however long it has
// failed.
func TestRetryIsDueSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(returns(errDisk))
		s := saver.New(store)
		waits, other := add(t, s, "waits"), add(t, s, "other")
		waits.crash()
		time.Sleep(10 * time.Minute)
		store.on(nil, nil, nil)
		for range 30 {
			other.crash()
			time.Sleep(5 * time.Millisecond)
		}
		if n := crashes(t, store, "waits"); n != 1 {
			t.Errorf("%d crashes are saved", n)
		}
		s.Close()
	})
}

// A key that can never be saved costs nothing when the others are.
func TestKeyThatNeverWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(func(_ context.Context, key string) error {
			if key != "good" {
				return errDisk
			}
			return nil
		})
		s := saver.New(store)
		var bad []*task
		for i := range 100 {
			bad = append(bad, add(t, s, fmt.Sprint("bad-", i)))
		}
		good := add(t, s, "good")
		for _, k := range bad {
			k.crash()
		}
		synctest.Wait()
		for range 1000 {
			good.crash()
			time.Sleep(10 * time.Millisecond)
		}
		if n := store.saved() - len(store.times("good")); n > 100+10_000/100 {
			t.Errorf("%d saves of the bad keys in 10 s", n)
		}
		store.on(nil, nil, nil)
		time.Sleep(time.Second)
		if n := crashes(t, store, "bad-0"); n != 1 {
			t.Errorf("%d crashes are saved of a bad key once it works", n)
		}
		s.Close()
	})
}

func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(takes(7 * time.Second))
		s := saver.New(store)
		k := add(t, s, "task")
		begun := time.Now()
		k.crash()
		time.Sleep(time.Minute)
		k.want(t, saver.ErrSlow, nil)
		if a, b := k.times()[0].Sub(begun), k.times()[1].Sub(begun); a != 5*time.Second || b != 7*time.Second {
			t.Errorf("reported after %v and %v", a, b)
		}
		s.Close()
	})
}

// A Save that failed may have saved: it is no conflict.
func TestSaveThatFailedMayHaveSaved(t *testing.T) {
	for name, err := range map[string]error{
		"an error":                   errDisk,
		"a conflict with what it is": gate.ErrConflict, // of a store that tries twice itself
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n atomic.Int32
				store := new(fake).on(nil, nil, func(context.Context, string) error {
					if n.Add(1)%2 == 1 {
						return err
					}
					return nil
				})
				s := saver.New(store)
				k := add(t, s, "task")
				for range 10 {
					k.crash()
					time.Sleep(time.Minute)
				}
				s.Close()
				if n := crashes(t, store, "task"); n != 10 {
					t.Errorf("%d crashes are saved", n)
				}
				for _, err := range k.all() {
					if errors.Is(err, gate.ErrConflict) {
						t.Error("it is in conflict with itself")
					}
				}
			})
		})
	}
}

// What a Save sends may take effect after it has failed, even after the Load that
// looks for it.
func TestSaveThatFailedSavesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store *fake
		var k *task
		first := firstly(func(context.Context, string) error {
			sent := k.gate.Snapshot()
			time.AfterFunc(50*time.Millisecond, func() { k.crash() }) // the next one sends something else
			time.AfterFunc(150*time.Millisecond, func() {
				if _, err := store.MemoryStore.Save(context.Background(), "task", sent, 0); err != nil {
					t.Error(err)
				}
			})
			return errDisk
		})
		store = onSave(func(ctx context.Context, key string) error {
			if err := first(ctx, key); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
			return nil
		})
		s := saver.New(store)
		k = add(t, s, "task")
		k.crash()
		time.Sleep(time.Minute)
		k.want(t, errDisk, nil)
		if n := crashes(t, store, "task"); n != 2 {
			t.Errorf("%d crashes are saved", n)
		}
		s.Close()
	})
}

func TestConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(fake)
		s := saver.New(store)
		k := add(t, s, "task")
		k.crash()
		time.Sleep(time.Second)
		foreign(t, store, "task")
		for range 3 {
			k.crash()
			time.Sleep(time.Second)
		}
		k.want(t, gate.ErrConflict)
		if n := crashes(t, store, "task"); n != 1001 {
			t.Errorf("%d crashes are saved, want those of the other", n)
		}
		s.Close()
		again := saver.New(store)
		k = add(t, again, "task")
		k.crash()
		again.Close()
		k.want(t)
		if n := crashes(t, store, "task"); n != 1002 {
			t.Errorf("%d crashes are saved in the next life", n)
		}
	})
}

// A store that says conflict for ever, though it has what was sent, or nothing, is not
// asked for ever.
func TestStoreThatAlwaysConflicts(t *testing.T) {
	for name, conflict := range map[string]func(*fake, does){
		"and saves":         func(f *fake, conflicts does) { f.on(nil, nil, conflicts) },
		"and does not save": func(f *fake, conflicts does) { f.on(nil, conflicts, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := new(fake)
				conflict(store, returns(gate.ErrConflict))
				s := saver.New(store)
				k := add(t, s, "task")
				k.crash()
				time.Sleep(time.Minute)
				if n := store.saved(); n != 1 {
					t.Errorf("%d saves", n)
				}
				s.Close()
			})
		})
	}
}

func TestFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(fake)
		errBroken := errors.New("it cannot be restored")
		s := saver.New(store)
		fenced, other := add(t, s, "fenced"), add(t, s, "other")
		for _, k := range []*task{fenced, other} {
			k.crash()
		}
		time.Sleep(time.Second)
		fenced.crash()
		fenced.Fence(errBroken)
		fenced.Fence(errDisk) // does nothing
		fenced.crash()
		other.crash()
		time.Sleep(time.Second)
		fenced.want(t, errBroken)
		if f, o := crashes(t, store, "fenced"), crashes(t, store, "other"); f > 2 || o != 2 {
			t.Errorf("%d crashes are saved of the fenced one, %d of the other", f, o)
		}
		s.Close()
	})
}

// An entry that is fenced while it waits for a retry, or while it is saved.
func TestFenceDuringAFailure(t *testing.T) {
	for name, at := range map[string]time.Duration{"waiting": 3 * time.Second, "saving": 500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := onSave(func(context.Context, string) error { time.Sleep(time.Second); return errDisk })
				s := saver.New(store)
				fenced, other := add(t, s, "fenced"), add(t, s, "other")
				fenced.crash()
				time.Sleep(at)
				fenced.crash()
				fenced.Fence(errTask)
				time.Sleep(time.Minute)
				if n := store.saved(); n > 4 {
					t.Errorf("%d saves", n)
				}
				store.on(nil, nil, nil)
				other.crash()
				s.Close()
				all := slices.Concat(fenced.all(), other.all())
				if name == "waiting" && (len(all) != 3 || !errors.Is(all[0], errDisk) || all[1] != errTask || all[2] != nil) ||
					name == "saving" && (len(all) != 1 || all[0] != errTask) {
					t.Errorf("reported %v", all)
				}
				if busy, _, failing := s.Kept(); busy+failing != 0 {
					t.Errorf("%d are busy, %d fail", busy, failing)
				}
			})
		})
	}
}

// One reason is enough for an entry to be fenced.
func TestFenceDuringAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(func(context.Context, string) error { time.Sleep(time.Second); return gate.ErrConflict })
		s := saver.New(store)
		k := add(t, s, "task")
		k.crash()
		time.Sleep(500 * time.Millisecond)
		k.Fence(errTask)
		time.Sleep(time.Minute)
		k.want(t, errTask)
		s.Close()
	})
}
