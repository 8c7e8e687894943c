package filestore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
)

// childPath has the test binary run as a process that is to be killed: it saves
// crashes in the store of that path as fast as it can.
const childPath = "HOLDFAST_FILESTORE_CHILD"

func runAsChild() bool {
	path, child := os.LookupEnv(childPath)
	if child {
		if err := crashForEver(path); err != nil {
			fmt.Println("error", err)
		}
	}
	return child
}

// savers is the number of tasks that crash in the child, each saved by a
// goroutine of its own.
const savers = 16

// crashForEver saves each crash, and says so once that is durable: the key, and
// the crashes that the task has had.
func crashForEver(path string) error {
	s, err := filestore.Open(path)
	if err != nil {
		return err
	}
	errs := make(chan error)
	for i := range savers {
		go func() { errs <- crashOne(s, fmt.Sprint("task-", i)) }()
	}
	return <-errs
}

func crashOne(s *filestore.Store, key string) error {
	ctx := context.Background()
	saved, revision, err := s.Load(ctx, key)
	if err != nil {
		return err
	}
	g := gate.New(nil)
	if err := g.Restore(saved.Resume(time.Now())); revision != 0 && err != nil {
		return err
	}
	for {
		g.ObserveStart(time.Now())
		g.ObserveCrash(time.Now(), errCrash)
		snapshot := g.Snapshot()
		if revision, err = s.Save(ctx, key, snapshot, revision); err != nil {
			return err
		}
		// One write call each, so that lines are whole.
		if _, err := fmt.Fprintf(os.Stdout, "saved %s %d %d\n", key, snapshot.History.Total, snapshot.Until.UnixNano()); err != nil {
			return err
		}
	}
}

// promised is what the child has said of a task.
type promised struct {
	crashes uint64
	until   time.Time
}

// TestKill kills a process with SIGKILL at random instants while it saves. What
// it has said to be durable must be there, and be whole; and no task may start
// before the hold is over that was promised last, or one that is longer.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gates.db")
	r := rand.New(rand.NewPCG(3, 1))
	known := map[string]promised{}
	for range kills(t) {
		// In the first life it may not even have made its file.
		killAfter(t, path, time.Duration(r.IntN(60))*time.Millisecond, known)
		if t.Failed() {
			return
		}
		wantPromised(t, path, known)
	}
	var total uint64
	for _, p := range known {
		total += p.crashes
	}
	t.Logf("%d crashes were saved, none is lost", total)
}

// kills is how often to kill: 20 times, or as HOLDFAST_KILLS says.
func kills(t *testing.T) int {
	t.Helper()
	text, ok := os.LookupEnv("HOLDFAST_KILLS")
	if !ok {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("HOLDFAST_KILLS (%s) is not a positive number; give how often to kill", text)
	}
	return n
}

// killAfter runs a child and kills it a while after its first line.
func killAfter(t *testing.T, path string, after time.Duration, known map[string]promised) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childPath+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var killing sync.WaitGroup
	killing.Go(func() {
		timer := time.NewTimer(after)
		defer timer.Stop()
		<-timer.C
		child.Process.Kill()
	})
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break // what is left of a line was not said
		}
		note(t, line, known)
	}
	killing.Wait()
	child.Wait() // killed
}

func note(t *testing.T, line string, known map[string]promised) {
	t.Helper()
	var key string
	var crashes uint64
	var until int64
	if _, err := fmt.Sscanf(line, "saved %s %d %d\n", &key, &crashes, &until); err != nil {
		t.Errorf("the child says %q", strings.TrimSpace(line))
		return
	}
	known[key] = promised{crashes, time.Unix(0, until)}
}

func wantPromised(t *testing.T, path string, known map[string]promised) {
	t.Helper()
	s, err := filestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	for key, want := range known {
		saved, revision, err := s.Load(t.Context(), key)
		if err != nil || revision == 0 {
			t.Fatalf("%s is lost: revision %d, error %v", key, revision, err)
		}
		g := gate.New(nil)
		if err := g.Restore(saved.Resume(now)); err != nil {
			t.Fatalf("%s is torn: %v", key, err)
		}
		// One more may have been saved, which the child was not in time to tell.
		if h := g.History(); h.Crashes() < want.crashes || h.Crashes() > want.crashes+1 {
			t.Errorf("%s has %d crashes, want %d", key, h.Crashes(), want.crashes)
		}
		if left := want.until.Sub(now); left > 0 && g.Admissible(now.Add(left-time.Millisecond)) {
			t.Errorf("%s may start %v before its hold is over, %v", key, left, g.State())
		}
		known[key] = promised{g.History().Crashes(), want.until}
	}
}
