package saver_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errDisk = errors.New("the disk is full")
	errTask = errors.New("exit status 1")
)

// does is what a method of a store does besides.
type does = func(ctx context.Context, key string) error

// fake is a store in memory whose methods do something else first, and after.
type fake struct {
	gatetest.MemoryStore

	mu                sync.Mutex
	load, save, after does // nil for nothing
	saves             []call
	loads             int
}

// on sets what the store does before it loads, before it saves, and after.
func (f *fake) on(load, save, after does) *fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load, f.save, f.after = load, save, after
	return f
}

// onSave sets what the store does before it saves, and nothing else.
func onSave(save does) *fake { return new(fake).on(nil, save, nil) }

func returns(err error) does { return func(context.Context, string) error { return err } }

func takes(d time.Duration) does {
	return func(context.Context, string) error { time.Sleep(d); return nil }
}

// firstly returns what does something the first time, and then nothing.
func firstly(first does) does {
	var called atomic.Bool
	return func(ctx context.Context, key string) error {
		if called.Swap(true) {
			return nil
		}
		return first(ctx, key)
	}
}

// call is a Save.
type call struct {
	key string
	at  time.Time
}

func (f *fake) Load(ctx context.Context, key string) (gate.Snapshot, uint64, error) {
	f.mu.Lock()
	f.loads++
	load := f.load
	f.mu.Unlock()
	if load != nil {
		if err := load(ctx, key); err != nil {
			return gate.Snapshot{}, 0, err
		}
	}
	return f.MemoryStore.Load(ctx, key)
}

func (f *fake) Save(ctx context.Context, key string, s gate.Snapshot, revision uint64) (uint64, error) {
	f.mu.Lock()
	f.saves = append(f.saves, call{key, time.Now()})
	save, after := f.save, f.after
	f.mu.Unlock()
	if save != nil {
		if err := save(ctx, key); err != nil {
			return 0, err
		}
	}
	revision, err := f.MemoryStore.Save(context.WithoutCancel(ctx), key, s, revision)
	if err == nil && after != nil {
		err = after(ctx, key)
	}
	return revision, err
}

// times returns when the Saves of a key began, since the first of all.
func (f *fake) times(key string) []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []time.Duration
	for _, c := range f.saves {
		if c.key == key {
			all = append(all, c.at.Sub(f.saves[0].at))
		}
	}
	return all
}

// calls returns how often the store was called.
func (f *fake) calls() (loads, saves int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loads, len(f.saves)
}

// saved returns how often Save was called.
func (f *fake) saved() int { _, n := f.calls(); return n }

// reports is what was reported.
type reports struct {
	mu   sync.Mutex
	errs []error
	at   []time.Time
}

func (r *reports) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs, r.at = append(r.errs, err), append(r.at, time.Now())
}

// all returns what was reported.
func (r *reports) all() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errs)
}

// times returns when.
func (r *reports) times() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.at)
}

// want fails unless these errors were reported, in order, as errors.Is finds.
func (r *reports) want(t testing.TB, errs ...error) {
	t.Helper()
	if all := r.all(); !slices.EqualFunc(all, errs, errors.Is) {
		t.Errorf("reported %v, want %v", all, errs)
	}
}

// task is a gate with its entry.
type task struct {
	*saver.Entry
	gate *gate.Gate
	reports
}

// add returns a task of a saver, whose gate has been loaded.
func add(t testing.TB, s *saver.Saver, key string) *task {
	t.Helper()
	k := &task{gate: gate.New(policy.Constant(time.Hour))}
	k.Entry = s.Entry(key, k.gate, k.add)
	k.recall(t)
	return k
}

// recall restores what is saved, if anything.
func (k *task) recall(t testing.TB) {
	t.Helper()
	switch saved, found, err := k.Load(t.Context()); {
	case err != nil:
		t.Errorf("Load: %v", err)
	case found:
		if err := k.gate.Restore(saved); err != nil {
			t.Error(err)
		}
	}
}

// crash has the task crash, and its gate saved.
func (k *task) crash() {
	k.gate.ObserveCrash(time.Now(), errTask)
	k.Mark()
}

// crashes returns how many crashes are saved.
func crashes(t testing.TB, store interface {
	Load(context.Context, string) (gate.Snapshot, uint64, error)
}, key string) uint64 {
	t.Helper()
	saved, _, err := store.Load(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	return saved.History.Total
}

// foreign saves something else under a key, as another process would.
func foreign(t testing.TB, store *fake, key string) {
	t.Helper()
	saved, revision, err := store.MemoryStore.Load(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	saved.History.Total += 1000
	if _, err := store.MemoryStore.Save(context.Background(), key, saved, revision); err != nil {
		t.Fatal(err)
	}
}
