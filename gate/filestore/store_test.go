package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
	"github.com/holdfast-go/holdfast/gate/gatetest"
)

func TestMain(m *testing.M) {
	if runAsChild() || runAsSupervised() || runAsFaulty() || runAsOpener() {
		return
	}
	goleak.VerifyTestMain(m)
}

var (
	noon     = time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)
	errCrash = errors.New("exit status 1")
)

func open(t testing.TB, path string, opts ...filestore.Option) *filestore.Store {
	t.Helper()
	s, err := filestore.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// crashed is the snapshot of a gate that has crashed so often.
func crashed(times int) gate.Snapshot {
	var tracker gate.Tracker
	for i := range times {
		tracker.ObserveCrash(noon.Add(time.Duration(i)*time.Second), errCrash)
	}
	return tracker.Snapshot()
}

func save(t testing.TB, s *filestore.Store, key string, snapshot gate.Snapshot, revision uint64) uint64 {
	t.Helper()
	revision, err := s.Save(context.Background(), key, snapshot, revision)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func TestStoreKeepsTheRules(t *testing.T) {
	for name, opts := range map[string][]filestore.Option{"batched": nil, "one by one": {filestore.WithMaxBatch(1)}} {
		t.Run(name, func(t *testing.T) {
			gatetest.Store(t, func(dir string) (gate.Store, error) { return filestore.Open(dir, opts...) })
		})
	}
}

func TestAll(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "gates.db"))
	const n = 3000 // more than All reads at a time
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { save(t, s, fmt.Sprintf("task-%04d", i), crashed(1), 0) })
	}
	all.Wait()
	i := 0
	for entry, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("task-%04d", i); entry.Key != want || entry.Snapshot.Phase != gate.BackingOff {
			t.Fatalf("entry %d is of %s, %v; want %s", i, entry.Key, entry.Snapshot.Phase, want)
		}
		if i%1000 == 0 { // the loop may use the store
			save(t, s, entry.Key, crashed(2), entry.Revision)
		}
		i++
	}
	if i != n {
		t.Errorf("%d entries, want %d", i, n)
	}
	for range s.All(t.Context()) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.All(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
	}
}

func TestClosed(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "gates.db"))
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	_, _, loading := s.Load(t.Context(), "task")
	_, saving := s.Save(t.Context(), "task", crashed(1), 0)
	for _, err := range []error{loading, saving, s.Delete(t.Context(), "task")} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("error %v, want fs.ErrClosed", err)
		}
	}
	for _, err := range s.All(t.Context()) {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("error %v, want fs.ErrClosed", err)
		}
	}
}

func TestKeyTooLong(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "gates.db"))
	_, err := s.Save(t.Context(), strings.Repeat("k", 40_000), crashed(1), 0)
	if err == nil || !strings.Contains(err.Error(), "40000 bytes, more than 32768; shorten it") {
		t.Errorf("error %v, want one that names the bound", err)
	}
}

func TestMaxBatchRefuses(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "WithMaxBatch: n (0) is below 1") {
			t.Errorf("panic %v, want one that names the bound", v)
		}
	}()
	filestore.WithMaxBatch(0)
}

// A Save whose context is done while it waits for others is withdrawn, or done.
func TestWithdrawnSaves(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "gates.db"), filestore.WithMaxBatch(2))
	const savers = 64
	saved := make([]uint64, savers)
	var all sync.WaitGroup
	for i := range savers {
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			var err error
			saved[i], err = s.Save(ctx, fmt.Sprint(i), crashed(1), 0)
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		if i%2 == 0 {
			all.Go(cancel)
		} else {
			defer cancel()
		}
	}
	all.Wait()
	for i, revision := range saved {
		_, found, err := s.Load(t.Context(), fmt.Sprint(i))
		if err != nil || found != revision {
			t.Errorf("save %d: it says revision %d, there is %d (%v)", i, revision, found, err)
		}
		if i%2 == 1 && revision == 0 {
			t.Errorf("save %d, which nobody withdrew, was not done", i)
		}
	}
}
