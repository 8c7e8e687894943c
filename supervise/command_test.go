//go:build linux

package supervise_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// These tests run real processes, hence in real time; each waits for what it
// needs, and none for a time to pass.

func shell(script string) func(context.Context) error {
	return supervise.Command(func(context.Context) *exec.Cmd { return exec.Command("sh", "-c", script) })
}

// runShell runs a script once and returns what was logged and the run's error.
func runShell(t *testing.T, script string, opts ...supervise.Option) (string, error) {
	t.Helper()
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	err := supervise.Run(t.Context(), shell(script), append(opts, supervise.Once(), supervise.WithLogger(logger))...)
	return log.String(), err
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestCommandExits(t *testing.T) {
	if _, err := runShell(t, "exit 0"); err != nil {
		t.Errorf("exit 0: %v", err)
	}
	_, err := runShell(t, "echo first >&2; echo disk is full >&2; exit 3")
	var exit *supervise.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || exit.Signal != nil || string(exit.Stderr) != "first\ndisk is full\n" {
		t.Errorf("%+v", exit)
	}
	if !strings.HasSuffix(err.Error(), "/sh: exit status 3: disk is full") {
		t.Error(err)
	}
	var std *exec.ExitError
	if !errors.As(err, &std) {
		t.Error("it is not an *exec.ExitError")
	}
}

func TestCommandEndsBySignal(t *testing.T) {
	_, err := runShell(t, "kill -SEGV $$")
	var exit *supervise.ExitError
	if !errors.As(err, &exit) || exit.Code != -1 || exit.Signal != syscall.SIGSEGV {
		t.Errorf("%v: %+v", err, exit)
	}
	if !strings.Contains(err.Error(), "ended by signal: segmentation fault") {
		t.Error(err)
	}
}

func TestCommandThatIsNot(t *testing.T) {
	for name, build := range map[string]func(context.Context) *exec.Cmd{
		"missing": func(context.Context) *exec.Cmd { return exec.Command("/no/such/program") },
		"nil":     func(context.Context) *exec.Cmd { return nil },
	} {
		if err := supervise.Run(t.Context(), supervise.Command(build), supervise.Once()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a nil build did not panic")
		}
	}()
	supervise.Command(nil)
}

func TestCommandOutput(t *testing.T) {
	log, _ := runShell(t, `echo hello; echo oops >&2; printf "no end"`)
	for _, want := range []string{
		"level=INFO msg=hello command=", "stream=stdout",
		"level=WARN msg=oops command=", "stream=stderr",
		`msg="no end"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}

func TestCommandKeepsTail(t *testing.T) {
	_, err := runShell(t, "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1")
	var exit *supervise.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if len(exit.Stderr) != 4<<10 || !bytes.HasSuffix(exit.Stderr, []byte("\nline 2999\n")) {
		t.Errorf("%d bytes, ending in %q", len(exit.Stderr), exit.Stderr[max(len(exit.Stderr)-40, 0):])
	}
}

func TestCommandRedirected(t *testing.T) {
	var out bytes.Buffer
	err := supervise.Run(t.Context(), supervise.Command(func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "sh", "-c", "echo to the buffer")
		cmd.Stdout = &out
		return cmd
	}))
	if err != nil || out.String() != "to the buffer\n" {
		t.Errorf("%v, %q", err, &out)
	}
}

// stopShell runs a script that writes its process ids to a file, and stops it
// when it has.
func stopShell(t *testing.T, script string, processes int, opts ...supervise.Option) (pids []int, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pids")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- supervise.Run(ctx, shell(fmt.Sprintf("P=%s\n%s", file, script)), opts...)
	}()
	for len(pids) < processes {
		pids = nil
		data, _ := os.ReadFile(file)
		for _, field := range strings.Fields(string(data)) {
			var pid int
			if _, err := fmt.Sscan(field, &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	cancel()
	return pids, <-done
}

// waitGone returns when a process has ended, though it may not be reaped yet by
// whoever inherited it. A process that has been killed takes a moment to go; one
// that has not is found by the test's time limit.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	for t.Context().Err() == nil {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, state, _ := strings.Cut(string(stat), ") ")
		if err != nil || strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X") {
			return
		}
		runtime.Gosched()
	}
}

func TestCommandStopsPolitely(t *testing.T) {
	left := filepath.Join(t.TempDir(), "farewell")
	pids, err := stopShell(t, fmt.Sprintf(`trap "echo bye > %s; exit 0" TERM; echo $$ >> $P; while :; do sleep 0.01; done`, left), 1)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if farewell, _ := os.ReadFile(left); string(farewell) != "bye\n" {
		t.Errorf("the process was not asked politely: %q", farewell)
	}
	waitGone(t, pids[0])
}

func TestCommandKillsWhoIgnores(t *testing.T) {
	pids, err := stopShell(t, `trap "" TERM; echo $$ >> $P; while :; do sleep 0.01; done`, 1,
		supervise.WithStopTimeout(50*time.Millisecond))
	if !errors.Is(err, context.Canceled) || errors.Is(err, supervise.ErrAbandoned) {
		t.Error(err)
	}
	var exit *supervise.ExitError
	if !errors.As(err, &exit) || exit.Signal != syscall.SIGKILL {
		t.Errorf("%v: %+v", err, exit)
	}
	waitGone(t, pids[0])
}

func TestCommandLeavesNoOrphans(t *testing.T) {
	// The shell's children ignore SIGTERM, and the shell itself does not.
	pids, err := stopShell(t, `(trap "" TERM; sh -c 'echo $$ >> $0; while :; do sleep 0.01; done' $P) & echo $$ >> $P; wait`, 2)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, pid := range pids {
		waitGone(t, pid)
	}
}

func TestCommandThatExitsLeavesNoOrphans(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	_, err := runShell(t, fmt.Sprintf("sleep 1000 & echo $! > %s; exit 7", file))
	var exit *supervise.ExitError
	if !errors.As(err, &exit) || exit.Code != 7 {
		t.Fatal(err)
	}
	var pid int
	data, _ := os.ReadFile(file)
	if _, err := fmt.Sscan(string(data), &pid); err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
}

func TestCommandDoesNotWaitForWhoEscapes(t *testing.T) {
	for script, code := range map[string]int{"exit 7": 7, "exit 0": 0} {
		file := filepath.Join(t.TempDir(), "pid")
		_, err := runShell(t, fmt.Sprintf(`setsid sh -c 'echo $$ > %s.new; mv %[1]s.new %[1]s; exec sleep 1000' & `+
			`until [ -e %[1]s ]; do sleep 0.01; done; %s`, file, script))
		var exit *supervise.ExitError
		if errors.As(err, &exit); (err != nil || code != 0) && (exit == nil || exit.Code != code) {
			t.Errorf("%s: %v", script, err)
		}
		var pid int
		data, _ := os.ReadFile(file)
		if _, err := fmt.Sscan(string(data), &pid); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("%s: the process that left the group did not escape: %v", script, err)
		}
		waitGone(t, pid)
	}
}
