//go:build linux

package process_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/process"
)

var errStop = errors.New("the operator stops it")

func TestExits(t *testing.T) {
	if _, err := once(t, with("exit 0", nil)); err != nil {
		t.Errorf("exit 0: %v", err)
	}
	_, err := once(t, with("echo first >&2; echo disk is full >&2; exit 3", nil))
	var exit *process.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || exit.Signal != nil || string(exit.Stderr) != "first\ndisk is full\n" {
		t.Errorf("%+v", exit)
	}
	if !strings.HasSuffix(err.Error(), "/sh: exit status 3: disk is full") {
		t.Error(err)
	}
	var std *exec.ExitError
	if !errors.As(err, &std) || std.ExitCode() != 3 {
		t.Error("it is not the *exec.ExitError")
	}
}

func TestEndsBySignal(t *testing.T) {
	for script, want := range map[string]os.Signal{
		"kill -SEGV $$": syscall.SIGSEGV,
		"kill -TERM $$": syscall.SIGTERM, // not ours
		"kill -KILL $$": syscall.SIGKILL,
	} {
		_, err := once(t, with(script, nil))
		var exit *process.ExitError
		if !errors.As(err, &exit) || exit.Code != -1 || exit.Signal != want {
			t.Errorf("%s: %v", script, err)
		}
		if !strings.HasSuffix(err.Error(), "/sh: ended by signal: "+want.String()) {
			t.Errorf("%s: %v", script, err)
		}
	}
}

func TestErrorIsOneLine(t *testing.T) {
	for stderr, want := range map[string]string{
		"":                             "x: exit status 1",
		" \n\t\n":                      "x: exit status 1",
		"a\nb\n\n":                     "x: exit status 1: b",
		"10 %\r50 %\r":                 "x: exit status 1: 50 %",
		"a\tb\x00\xff\x1b[0m\u2028é\n": "x: exit status 1: a b\ufffd\ufffd\ufffd[0m\ufffdé",
		strings.Repeat("é", 1000):      "x: exit status 1: " + strings.Repeat("é", 128) + "…",
		"x" + strings.Repeat("é", 999): "x: exit status 1: x" + strings.Repeat("é", 127) + "…",
	} {
		if got := (&process.ExitError{Command: "x", Code: 1, Stderr: []byte(stderr)}).Error(); got != want {
			t.Errorf("%q: %q", stderr, got)
		}
	}
	if (&process.ExitError{}).Unwrap() != nil {
		t.Error("the zero value wraps something")
	}
}

func TestCannotStart(t *testing.T) {
	same := exec.Command("/no/such/program")
	again := process.Run(func(context.Context) *exec.Cmd { return same })
	_, _ = once(t, again)
	ran := exec.Command("true")
	rerun := process.Run(func(context.Context) *exec.Cmd { return ran })
	_, _ = once(t, rerun)

	for name, c := range map[string]struct {
		task func(context.Context) error
		text string
		is   error
	}{
		"no such path":       {process.Run(func(context.Context) *exec.Cmd { return exec.Command("/no/such/program") }), "process: cannot start /no/such/program: ", fs.ErrNotExist},
		"no such name":       {process.Run(func(context.Context) *exec.Cmd { return exec.Command("no-such-program") }), "process: cannot start no-such-program: ", exec.ErrNotFound},
		"no such dir":        {with("", func(c *exec.Cmd) { c.Dir = "/no/such/dir" }), "its Dir: stat /no/such/dir: no", fs.ErrNotExist},
		"nil":                {process.Run(func(context.Context) *exec.Cmd { return nil }), "build returned nil", nil},
		"failed before":      {again, "return a new exec.Cmd each time", nil},
		"ran before":         {rerun, "return a new exec.Cmd each time", nil},
		"with pipes to shut": {with("", func(c *exec.Cmd) { c.Stdin, c.Path = strings.NewReader("x"), "/" }), "cannot start /: ", fs.ErrPermission},
	} {
		_, err := once(t, c.task)
		if err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBuildMisbehaves(t *testing.T) {
	var panicked *supervise.PanicError
	if _, err := once(t, process.Run(func(context.Context) *exec.Cmd { panic("oops") })); !errors.As(err, &panicked) {
		t.Errorf("panic: %v", err)
	}
	if _, err := once(t, process.Run(func(context.Context) *exec.Cmd { runtime.Goexit(); return nil })); !errors.Is(err, supervise.ErrGoexit) {
		t.Errorf("Goexit: %v", err)
	}
	defer func() {
		if v, _ := recover().(string); !strings.Contains(v, "build is nil") {
			t.Errorf("a nil build: %v", v)
		}
	}()
	process.Run(nil)
}

func TestDoneBeforeStart(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var cmd *exec.Cmd
	task := process.Run(func(ctx context.Context) *exec.Cmd {
		cancel(errStop)
		cmd = exec.Command("true")
		return cmd
	})
	if err := task(ctx); err != errStop || cmd.Process != nil {
		t.Errorf("done in build: %v, %v", err, cmd.Process)
	}
	cmd = nil
	if err := task(ctx); err != errStop || cmd != nil {
		t.Errorf("done before build: %v, %v", err, cmd)
	}
	own, cancelOwn := context.WithCancel(t.Context())
	cancelOwn()
	err := process.Run(func(ctx context.Context) *exec.Cmd { return exec.CommandContext(own, "true") })(t.Context())
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "process: cannot start ") {
		t.Errorf("another context is done: %v", err)
	}
}

// Without a supervisor it logs to the default logger.
func TestUnsupervised(t *testing.T) {
	err := with("exit 9", nil)(t.Context())
	var exit *process.ExitError
	if !errors.As(err, &exit) || exit.Code != 9 {
		t.Error(err)
	}
}

func TestCommandIsLeftAsItIs(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGUSR1}
	dir := t.TempDir()
	log, err := once(t, with("pwd; echo $NAME; echo passed >&3", func(c *exec.Cmd) {
		c.Dir, c.Env, c.ExtraFiles, c.SysProcAttr = dir, []string{"NAME=value"}, []*os.File{w}, attr
	}))
	w.Close()
	var extra bytes.Buffer
	extra.ReadFrom(r)
	r.Close()
	if err != nil || !strings.Contains(log, "msg="+dir) || !strings.Contains(log, "msg=value") || extra.String() != "passed\n" {
		t.Errorf("%v, %q\n%s", err, &extra, log)
	}
	if !reflect.DeepEqual(*attr, syscall.SysProcAttr{Pdeathsig: syscall.SIGUSR1}) {
		t.Errorf("the attributes have been changed: %+v", *attr)
	}
}

// Two tasks whose commands have the same attributes.
func TestSharedAttributes(t *testing.T) {
	attr := &syscall.SysProcAttr{}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := once(t, with("exit 0", func(c *exec.Cmd) { c.SysProcAttr = attr })); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
}

// A thousand runs leave no file open, no goroutine and no zombie.
func TestManyRunsLeaveNothing(t *testing.T) {
	task := process.Run(func(context.Context) *exec.Cmd {
		cmd := exec.Command("true")
		cmd.Stdin, cmd.Stdout = strings.NewReader("to nobody"), &bytes.Buffer{}
		return cmd
	})
	run := func() {
		if err := task(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	run()
	files := openFiles(t)
	for range 1000 {
		run()
	}
	if now := openFiles(t); now > files {
		t.Errorf("%d files are open, before %d", now, files)
	}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if s := stat(pid); err == nil && s[0] == "Z" && s[1] == strconv.Itoa(os.Getpid()) {
			t.Errorf("process %d is a zombie", pid)
		}
	}
}

func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
