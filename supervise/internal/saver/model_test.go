package saver_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

// TestModel has some tasks crash, come and go, over several lives, with a store that
// fails in every way there is, and somebody else who saves now and then. Whatever
// happens:
//
//   - At most 16 Saves of a saver are under way, and one for each key.
//   - No key is in conflict, unless somebody else has saved it.
//   - The reports of a life are in order: failing, working, failing, …
//   - When the store works again, all that was marked is soon saved.
//   - What is marked while it works is saved when Close returns.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { rapid.SyncTest(rt, model) })
}

// moody is a store in memory that fails at random, in the given share of its calls.
type moody struct {
	gatetest.MemoryStore

	mu      sync.Mutex
	seed    uint64
	calls   map[string]int // ever
	share   float64
	saving  map[string]int // in this life
	now     int            // Saves in this life
	life    int
	problem error // that was seen
}

// begin counts a call, and returns what it is to do before and after it takes effect.
func (m *moody) begin(key string, saves bool) (before, after func(context.Context) error, end func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	nothing := func(context.Context) error { return nil }
	before, after = nothing, nothing
	// Not of one source for all keys, which are called in any order.
	m.calls[key]++
	random := rand.New(rand.NewPCG(m.seed, uint64(m.calls[key])<<32+uint64(crc32.ChecksumIEEE([]byte(key)))))
	if random.Float64() < m.share {
		mischief := mischief(random)
		if random.IntN(2) == 0 {
			before = mischief
		} else {
			after = mischief
		}
	}
	life := m.life
	if saves {
		if m.now++; m.now > 16 {
			m.problem = errors.New("more than 16 Saves at once")
		}
		if m.saving[key]++; m.saving[key] > 1 {
			m.problem = fmt.Errorf("two Saves of %s at once", key)
		}
	}
	return before, after, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if saves && m.life == life {
			m.now--
			m.saving[key]--
		}
	}
}

// mischief returns a way to fail, or to take long.
func mischief(random *rand.Rand) func(context.Context) error {
	d := time.Duration(random.Int64N(int64(8 * time.Second)))
	return [...]func(context.Context) error{
		func(context.Context) error { return errDisk },
		func(context.Context) error { time.Sleep(d); return nil },
		func(context.Context) error { time.Sleep(d); return errDisk },
		func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(d):
				return nil
			}
		},
		func(context.Context) error { panic("mischief") },
		func(context.Context) error { runtime.Goexit(); return nil },
		func(context.Context) error { return (*nilError)(nil) },
		func(context.Context) error { return textPanics{} },
	}[random.IntN(8)]
}

// next begins a life.
func (m *moody) next() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life++
	m.now, m.saving = 0, map[string]int{}
}

func (m *moody) fail(share float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.share = share
}

func (m *moody) Load(ctx context.Context, key string) (s gate.Snapshot, revision uint64, err error) {
	before, after, end := m.begin(key, false)
	defer end()
	if err := before(ctx); err != nil {
		return s, 0, err
	}
	s, revision, err = m.MemoryStore.Load(context.WithoutCancel(ctx), key)
	return s, revision, errors.Join(err, after(ctx))
}

func (m *moody) Save(ctx context.Context, key string, s gate.Snapshot, revision uint64) (uint64, error) {
	before, after, end := m.begin(key, true)
	defer end()
	if err := before(ctx); err != nil {
		return 0, err
	}
	revision, err := m.MemoryStore.Save(context.WithoutCancel(ctx), key, s, revision)
	return revision, errors.Join(err, after(ctx))
}

// modelTask is a task of the model.
type modelTask struct {
	*saver.Entry
	gate    *gate.Gate
	unknown bool // it could not be loaded
	marked  bool
}

// world is what the model runs.
type world struct {
	store moody
	saver *saver.Saver
	tasks map[string]*modelTask

	mu       sync.Mutex
	foreign  map[string]bool // keys that somebody else has saved in this life
	reported []error         // in this life, but for conflicts
	problem  error
}

// add makes a task, for the first time or again.
func (w *world) add(key string) {
	k := &modelTask{gate: gate.New(policy.Constant(time.Second))}
	k.Entry = w.saver.Entry(key, k.gate, func(err error) { w.report(key, err) })
	saved, found, err := k.Load(context.Background())
	k.unknown = err != nil
	if err == nil && found {
		if err := k.gate.Restore(saved); err != nil {
			w.problem = err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks[key] = k
}

func (w *world) report(key string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, gate.ErrConflict):
		if !w.foreign[key] {
			w.problem = fmt.Errorf("%s is in conflict with itself", key)
		}
	case (err == nil) != (len(w.reported)%2 == 1):
		w.problem = fmt.Errorf("reported %v after %v", err, w.reported)
	default:
		w.reported = append(w.reported, err)
	}
}

// check fails if what was marked of a task is not saved.
func (w *world) check(t *rapid.T, when string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, k := range w.tasks {
		saved, _, err := w.store.MemoryStore.Load(context.Background(), key)
		if err != nil {
			t.Fatal(err)
		}
		if now := k.gate.Snapshot(); k.marked && !w.foreign[key] && !saver.Same(&now, &saved) {
			t.Fatalf("%s: of %s is saved %+v, want %+v", when, key, saved, now)
		}
	}
}

func (w *world) problems(t *rapid.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if err := errors.Join(w.problem, w.store.problem); err != nil {
		t.Fatal(err)
	}
}

// live begins a life.
func (w *world) live(keys []string) {
	w.store.next()
	w.mu.Lock()
	w.saver, w.tasks, w.foreign, w.reported = saver.New(&w.store), map[string]*modelTask{}, map[string]bool{}, nil
	w.mu.Unlock()
	for _, key := range keys {
		w.add(key)
	}
}

func model(t *rapid.T) {
	seed := rapid.Uint64().Draw(t, "seed")
	keys := []string{"a", "b", "c"}
	for i := range rapid.IntRange(0, 30).Draw(t, "more") {
		keys = append(keys, fmt.Sprint("more-", i))
	}
	w := &world{store: moody{seed: seed, calls: map[string]int{}}}
	w.live(keys)
	defer func() {
		w.saver.Close()
		time.Sleep(time.Minute) // so that no goroutine is left when it fails
	}()
	any := rapid.SampledFrom(keys)
	crash := func(key string) {
		k := w.tasks[key]
		k.gate.ObserveCrash(time.Now(), errTask)
		k.marked = true
		k.Mark()
	}
	share := 0.0
	t.Repeat(map[string]func(*rapid.T){
		"crash": func(t *rapid.T) { crash(any.Draw(t, "key")) },
		"crash all": func(*rapid.T) {
			for _, key := range keys {
				crash(key)
			}
		},
		"mood": func(t *rapid.T) {
			share = rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(t, "share")
			w.store.fail(share)
		},
		"wait": func(t *rapid.T) {
			d := rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second, 10 * time.Second}).Draw(t, "time")
			time.Sleep(d)
			synctest.Wait()
		},
		"remove and add": func(t *rapid.T) {
			key := any.Draw(t, "key")
			old := w.tasks[key]
			if rapid.Bool().Draw(t, "dropped") || old.unknown && !old.marked {
				old.Drop()
				old.Mark() // does nothing
			}
			w.add(key)
		},
		"foreign": func(t *rapid.T) {
			key := any.Draw(t, "key")
			w.mu.Lock()
			w.foreign[key] = true
			w.mu.Unlock()
			_, revision, _ := w.store.MemoryStore.Load(context.Background(), key)
			other := gate.New(nil)
			other.ObserveCrash(time.Now(), errDisk)
			_, _ = w.store.MemoryStore.Save(context.Background(), key, other.Snapshot(), revision)
		},
		"next life": func(t *rapid.T) {
			begun := time.Now()
			w.saver.Close()
			if d := time.Since(begun); d > 1100*time.Millisecond {
				t.Fatalf("Close took %v", d)
			}
			w.live(keys)
		},
		"": w.problems,
	})
	w.store.fail(0)
	time.Sleep(time.Minute)
	synctest.Wait()
	w.problems(t)
	w.check(t, "a minute after the store works")
	for _, key := range keys {
		crash(key)
	}
	w.saver.Close()
	synctest.Wait()
	w.problems(t)
	w.check(t, "after Close")
	if n := len(w.reported); n%2 == 1 {
		t.Fatalf("reported at the end: %v", w.reported)
	}
	if saver.Late() != 0 {
		t.Fatal("late entries are kept")
	}
}
