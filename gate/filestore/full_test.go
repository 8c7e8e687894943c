//go:build linux || darwin

package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
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

// Tasks go on while the disk is full, which is reported once, and their gates are saved
// when there is space again.
func TestSupervisedOnFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gates.db")
	s := open(t, path)
	if _, err := s.Save(t.Context(), "other", crashed(1), 0); err != nil {
		t.Fatal(err)
	}
	free := limitFiles(t, 0)
	var told []error // until Run returns
	changed := make(chan struct{}, 2)
	runs := 0
	err := supervise.Run(t.Context(), func(context.Context) error {
		switch runs++; runs {
		case 100: // it went on
			<-changed
			free()
			<-changed
			return nil
		}
		return errCrash
	}, supervise.WithName("web"), supervise.WithStore(s), supervise.WithPolicy(policy.Constant(0)),
		supervise.WithLogger(slog.New(slog.DiscardHandler)), supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
			if e.Kind == supervise.KindStore {
				told = append(told, e.Err)
				changed <- struct{}{}
			}
		})))
	if err != nil || len(told) != 2 || !errors.Is(told[0], syscall.EFBIG) || told[1] != nil {
		t.Errorf("%v; told %v, want that of the disk, and nil", err, told)
	}
	if saved, _, err := s.Load(t.Context(), "web"); err != nil || saved.History.Total != 99 || saved.History.Running {
		t.Errorf("saved is %+v (%v)", saved.History, err)
	}
}

// TestOpenInReadOnlyFolder needs another user than root, whom nothing stops.
// Root may write everywhere, so it is somebody else who tries: this test again, in
// a process of its own.
func TestOpenInReadOnlyFolder(t *testing.T) {
	dir := os.Getenv("HOLDFAST_READ_ONLY")
	if dir == "" {
		readOnlyAsSomebody(t)
		return
	}
	path := filepath.Join(dir, "gates.db")
	if _, err := filestore.Open(path); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want that it is not permitted, with the path", err)
	}
}

func readOnlyAsSomebody(t *testing.T) {
	const nobody = 65534
	dir, err := os.MkdirTemp("", "read-only") // below a folder that all may enter
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		os.Chmod(dir, 0o755)
		os.RemoveAll(dir)
	}()
	program, err := os.ReadFile(os.Args[0]) // which may be where others may not
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "test")
	if err := os.WriteFile(copied, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copied, "-test.run", "^TestOpenInReadOnlyFolder$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOLDFAST_READ_ONLY="+dir)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v: %s", err, out)
	}
}
