package gatetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
)

// memory opens the same store each time for the same dir.
func memory() gatetest.OpenStore {
	var stores sync.Map
	return func(dir string) (gate.Store, error) {
		s, _ := stores.LoadOrStore(dir, &gatetest.MemoryStore{})
		return s.(gate.Store), nil
	}
}

func TestMemoryStoreKeepsTheRules(t *testing.T) { gatetest.Store(t, memory()) }

func TestMemoryStoreFails(t *testing.T) {
	var store gatetest.MemoryStore
	full := errors.New("no space left on device")
	store.Fail(full)
	_, _, loading := store.Load(t.Context(), "task")
	_, saving := store.Save(t.Context(), "task", gate.Snapshot{}, 0)
	for _, err := range []error{loading, saving, store.Delete(t.Context(), "task")} {
		if err != full {
			t.Errorf("error %v, want the one it is to fail with", err)
		}
	}
	store.Fail(nil)
	if _, err := store.Save(t.Context(), "task", gate.Snapshot{}, 0); err != nil {
		t.Errorf("Save = %v, once there is space again", err)
	}
}

// badStore breaks one rule: what it does differently from the store inside.
type badStore struct {
	gate.Store
	load   func(ctx context.Context, s gate.Store, key string) (gate.Snapshot, uint64, error)
	save   func(ctx context.Context, s gate.Store, key string, snapshot gate.Snapshot, revision uint64) (uint64, error)
	remove func(ctx context.Context, s gate.Store, key string) error
}

func (b badStore) Load(ctx context.Context, key string) (gate.Snapshot, uint64, error) {
	if b.load != nil {
		return b.load(ctx, b.Store, key)
	}
	return b.Store.Load(ctx, key)
}

func (b badStore) Save(ctx context.Context, key string, s gate.Snapshot, revision uint64) (uint64, error) {
	if b.save != nil {
		return b.save(ctx, b.Store, key, s, revision)
	}
	return b.Store.Save(ctx, key, s, revision)
}

func (b badStore) Delete(ctx context.Context, key string) error {
	if b.remove != nil {
		return b.remove(ctx, b.Store, key)
	}
	return b.Store.Delete(ctx, key)
}

func TestCheckStoreFindsWhatIsBroken(t *testing.T) {
	var kept sync.Map
	for rule, bad := range map[string]badStore{
		"nothing": {load: func(ctx context.Context, s gate.Store, key string) (gate.Snapshot, uint64, error) {
			snapshot, revision, err := s.Load(ctx, key)
			if revision == 0 && err == nil {
				err = errors.New("not found")
			}
			return snapshot, revision, err
		}},
		"same": {save: func(ctx context.Context, s gate.Store, key string, snapshot gate.Snapshot, revision uint64) (uint64, error) {
			snapshot.Until = snapshot.Until.Round(1e9)
			return s.Save(ctx, key, snapshot, revision)
		}},
		"conflict": {save: func(ctx context.Context, s gate.Store, key string, snapshot gate.Snapshot, revision uint64) (uint64, error) {
			_, current, err := s.Load(ctx, key)
			if err != nil {
				return 0, err
			}
			return s.Save(ctx, key, snapshot, current)
		}},
		"delete": {remove: func(context.Context, gate.Store, string) error { return nil }},
		"keys": {
			load: func(ctx context.Context, s gate.Store, key string) (gate.Snapshot, uint64, error) {
				return s.Load(ctx, strings.ToLower(key))
			},
			save: func(ctx context.Context, s gate.Store, key string, snapshot gate.Snapshot, revision uint64) (uint64, error) {
				return s.Save(ctx, strings.ToLower(key), snapshot, revision)
			},
			remove: func(ctx context.Context, s gate.Store, key string) error { return s.Delete(ctx, strings.ToLower(key)) },
		},
		"copy": {
			save: func(ctx context.Context, s gate.Store, key string, snapshot gate.Snapshot, revision uint64) (uint64, error) {
				kept.Store(key, snapshot)
				return s.Save(ctx, key, snapshot, revision)
			},
			load: func(ctx context.Context, s gate.Store, key string) (gate.Snapshot, uint64, error) {
				snapshot, revision, err := s.Load(ctx, key)
				if given, ok := kept.Load(key); ok && revision != 0 {
					snapshot.PausedBy = given.(gate.Snapshot).PausedBy
				}
				return snapshot, revision, err
			},
		},
		"context": {save: func(ctx context.Context, s gate.Store, key string, snapshot gate.Snapshot, revision uint64) (uint64, error) {
			return s.Save(context.WithoutCancel(ctx), key, snapshot, revision)
		}},
	} {
		t.Run(rule, func(t *testing.T) {
			kept.Clear()
			open := memory()
			err := gatetest.CheckStore(func(dir string) (gate.Store, error) {
				store, err := open(dir)
				bad := bad
				bad.Store = store
				return bad, err
			})
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("rule %q is broken", rule)) {
				t.Errorf("CheckStore = %v, want a broken rule: %s", err, rule)
			}
		})
	}
}

// numbered makes revisions of its own, and detects conflicts itself.
type numbered struct {
	gate.Store
	mu      sync.Locker
	current map[string]uint64
	next    func(key string, before uint64) uint64
}

func (n *numbered) Load(ctx context.Context, key string) (gate.Snapshot, uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s, _, err := n.Store.Load(ctx, key)
	return s, n.current[key], err
}

func (n *numbered) Save(ctx context.Context, key string, s gate.Snapshot, revision uint64) (uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current[key] != revision {
		return 0, gate.ErrConflict
	}
	_, inner, err := n.Store.Load(ctx, key)
	if err != nil {
		return 0, err
	}
	if _, err := n.Store.Save(ctx, key, s, inner); err != nil {
		return 0, err
	}
	n.current[key] = n.next(key, revision)
	return n.current[key], nil
}

func (n *numbered) Delete(ctx context.Context, key string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.current, key)
	return n.Store.Delete(ctx, key)
}

func TestCheckStoreFindsRevisionsUsedTwice(t *testing.T) {
	open := memory()
	err := gatetest.CheckStore(func(dir string) (gate.Store, error) {
		store, err := open(dir)
		return &numbered{store, &sync.Mutex{}, map[string]uint64{}, func(_ string, before uint64) uint64 { return before + 1 }}, err
	})
	for _, rule := range []string{"revision", "delete"} { // counted anew for each life of a key
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("rule %q is broken", rule)) {
			t.Errorf("CheckStore = %v, want a broken rule: %s", err, rule)
		}
	}
}

func TestCheckStoreFindsLostUpdates(t *testing.T) {
	open := memory()
	err := gatetest.CheckStore(func(dir string) (gate.Store, error) {
		store, err := open(dir)
		return racy{store}, err
	})
	if err == nil || !strings.Contains(err.Error(), `rule "concurrent" is broken`) {
		t.Errorf("CheckStore = %v, want a broken rule: concurrent", err)
	}
}

// racy reports success to all that save at the same time.
type racy struct{ gate.Store }

func (r racy) Save(ctx context.Context, key string, s gate.Snapshot, revision uint64) (uint64, error) {
	got, err := r.Store.Save(ctx, key, s, revision)
	if key == "shared" && errors.Is(err, gate.ErrConflict) {
		return 1 << 40, nil
	}
	return got, err
}

// A store may begin anew each time, or not open or close at all.
func TestCheckStoreFindsWhatDoesNotLast(t *testing.T) {
	err := gatetest.CheckStore(func(string) (gate.Store, error) { return &gatetest.MemoryStore{}, nil })
	if err == nil || !strings.Contains(err.Error(), `rule "durable" is broken: opened again`) {
		t.Errorf("CheckStore = %v, want a broken rule: durable", err)
	}
	fault := errors.New("a folder is in the way")
	err = gatetest.CheckStore(func(string) (gate.Store, error) { return nil, fault })
	if !errors.Is(err, fault) {
		t.Errorf("CheckStore = %v, want why the store does not open", err)
	}
	err = gatetest.CheckStore(func(string) (gate.Store, error) { return closing{&gatetest.MemoryStore{}, fault}, nil })
	if !errors.Is(err, fault) {
		t.Errorf("CheckStore = %v, want why the store does not close", err)
	}
}

type closing struct {
	gate.Store
	err error
}

func (c closing) Close() error { return c.err }
