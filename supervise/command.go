package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Command makes a task of a child process: each run calls build for a command,
// starts it, and ends when the process has. It is a crash unless the process
// exits with status 0; the error is then an [*ExitError].
//
// The process gets a process group of its own, where the system has such. When
// the run's context is done the group is sent SIGTERM, and SIGKILL when the time
// of [WithStopTimeout] has passed, or ten seconds without that option. When the
// process has ended by itself, what is left of its group is killed too, on Linux,
// so that children of the child do not outlive the run. A process that leaves
// the group, as a daemon does, escapes; the run does not wait for it: two seconds
// after the end of the process its output is no longer read.
//
// Output goes where the command says. If its Stdout or Stderr is nil, each line
// of that is logged with the task's logger, at level Info or Warn; the last 4 KiB
// of a nil Stderr are kept for the error. build must return a new command each
// time, made with exec.Command; it may be made with exec.CommandContext, whose
// way to stop is replaced. Command panics if build is nil.
func Command(build func(ctx context.Context) *exec.Cmd) func(context.Context) error {
	if build == nil {
		panic("supervise: Command: build is nil; give the function that makes the command")
	}
	return func(ctx context.Context) error {
		cmd := build(ctx)
		if cmd == nil {
			return errors.New("supervise: Command: build returned nil; return a new exec.Cmd")
		}
		return runCommand(ctx, cmd)
	}
}

// defaultKillAfter is how long a process has to end after SIGTERM, for a task
// without a stop timeout.
const defaultKillAfter = 10 * time.Second

// drainTime is how long the output of a process is read after its end. What the
// pipes hold takes no time; they stay open if a process that has escaped has them.
const drainTime = 2 * time.Second

// ExitError tells how a child process ended. It is the [*exec.ExitError] of the
// process, to errors.As. Safe for concurrent use.
type ExitError struct {
	Command string    // the path of the program
	Code    int       // the exit status; -1 if a signal ended the process
	Signal  os.Signal // that ended the process; nil if it exited
	Stderr  []byte    // the last 4 KiB of its standard error, if that was not redirected

	err *exec.ExitError
}

// Error names the program and tells its exit status or signal, and the last line
// of its standard error.
func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s: exit status %d", e.Command, e.Code)
	if e.Signal != nil {
		text = fmt.Sprintf("%s: ended by signal: %v", e.Command, e.Signal)
	}
	lines := strings.Split(strings.TrimSpace(string(e.Stderr)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		text += ": " + last
	}
	return text
}

// Unwrap returns the error of package exec.
func (e *ExitError) Unwrap() error { return e.err }

func runCommand(ctx context.Context, cmd *exec.Cmd) error {
	logger, killAfter := slog.Default(), defaultKillAfter
	if c, ok := ctx.Value(runKey{}).(*runContext); ok {
		logger = c.worker.env.logger
		if d := c.worker.task.opts.stopTimeout; d >= 0 {
			killAfter = d
			c.worker.setKilled(true)
			defer c.worker.setKilled(false)
		}
	}
	cmd.Cancel, cmd.WaitDelay = nil, drainTime
	logger = logger.With("command", cmd.Path)
	tail := &tailWriter{}
	lines := []*lineLogger{}
	logged := func(level slog.Level, to string, tee io.Writer) io.Writer {
		l := &lineLogger{logger: logger.With("stream", to), level: level, tee: tee}
		lines = append(lines, l)
		return l
	}
	if cmd.Stdout == nil {
		cmd.Stdout = logged(slog.LevelInfo, "stdout", io.Discard)
	}
	if cmd.Stderr == nil {
		cmd.Stderr = logged(slog.LevelWarn, "stderr", tail)
	}
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{cmd: cmd}
	unwatch := p.endWith(ctx, killAfter)
	if awaitExit(cmd) {
		p.killGroup() // what the process has left behind
		p.close()
	}
	err := cmd.Wait()
	p.close()
	unwatch()
	for _, l := range lines {
		l.flush()
	}
	if errors.Is(err, exec.ErrWaitDelay) { // it has exited, with status 0
		logSafely(logger, slog.LevelWarn, "the command has ended, and another process still has its output")
		return nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &ExitError{cmd.Path, exit.ExitCode(), signalOf(exit), tail.bytes(), exit}
	}
	return err
}

// process is a child that has been started. Its group is signalled only until it
// is reaped: after that its id can be another's.
type process struct {
	cmd *exec.Cmd

	mu     sync.Mutex
	kill   *time.Timer // after the polite signal
	closed bool
}

// endWith ends the process politely when ctx is done, and by force some time
// after that, until the returned function is called.
func (p *process) endWith(ctx context.Context, killAfter time.Duration) (unwatch func()) {
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.closed {
			terminateGroup(p.cmd)
			p.kill = time.AfterFunc(killAfter, p.killGroup)
		}
	})
	return func() { stop() }
}

func (p *process) killGroup() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		killGroup(p.cmd)
	}
}

// close has no more signals sent.
func (p *process) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.kill != nil {
		p.kill.Stop()
	}
}

// tailSize is how much of a process's standard error an ExitError keeps.
const tailSize = 4 << 10

// tailWriter keeps the last bytes that were written to it.
type tailWriter struct{ kept []byte }

func (w *tailWriter) Write(p []byte) (int, error) {
	w.kept = append(w.kept, p...)
	if len(w.kept) > 2*tailSize {
		w.kept = append([]byte(nil), w.bytes()...)
	}
	return len(p), nil
}

func (w *tailWriter) bytes() []byte { return w.kept[max(len(w.kept)-tailSize, 0):] }

// maxLine bounds a logged line; a longer one is logged in parts.
const maxLine = 64 << 10

// lineLogger logs each line that is written to it, and passes it on.
type lineLogger struct {
	logger *slog.Logger
	level  slog.Level
	tee    io.Writer
	part   []byte // of a line, without its end
}

func (l *lineLogger) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		line, rest, whole := bytes.Cut(l.part, []byte("\n"))
		if !whole && len(line) < maxLine {
			break
		}
		if !whole {
			line, rest = line[:maxLine], line[maxLine:]
		}
		l.log(line)
		l.part = append(l.part[:0], rest...)
	}
	return l.tee.Write(p)
}

func (l *lineLogger) flush() {
	if len(l.part) > 0 {
		l.log(l.part)
	}
}

func (l *lineLogger) log(line []byte) {
	logSafely(l.logger, l.level, strings.TrimRight(string(line), "\r"))
}

// logSafely contains a panic of the handler: the process goes on.
func logSafely(l *slog.Logger, level slog.Level, text string) {
	defer func() { _ = recover() }()
	l.Log(context.Background(), level, text)
}
