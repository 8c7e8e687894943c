package gatetest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/gate"
)

// MemoryStore is a [gate.Store] in memory, for tests: it outlives whatever the test
// restarts, and can be made to fail. The zero value is ready to use.
// A MemoryStore must not be copied once used. Safe for concurrent use.
type MemoryStore struct {
	mu       sync.Mutex
	revision uint64
	saved    map[string]savedGate
	failure  error
}

type savedGate struct {
	snapshot gate.Snapshot
	revision uint64
}

// Fail makes all methods return err from now on and do nothing, as on a full disk; nil
// ends that.
func (m *MemoryStore) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failure = err
}

// Load implements [gate.Store].
func (m *MemoryStore) Load(ctx context.Context, key string) (gate.Snapshot, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check(ctx, key); err != nil {
		return gate.Snapshot{}, 0, err
	}
	s := m.saved[key]
	return clone(s.snapshot), s.revision, nil
}

// Save implements [gate.Store].
func (m *MemoryStore) Save(ctx context.Context, key string, s gate.Snapshot, revision uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check(ctx, key); err != nil {
		return 0, err
	}
	if m.saved[key].revision != revision {
		return 0, gate.ErrConflict
	}
	if m.saved == nil {
		m.saved = make(map[string]savedGate)
	}
	m.revision++
	m.saved[key] = savedGate{clone(s), m.revision}
	return m.revision, nil
}

// Delete implements [gate.Store].
func (m *MemoryStore) Delete(ctx context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check(ctx, key); err != nil {
		return err
	}
	delete(m.saved, key)
	return nil
}

func (m *MemoryStore) check(ctx context.Context, key string) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case key == "":
		return errors.New("gatetest: the key is empty; give the path of the task")
	}
	return m.failure
}

func clone(s gate.Snapshot) gate.Snapshot {
	s.History.Crashes = slices.Clone(s.History.Crashes)
	if s.PausedBy != nil {
		s.PausedBy = new(*s.PausedBy)
	}
	return s
}
