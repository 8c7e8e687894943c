package filestore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
)

// faultyEnv has this program be the one of which system calls fail: see beFaulty.
const faultyEnv = "HOLDFAST_FAULTY_STORE"

// runAsFaulty is this program with its system calls failing, if it is that.
func runAsFaulty() bool {
	path := os.Getenv(faultyEnv)
	if path != "" {
		runtime.LockOSThread() // strace counts the calls of each thread
		beFaulty(path)
	}
	return path != ""
}

// beFaulty saves gates in the store at path, goes on when that fails, and prints what
// was acknowledged. It does not close the store, as one that dies does not.
func beFaulty(path string) {
	say := func(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }
	s, err := filestore.Open(path)
	if err != nil {
		say("not opened %v", err)
		return
	}
	ctx := context.Background()
	revisions := map[string]uint64{}
	for i := range 24 {
		key := fmt.Sprintf("task-%d", i%5)
		g := gate.NewTracker(nil)
		for range i + 1 {
			g.ObserveCrash(noon, fmt.Errorf("crash %d %s", i, strings.Repeat("x", 512*(i%4))))
		}
		revision, err := s.Save(ctx, key, g.Snapshot(), revisions[key])
		if err == nil {
			revisions[key] = revision
			say("saved %s %d %d", key, revision, i+1)
			continue
		}
		saved, found, err := s.Load(ctx, key)
		if err != nil {
			say("lost sight of %s", key)
			continue
		}
		revisions[key] = found
		say("saved %s %d %d", key, found, saved.History.Total)
	}
	say("done")
}

// Each system call that writes or syncs fails once, in turn. Whatever was acknowledged,
// by Save or by Load, is there when the file is opened again, as it was or newer, and
// no revision was given twice.
func TestEachSystemCallFails(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatalf("%v; the test needs it to have system calls fail: install Debian's package strace", err)
	}
	failed := 0
	for _, fault := range []string{"fdatasync:EIO", "fsync:EIO", "pwrite64:EIO", "pwrite64:ENOSPC", "ftruncate:EIO", "ftruncate:ENOSPC"} {
		call, errno, _ := strings.Cut(fault, ":")
		for n := 1; runFaulty(t, call, errno, n); n++ { // until there is no such call any more
			failed++
		}
	}
	if failed < 50 {
		t.Errorf("%d calls failed, want each of two syncs and as many writes of 24 saves", failed)
	}
}

// runFaulty reports whether there was a call to fail.
func runFaulty(t *testing.T, call, errno string, n int) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gates.db")
	log := filepath.Join(t.TempDir(), "strace")
	cmd := exec.Command("strace", "-f", "-qq", "-o", log, "-e", "trace="+call,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", call, errno, n), os.Args[0])
	cmd.Env = append(os.Environ(), faultyEnv+"="+path)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	traced, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(traced), "INJECTED") {
		return false
	}
	checkAfterFault(t, fmt.Sprintf("%s of %s %d", errno, call, n), path, string(out))
	return true
}

func checkAfterFault(t *testing.T, what, path, said string) {
	t.Helper()
	if strings.HasPrefix(said, "not opened") {
		// The store may be there or not, but another process can go on.
		s, err := filestore.Open(path)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		s.Close()
		return
	}
	if !strings.Contains(said, "done") {
		t.Errorf("%s: it ended early:\n%s", what, said)
	}
	type acknowledged struct{ revision, total uint64 }
	latest := map[string]acknowledged{}
	given := map[uint64]string{}
	lines := bufio.NewScanner(strings.NewReader(said))
	for lines.Scan() {
		var key string
		var a acknowledged
		if n, _ := fmt.Sscanf(lines.Text(), "saved %s %d %d", &key, &a.revision, &a.total); n != 3 {
			continue
		}
		content := fmt.Sprint(key, a.total)
		if before, ok := given[a.revision]; ok && before != content && a.revision != 0 {
			t.Errorf("%s: revision %d is of %s and of %s", what, a.revision, before, content)
		}
		given[a.revision] = content
		latest[key] = a
	}
	s, err := filestore.Open(path)
	if err != nil {
		t.Errorf("%s: %v after\n%s", what, err, said)
		return
	}
	defer s.Close()
	for key, want := range latest {
		saved, revision, err := s.Load(t.Context(), key)
		if err != nil || revision < want.revision || saved.History.Total < want.total {
			t.Errorf("%s: %s has revision %d and %d crashes, want %+v (%v)", what, key, revision, saved.History.Total, want, err)
		}
	}
}
