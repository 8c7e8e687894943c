package filestore

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"go.etcd.io/bbolt"

	"github.com/holdfast-go/holdfast/gate"
)

// busy returns a store of which another is committing, until it passes on.
func busy(t *testing.T) *Store {
	s, err := Open(filepath.Join(t.TempDir(), "gates.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.busy = true
	return s
}

func TestWhoWaitsIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := busy(t)
		cause := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		errs := make(chan error, 1)
		go func() {
			_, err := s.Save(ctx, "task", gate.Snapshot{}, 0)
			errs <- err
		}()
		synctest.Wait()
		if len(s.queue) != 1 {
			t.Fatalf("%d are queued, want the one", len(s.queue))
		}
		cancel(cause)
		if err := <-errs; !errors.Is(err, cause) || len(s.queue) != 0 {
			t.Errorf("error %v, want the cause; %d are queued", err, len(s.queue))
		}
	})
}

// Who is already to commit, or in a batch, cannot go: others rely on it.
func TestWhoIsToCommitIsNotWithdrawn(t *testing.T) {
	s := busy(t)
	leader, other := &request{turn: make(chan bool, 1)}, &request{turn: make(chan bool, 1)}
	s.enqueue(leader)
	s.pass(nil, nil)
	if s.withdraw(leader) {
		t.Error("who was told to commit was withdrawn")
	}
	s.enqueue(other)
	if s.take(); s.withdraw(other) {
		t.Error("who is being committed was withdrawn")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other.turn <- true
	if !s.await(ctx, other) {
		t.Error("who is to commit does not know")
	}
}

func TestOneSyncForAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := busy(t)
		const n = 10
		errs := make(chan error, n)
		for i := range n {
			go func() {
				_, err := s.Save(t.Context(), string(rune('a'+i)), gate.Snapshot{}, 0)
				errs <- err
			}()
		}
		synctest.Wait()
		first := lastTransaction(t, s)
		s.pass(nil, nil)
		for range n {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if last := lastTransaction(t, s); last != first+1 {
			t.Errorf("they were saved in %d transactions, want one", last-first)
		}
		if saved := savedTotals(t, s); saved.gates != n || s.busy {
			t.Errorf("%d gates are saved, busy %v; want %d, and nobody", saved.gates, s.busy, n)
		}
	})
}

func lastTransaction(t *testing.T, s *Store) (id int) {
	if err := s.db.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return id
}

func savedTotals(t *testing.T, s *Store) (saved totals) {
	if err := s.db.View(func(tx *bbolt.Tx) error {
		saved, _ = decodeTotals(tx.Bucket(aboutBucket).Get(totalsKey))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return saved
}

// A panic of bbolt's is an error of those who saved, and the next is served.
func TestCommitPanics(t *testing.T) {
	s := busy(t)
	s.busy = false
	db := s.db
	s.db = nil
	if _, err := s.Save(t.Context(), "task", gate.Snapshot{}, 0); err == nil || !strings.Contains(err.Error(), "bbolt panicked") {
		t.Errorf("error %v, want the panic", err)
	}
	s.db = db
	if _, err := s.Save(t.Context(), "task", gate.Snapshot{}, 0); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v, want that it must be opened again", err)
	}
}
