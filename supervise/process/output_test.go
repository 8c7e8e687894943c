//go:build linux

package process_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/process"
)

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

func TestOutputIsLogged(t *testing.T) {
	log, err := once(t, with(`echo hello; echo oops >&2; echo; printf "no end\r"`, nil), supervise.WithName("talker"))
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`level=INFO msg=hello task=talker run=1 command=\S*/sh stream=stdout\n`,
		`level=WARN msg=oops task=talker run=1 command=\S*/sh stream=stderr\n`,
		`level=INFO msg="" task=talker run=1 .*\n`,
		`level=INFO msg="no end" task=talker run=1 .*\n`,
	} {
		if !regexp.MustCompile(want).MatchString(log) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}

func TestNoOutputLeft(t *testing.T) {
	log, err := once(t, with("exec >&- 2>&-; exit 4", nil))
	var exit *process.ExitError
	if !errors.As(err, &exit) || exit.Code != 4 || strings.Contains(log, "stream=") {
		t.Errorf("%v\n%s", err, log)
	}
}

func TestTailOfStderr(t *testing.T) {
	_, err := once(t, with("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1", nil))
	var exit *process.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if len(exit.Stderr) != 4<<10 || !bytes.HasSuffix(exit.Stderr, []byte("\nline 2999\n")) {
		t.Errorf("%d bytes, ending in %q", len(exit.Stderr), exit.Stderr[max(len(exit.Stderr)-40, 0):])
	}
}

// lengths keeps the lengths of the messages that come from stdout.
type lengths struct {
	slog.Handler
	mu  sync.Mutex
	all []int
	sum int
}

func (h *lengths) Enabled(context.Context, slog.Level) bool { return true }

func (h *lengths) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h *lengths) Handle(_ context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "stream" {
			h.all = append(h.all, len(r.Message))
			h.sum += len(r.Message)
		}
		return true
	})
	return nil
}

func TestLongAndBinaryLines(t *testing.T) {
	for script, want := range map[string][]int{
		"head -c 65536 /dev/zero; echo; echo x":              {65536, 1},
		"head -c 65537 /dev/zero; echo":                      {65536, 1},
		"head -c 200000 /dev/zero":                           {65536, 65536, 65536, 3392},
		"head -c 65535 /dev/zero; printf '\\303\\251'; echo": {65535, 2},
		"head -c 70000 /dev/zero | tr '\\0' '\\200'":         {65536, 4464},
	} {
		h := &lengths{}
		err := supervise.Run(t.Context(), with(script, nil), supervise.WithRestart(supervise.Never), supervise.WithLogger(slog.New(h)))
		if err != nil || len(h.all) != len(want) {
			t.Errorf("%s: %v, lines of %v bytes", script, err, h.all)
			continue
		}
		for i := range want {
			if h.all[i] != want[i] {
				t.Errorf("%s: lines of %v bytes", script, h.all)
			}
		}
	}
}

// What comes faster than it is logged is held back, not lost.
func TestFastOutputIsNotLost(t *testing.T) {
	h := &lengths{}
	const lines = 100_000
	err := supervise.Run(t.Context(), with("yes 0123456789 | head -n "+strconv.Itoa(lines), nil), supervise.WithRestart(supervise.Never), supervise.WithLogger(slog.New(h)))
	if err != nil || len(h.all) != lines || h.sum != 10*lines {
		t.Errorf("%v; %d lines, %d bytes", err, len(h.all), h.sum)
	}
}

// stuck is a log that blocks until it is freed.
type stuck struct {
	*logbook
	freed chan struct{}
	free  func()
}

func newStuck() *stuck {
	freed := make(chan struct{})
	return &stuck{newLogbook(), freed, sync.OnceFunc(func() { close(freed) })}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.freed
	return s.logbook.Write(p)
}

// lost is how many lines were lost, by what the log says.
func (s *stuck) lost() (sum int) {
	for _, m := range regexp.MustCompile(`lines=(\d+)`).FindAllStringSubmatch(s.String(), -1) {
		n, _ := strconv.Atoi(m[1])
		sum += n
	}
	return sum
}

func (s *stuck) logger() *slog.Logger { return slog.New(slog.NewTextHandler(s, nil)) }

// A log that is stuck hides neither the death of the process nor how much was lost.
func TestStuckLog(t *testing.T) {
	t.Parallel()
	stuck := newStuck()
	defer stuck.free()
	const lines = 20_000
	var pid atomic.Int64
	task := with("i=0; while [ $i -lt "+strconv.Itoa(lines)+" ]; do echo line $i >&2; i=$((i+1)); done; echo $$; exit 3", func(c *exec.Cmd) {
		c.Stdout = writeFunc(func(p []byte) (int, error) {
			n, err := strconv.Atoi(strings.TrimSpace(string(p)))
			pid.Store(int64(n))
			return len(p), err
		})
	})
	err := supervise.Run(t.Context(), task, supervise.WithRestart(supervise.Never), supervise.WithLogger(stuck.logger()))
	var exit *process.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || !bytes.HasSuffix(exit.Stderr, []byte("line 19999\n")) {
		t.Error(err)
	}
	if s := stat(int(pid.Load())); s[0] != "" {
		t.Errorf("process %d has not been reaped: %v", pid.Load(), s)
	}
	stuck.free()
	stuck.await(`level=WARN msg="output was lost, the logger is too slow" task=\S+ run=1 command=\S+ lines=\d+\n`)
	stuck.await(`msg="line 19999"`) // the last ones are not lost
	if logged, lost := strings.Count(stuck.String(), "stream=stderr"), stuck.lost(); logged+lost != lines || lost == 0 {
		t.Errorf("%d lines are logged, and %d lost, of %d", logged, lost, lines)
	}
}

// A log that is stuck for many runs keeps a few goroutines, not one of each run.
func TestStuckLogForManyRuns(t *testing.T) {
	t.Parallel()
	stuck := newStuck()
	defer stuck.free()
	var waiting atomic.Int64
	h := hooked{stuck.logger().Handler(), func(handle func() error) error {
		waiting.Add(1)
		defer waiting.Add(-1)
		return handle()
	}}
	task := with("echo out; exit 1", nil)
	const runs = 8
	var first sync.WaitGroup
	for i := range runs {
		if i == runs/2 {
			first.Wait() // a run waits for the log, if not for long
		}
		first.Go(func() {
			if err := runWith(t, h, task); err == nil {
				t.Error("no error")
			}
		})
	}
	first.Wait()
	if n := waiting.Load() - runs; n > 4 { // beside the line of each task that it has ended
		t.Errorf("%d goroutines wait for the log after %d runs", n, runs)
	}
	stuck.free()
	for stuck.await(`msg=out`); waiting.Load() > 0; {
		runtime.Gosched()
	}
	_ = runWith(t, h, task)
	logged, lost := strings.Count(stuck.String(), "msg=out"), stuck.lost()
	if logged+lost != runs+1 || lost == 0 {
		t.Errorf("%d lines are logged, and %d lost:\n%s", logged, lost, stuck)
	}
}

// A log that is slow, not stuck, says how much was lost at the end, too.
func TestSlowLog(t *testing.T) {
	t.Parallel()
	stuck := newStuck()
	defer stuck.free()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	h := hooked{slog.NewTextHandler(stuck.logbook, nil), func(handle func() error) error {
		err := handle()
		select {
		case <-stuck.freed:
		case <-tick.C:
		}
		return err
	}}
	const lines = 8_000 // more than the queue holds, less than it and a pipe
	if err := runWith(t, h, with("yes 0123456789 | head -n "+strconv.Itoa(lines)+"; echo end", nil)); err != nil {
		t.Error(err)
	}
	stuck.free()
	stuck.await("msg=end")
	logged, lost := strings.Count(stuck.String(), "msg=0123456789"), stuck.lost()
	if logged+lost != lines || lost == 0 {
		t.Errorf("%d lines are logged, and %d lost, of %d", logged, lost, lines)
	}
}

// runWith runs a task without a supervisor, whose own use of the logger would count,
// too: with the logger as the default one.
func runWith(t *testing.T, h slog.Handler, task func(context.Context) error) error {
	t.Helper()
	var err error
	_ = supervise.Run(t.Context(), func(ctx context.Context) error {
		err = task(ctx)
		return nil
	}, supervise.WithRestart(supervise.Never), supervise.WithLogger(slog.New(h)))
	return err
}

// hooked is a handler around which something is done.
type hooked struct {
	slog.Handler
	around func(handle func() error) error
}

func (h hooked) WithAttrs(attrs []slog.Attr) slog.Handler {
	return hooked{h.Handler.WithAttrs(attrs), h.around}
}

func (h hooked) Handle(ctx context.Context, r slog.Record) error {
	return h.around(func() error { return h.Handler.Handle(ctx, r) })
}

// A handler that panics or ends its goroutine loses one record, and no other.
func TestHandlerMisbehaves(t *testing.T) {
	for name, misbehave := range map[string]func(){
		"panic":  func() { panic("oops") },
		"Goexit": runtime.Goexit,
	} {
		book := newLogbook()
		var calls atomic.Int64
		h := hooked{slog.NewTextHandler(book, nil), func(handle func() error) error {
			if calls.Add(1)%2 == 1 {
				misbehave()
			}
			return handle()
		}}
		if err := runWith(t, h, with("for i in 1 2 3 4; do echo $i; done", nil)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if log := book.String(); !strings.Contains(log, "msg=2 ") || !strings.Contains(log, "msg=4 ") || strings.Contains(log, "msg=3 ") {
			t.Errorf("%s:\n%s", name, log)
		}
	}
}

// So does one whose WithAttrs does, which is how it learns the name of the task.
type noAttrs struct{ slog.Handler }

func (noAttrs) WithAttrs([]slog.Attr) slog.Handler { panic("no attributes here") }

func TestWithAttrsPanics(t *testing.T) {
	book := newLogbook()
	if err := runWith(t, noAttrs{slog.NewTextHandler(book, nil)}, with("echo x", nil)); err != nil {
		t.Error(err)
	}
}

func TestRedirected(t *testing.T) {
	var out bytes.Buffer
	log, err := once(t, with("echo one; echo two >&2; echo three", func(c *exec.Cmd) { c.Stdout, c.Stderr = &out, &out }))
	if err != nil || out.String() != "one\ntwo\nthree\n" || strings.Contains(log, "stream=") {
		t.Errorf("%v, %q\n%s", err, &out, log)
	}
	// Writers that cannot be compared.
	var mu sync.Mutex
	var sum int
	count := writeFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		sum += len(p)
		return len(p), nil
	})
	_, err = once(t, with("echo one; echo two >&2", func(c *exec.Cmd) { c.Stdout, c.Stderr = count, count }))
	if err != nil || sum != 8 {
		t.Errorf("%v, %d bytes", err, sum)
	}
}

func TestWriterFails(t *testing.T) {
	full := errors.New("the disk is full")
	for name, c := range map[string]struct {
		write writeFunc
		is    error
		text  string
	}{
		"fails":   {func([]byte) (int, error) { return 0, full }, full, "stdout: the disk is full"},
		"panics":  {func([]byte) (int, error) { panic("oops\nnow") }, nil, "stdout panicked: oops\ufffdnow"},
		"Goexit":  {func([]byte) (int, error) { runtime.Goexit(); return 0, nil }, nil, "stdout called runtime.Goexit"},
		"too few": {func(p []byte) (int, error) { return len(p) - 1, nil }, nil, "stdout: short write"},
	} {
		log, err := once(t, with("echo x", func(cmd *exec.Cmd) { cmd.Stdout = c.write }))
		if err == nil || !strings.HasPrefix(err.Error(), "process: ") || !strings.HasSuffix(err.Error(), "/sh: "+c.text) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "panics" && (!strings.Contains(log, "level=ERROR") || !strings.Contains(log, "TestWriterFails")) {
			t.Errorf("the log does not say where it panicked:\n%s", log)
		}
		_, err = once(t, with("while :; do echo x; done", func(cmd *exec.Cmd) { cmd.Stdout = c.write }))
		var exit *process.ExitError
		if !errors.As(err, &exit) || exit.Signal != syscall.SIGPIPE || !strings.HasSuffix(err.Error(), "/sh: ended by signal: broken pipe; "+c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A writer that is stuck holds the process up, as a full pipe does, but not the run
// after the process has ended.
func TestStuckWriter(t *testing.T) {
	t.Parallel()
	freed, ended := make(chan struct{}), make(chan struct{})
	r := start(t, with("echo x; exit 6", func(c *exec.Cmd) {
		c.Stdout = writeFunc(func(p []byte) (int, error) {
			defer close(ended)
			<-freed
			return len(p), nil
		})
	}))
	err := <-r.result
	var exit *process.ExitError
	if !errors.As(err, &exit) || exit.Code != 6 {
		t.Error(err)
	}
	r.await("is stuck and left behind.*stream=stdout")
	close(freed)
	<-ended
}
