//go:build linux

package process_test

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/process"
)

// loop runs until a signal ends it, or the trap does.
const loop = "; echo ready $$; while :; do sleep 0.01; done"

func TestStops(t *testing.T) {
	for name, script := range map[string]string{
		"by SIGTERM":            ":" + loop,
		"with status 0":         `trap "echo bye; exit 0" TERM` + loop,
		"with status 143":       `trap "exit 143" TERM` + loop,
		"while it is suspended": ":; echo ready $$; kill -STOP $$",
	} {
		r := start(t, with(script, nil))
		pid := r.await(`ready (\d+)`)[0]
		for strings.Contains(script, "STOP") && stat(pid)[0] != "T" {
			continue // it is about to be suspended
		}
		if err := r.stop(); err != errStop {
			t.Errorf("%s: %v", name, err)
		}
		awaitGone(t, pid)
		if log := r.String(); strings.Contains(script, "bye") && !strings.Contains(log, "msg=bye") {
			t.Errorf("%s: it was not asked politely:\n%s", name, log)
		}
	}
}

func TestStopsWithAnError(t *testing.T) {
	r := start(t, with(`trap "echo cannot save >&2; exit 5" TERM`+loop, nil))
	r.await(`ready (\d+)`)
	err := r.stop()
	var exit *process.ExitError
	if !errors.Is(err, errStop) || !errors.As(err, &exit) || exit.Code != 5 {
		t.Error(err)
	}
}

// It is killed so early that the supervisor need not abandon it, though the log is
// stuck and a process that has escaped has the output.
func TestKilledBeforeItIsAbandoned(t *testing.T) {
	t.Parallel()
	stuck := newStuck()
	defer stuck.free()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	pids := newLogbook()
	task := with(`trap "" TERM; setsid sh -c 'echo escaped $$; exec sleep 1000' & echo output >&2`+loop,
		func(c *exec.Cmd) { c.Stdout = pids })
	result := make(chan error, 1)
	go func() {
		result <- supervise.Run(ctx, task, supervise.WithRestart(supervise.Never), supervise.WithLogger(stuck.logger()),
			supervise.WithStopTimeout(4*time.Second))
	}()
	escaped, pid := pids.await(`escaped (\d+)`)[0], pids.await(`ready (\d+)`)[0]
	cancel(errStop)
	err := <-result
	var exit *process.ExitError
	if !errors.Is(err, errStop) || errors.Is(err, supervise.ErrAbandoned) || !errors.As(err, &exit) || exit.Signal != syscall.SIGKILL {
		t.Error(err)
	}
	if !strings.Contains(err.Error(), "the process did not stop within 3s: ") {
		t.Error(err)
	}
	awaitGone(t, pid)
	if err := syscall.Kill(escaped, syscall.SIGKILL); err != nil {
		t.Errorf("the process that left the group did not escape: %v", err)
	}
	awaitGone(t, escaped)
}

func TestKilledAtOnce(t *testing.T) {
	r := start(t, with(`trap "" TERM`+loop, nil), supervise.WithStopTimeout(0))
	pid := r.await(`ready (\d+)`)[0]
	if err := r.stop(); !errors.Is(err, errStop) {
		t.Error(err)
	}
	awaitGone(t, pid)
}

// The process ends when it is asked to. Its children do not, and are killed.
func TestStopLeavesNoOrphans(t *testing.T) {
	r := start(t, with(`(trap "" TERM; exec sh -c ':`+loop+`') & wait`, nil))
	child := r.await(`ready (\d+)`)[0]
	if err := r.stop(); err != errStop {
		t.Error(err)
	}
	awaitGone(t, child)
}

func TestExitLeavesNoOrphans(t *testing.T) {
	log, err := once(t, with("trap '' TERM; sleep 1000 & echo child $!; exit 7", nil))
	var exit *process.ExitError
	if !errors.As(err, &exit) || exit.Code != 7 {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(log, `msg="child `)
	number, _, _ := strings.Cut(after, `"`)
	child, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	awaitGone(t, child)
}

// What has escaped is not waited for, and the log says what it did.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for script, code := range map[string]int{"exit 7": 7, "exit 0": 0} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			book := newLogbook()
			result := make(chan error, 1)
			go func() {
				result <- supervise.Run(t.Context(), with(`setsid sh -c 'echo escaped $$; printf unfinished; exec sleep 1000' & read x; `+script,
					func(c *exec.Cmd) {
						c.Stdin = readFunc(func([]byte) (int, error) { book.await("escaped"); return 0, io.EOF })
					}),
					supervise.WithRestart(supervise.Never), supervise.WithLogger(book.logger()))
			}()
			pid := book.await(`escaped (\d+)`)[0]
			err := <-result
			var exit *process.ExitError
			if errors.As(err, &exit); (err != nil) != (code != 0) || code != 0 && (exit == nil || exit.Code != code) {
				t.Error(err)
			}
			book.await("msg=unfinished")
			book.await("another process has it open.*stream=stdout")
			book.await("another process has it open.*stream=stderr")
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Errorf("the process that left the group did not escape: %v", err)
			}
			awaitGone(t, pid)
		})
	}
}

func TestSession(t *testing.T) {
	for name, attr := range map[string]syscall.SysProcAttr{
		"Setsid":         {Setsid: true},
		"Setsid, pgid":   {Setsid: true, Setpgid: true},
		"Setpgid":        {Setpgid: true},
		"a Pgid, unused": {Pgid: syscall.Getpgrp()},
		"nothing":        {},
	} {
		r := start(t, with(`(trap "" TERM; exec sh -c 'echo child $$; exec sleep 1000') & :`+loop,
			func(c *exec.Cmd) { c.SysProcAttr = &attr }))
		child, pid := r.await(`child (\d+)`)[0], r.await(`ready (\d+)`)[0]
		self := strconv.Itoa(pid)
		if s := stat(pid); s[2] != self || (s[3] == self) != attr.Setsid {
			t.Errorf("%s: process %d is in group %s, session %s", name, pid, s[2], s[3])
		}
		if err := r.stop(); err != errStop {
			t.Errorf("%s: %v", name, err)
		}
		awaitGone(t, child)
	}
}

// A group that the command joins is not ours: others of it are sent no signal.
func TestJoinsAGroup(t *testing.T) {
	other := start(t, with(`trap "echo touched" TERM`+loop, nil))
	group := other.await(`ready (\d+)`)[0]
	r := start(t, with(":"+loop, func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group} }))
	pid := r.await(`ready (\d+)`)[0]
	if s := stat(pid); s[2] != strconv.Itoa(group) {
		t.Errorf("process %d is in group %s, not %d", pid, s[2], group)
	}
	if err := r.stop(); err != errStop {
		t.Error(err)
	}
	awaitGone(t, pid)
	if state := stat(group)[0]; state != "S" && state != "R" && state != "D" || strings.Contains(other.String(), "touched") {
		t.Errorf("the other process of the group is %q:\n%s", state, other)
	}
	if err := syscall.Kill(group, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	<-other.result
}

// What exec.CommandContext would do is replaced: it would kill the process.
func TestCommandContext(t *testing.T) {
	const script = `trap "sleep 0.05; echo bye; exit 0" TERM` + loop
	r := start(t, process.Run(func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "sh", "-c", script)
		cmd.WaitDelay = time.Nanosecond
		cmd.Cancel = func() error { t.Error("Cancel is called"); return cmd.Process.Kill() }
		return cmd
	}))
	r.await(`ready (\d+)`)
	if err := r.stop(); err != errStop || !strings.Contains(r.String(), "msg=bye") {
		t.Errorf("%v\n%s", err, r)
	}
}

// A context of the command's own stops the process likewise, but the task was not
// asked to stop.
func TestAnotherContext(t *testing.T) {
	for script, check := range map[string]func(error) bool{
		":" + loop: func(err error) bool {
			var exit *process.ExitError
			return errors.As(err, &exit) && exit.Signal == syscall.SIGTERM
		},
		`trap "exit 0" TERM` + loop: func(err error) bool { return errors.Is(err, context.Canceled) },
	} {
		own, cancel := context.WithCancel(t.Context())
		r := start(t, process.Run(func(context.Context) *exec.Cmd { return exec.CommandContext(own, "sh", "-c", script) }))
		r.await(`ready (\d+)`)
		cancel()
		if err := <-r.result; !check(err) {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// The process has ended, and its output is waited for, when the task is stopped.
func TestStopsWhileOutputIsOpen(t *testing.T) {
	t.Parallel()
	var cmd *exec.Cmd
	r := start(t, process.Run(func(context.Context) *exec.Cmd {
		cmd = shell(`echo ready $$; setsid sh -c 'echo escaped $$; exec sleep 1000' & read x`)
		in, _ := cmd.StdinPipe()
		t.Cleanup(func() { in.Close() })
		return cmd
	}), supervise.WithStopTimeout(2100*time.Millisecond))
	pid, escaped := r.await(`ready (\d+)`)[0], r.await(`escaped (\d+)`)[0]
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Error(err)
	}
	for stat(pid)[0] != "" {
		continue // it is about to be reaped
	}
	err := r.stop()
	var exit *process.ExitError
	if !errors.Is(err, errStop) || errors.Is(err, supervise.ErrAbandoned) || !errors.As(err, &exit) || exit.Signal != syscall.SIGHUP {
		t.Error(err)
	}
	if err := syscall.Kill(escaped, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	awaitGone(t, escaped)
}

// Whenever the context is done, the process either ended before, or was stopped.
func TestStopsAtAnyInstant(t *testing.T) {
	for i := range 300 {
		ctx, cancel := context.WithCancelCause(t.Context())
		cmd := shell("sleep 0.001")
		result := make(chan error, 1)
		go func() { result <- process.Run(func(context.Context) *exec.Cmd { return cmd })(ctx) }()
		for range i * 50 {
			runtime.Gosched()
		}
		cancel(errStop)
		if err := <-result; err != nil && err != errStop {
			t.Fatalf("%d: %v", i, err)
		}
		if cmd.Process != nil && cmd.ProcessState == nil {
			t.Fatalf("%d: it has not been reaped", i)
		}
	}
}
