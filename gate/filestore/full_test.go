//go:build linux || darwin

package filestore_test

import (
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
)

// limitFiles has no file of this process grow beyond so many bytes, until free is
// called: as on a disk that is full.
func limitFiles(t *testing.T, bytes uint64) (free func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ) // so that the write fails, and not the process
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limited := before
	limited.Cur = bytes
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		t.Fatal(err)
	}
	free = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	}
	t.Cleanup(free)
	return free
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gates.db")
	s := open(t, path)
	large := crashed(1)
	large.History.Err = strings.Repeat("x", 4096)
	free := limitFiles(t, 1<<20)
	revisions := map[string]uint64{}
	var failed string
	for i := 0; failed == ""; i++ {
		if i > 10_000 {
			t.Fatal("40 MB fit into 1 MB")
		}
		key := fmt.Sprint("task-", i)
		revision, err := s.Save(t.Context(), key, large, 0)
		if err != nil {
			failed = key
			if !strings.Contains(err.Error(), "filestore: save "+path) {
				t.Errorf("error %v, want one that names the file", err)
			}
			continue
		}
		revisions[key] = revision
	}
	for range 3 {
		if _, err := s.Save(t.Context(), failed, large, 0); err == nil {
			t.Error("a second Save found space")
		}
	}
	wantAll(t, s, revisions)

	free()
	revisions[failed] = save(t, s, failed, large, 0)
	wantAll(t, s, revisions)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantAll(t, open(t, path), revisions)
}

func wantAll(t *testing.T, s *filestore.Store, revisions map[string]uint64) {
	t.Helper()
	for key, want := range revisions {
		if saved, got, err := s.Load(t.Context(), key); err != nil || got != want || saved.Phase != gate.BackingOff {
			t.Errorf("%s has revision %d, want %d (%v)", key, got, want, err)
		}
	}
}

func TestFullDiskAtOpen(t *testing.T) {
	dir := t.TempDir()
	free := limitFiles(t, 4096)
	if _, err := filestore.Open(filepath.Join(dir, "gates.db")); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("error %v, want that of the disk", err)
	}
	free()
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 0 {
		t.Errorf("files %q are left (%v)", left, err)
	}
	open(t, filepath.Join(dir, "gates.db"))
}
