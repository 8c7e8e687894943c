package filestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// supervisedPath has the test binary supervise a task with the store of that path.
const supervisedPath = "HOLDFAST_FILESTORE_SUPERVISED"

func runAsSupervised() bool {
	path, child := os.LookupEnv(supervisedPath)
	if child {
		if err := superviseForEver(path); err != nil {
			fmt.Println("error", err)
		}
	}
	return child
}

func superviseForEver(path string) error {
	s, err := filestore.Open(path)
	if err != nil {
		return err
	}
	return supervise.Run(context.Background(), func(ctx context.Context) error {
		fmt.Println("runs")
		<-ctx.Done()
		return nil
	}, supervise.WithName("web"), supervise.WithStore(telling{s}), supervise.WithLogger(slog.New(slog.DiscardHandler)),
		supervise.WithPolicy(policy.Compose(policy.Constant(time.Millisecond), policy.CrashLoop(deaths, time.Hour, time.Hour))))
}

// deaths are a crash loop.
const deaths = 5

// telling says what is durable.
type telling struct{ gate.Store }

func (s telling) Save(ctx context.Context, key string, g gate.Snapshot, revision uint64) (uint64, error) {
	revision, err := s.Store.Save(ctx, key, g, revision)
	if err == nil {
		fmt.Printf("saved: running %v, %v\n", g.History.Running, g.Phase)
	}
	return revision, err
}

// TestSupervisedIsKilled kills a process, whose task does not crash by itself, each
// time it runs. It is a crash loop in the end, and the task does not run.
func TestSupervisedIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gates.db")
	for range deaths {
		killAt(t, path, "saved: running true, idle")
	}
	if said := killAt(t, path, "saved: running false, crash looping"); strings.Contains(said, "runs") {
		t.Errorf("in its last life the task ran: it said\n%s", said)
	}
	saved, revision, err := open(t, path).Load(t.Context(), "web")
	if err != nil || revision == 0 {
		t.Fatalf("revision %d, error %v", revision, err)
	}
	now := time.Now()
	var g gate.Gate
	if err := g.Restore(saved.Resume(now)); err != nil {
		t.Fatal(err)
	}
	if got := g.History().Crashes(); got != deaths || g.Admissible(now.Add(50*time.Minute)) || !g.Admissible(now.Add(time.Hour)) {
		t.Errorf("after %d crashes it is %v, want it held for an hour after %d", got, g.State(), deaths)
	}
}

// The numbers of runs go on, in what is saved by processes that were killed.
func TestRunNumbersGoOnAfterKills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gates.db")
	for range 2 {
		killAt(t, path, "saved: running true, idle")
	}
	var info supervise.Info
	if err := supervise.Run(t.Context(), func(ctx context.Context) error {
		info, _ = supervise.FromContext(ctx)
		return nil
	}, supervise.WithName("web"), supervise.WithStore(open(t, path)), supervise.WithLogger(slog.New(slog.DiscardHandler)),
		supervise.WithPolicy(policy.Constant(time.Millisecond))); err != nil {
		t.Fatal(err)
	}
	if info.Run != 3 || !errors.Is(info.LastErr, supervise.ErrDied) {
		t.Errorf("run %d, after %v; want the third, after a death", info.Run, info.LastErr)
	}
}

// killAt runs the child, kills it when it says the line, and returns all it said.
func killAt(t *testing.T, path, line string) (said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), supervisedPath+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	found := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said += lines.Text() + "\n"
		if lines.Text() == line {
			found = true
			child.Process.Kill()
		}
	}
	child.Wait() // killed
	if !found {
		t.Fatalf("it never said %q, but\n%s", line, said)
	}
	return said
}
