package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/holdfast-go/holdfast/supervise"
)

// Run makes the function of a task out of a child process. Each call runs build for
// a command, starts it, and returns when the process has ended.
//
//	the process                            the function returns
//	exits with status 0                    nil
//	exits with another, or by a signal     an *ExitError
//	cannot be started                      an error that wraps that of package exec
//	stops after SIGTERM, as ctx is done    context.Cause(ctx)
//	has to be killed, as ctx is done       an error that wraps both: context.Cause(ctx) and an *ExitError
//
// # Stopping
//
// Once ctx is done, the process group is sent SIGTERM, and SIGCONT in case it is
// suspended. The process has stopped as it was asked to if SIGTERM ended it, or if
// it then exits with status 0 or 143, by which shells say that SIGTERM ended what
// they ran. Another status is worth reporting: then too the error wraps both.
//
// A process that does not stop is sent SIGKILL, with its group, ten seconds later.
// If the task has a stop timeout (see [supervise.WithStopTimeout]), SIGKILL comes
// earlier than that, by a quarter of it and one second at most, so that the run is over
// before the supervisor abandons it: after 9 s if the timeout is 10 s, after 750 ms if
// it is one second, and at once if it is 0.
//
// If ctx is done before the process is started, it is not started.
//
// # The process group
//
// The process leads a process group of its own, where the system has such. When it
// has ended, for whatever reason, the rest of its group is killed at once, on Linux,
// and its children do not outlive the run. A shell that starts the program which
// matters should therefore exec it: otherwise the shell dies of SIGTERM first, and the
// program has no time to stop. A process that leaves the group, as a daemon does,
// escapes. On systems without signals the process is killed as soon as ctx is done.
//
// With Setsid in the command's SysProcAttr the process leads a session, and thereby
// a group. With Setpgid and a Pgid, or Foreground and a Pgid, it joins that group,
// which is not ours: only the process itself is then sent signals, and nothing else
// is killed. The SysProcAttr is copied, and may be shared by commands.
//
// # Input and output
//
// If Stdout or Stderr is nil, each line of it is logged with the task's logger, at
// level Info or Warn. A line longer than 64 KiB is logged in parts. The last 4 KiB of
// a nil Stderr are kept for the error. Otherwise output goes where the command says;
// use [io.Discard] for nowhere.
//
// A slow logger slows the process down, as a full pipe does. A logger that is stuck
// does not stop it: up to 256 KiB of lines wait, and once one call of the logger has
// taken a second, the oldest lines are dropped to make room for new ones. When the
// logger takes records again, the first one says how many lines were lost.
//
// After the process has ended, the run waits about two seconds at most, and no longer
// than the stop timeout allows, until its output has been read, written and logged.
// Output that a process which has escaped still has open is read no further then, and a
// writer that is stuck is left behind, with its goroutine, until its Write returns; both
// are logged. Lines that the logger has not taken by then are logged later.
//
// A Stdin that is not a file is read on a goroutine of its own, for which the run
// does not wait. A Read that is under way when the process ends goes on, and what it
// returns goes to the process of a later run whose command has the same reader.
//
// If a Stdin, Stdout or Stderr fails, panics or calls runtime.Goexit, its pipe is
// closed, and the function's error wraps its error, unless the process stops as it was
// asked to. StdoutPipe and StderrPipe may lose output that has not been read when the
// process ends; set Stdout and Stderr instead.
//
// # The command
//
// build must return a new command each time. It may be made with
// exec.CommandContext. Once that context is done, the process is stopped as above, and
// if that context is not the run's, its end counts as any other. Cancel and WaitDelay
// have no effect. All other fields are left as they are. A panic of build is the
// function's.
//
// Run panics if build is nil. The function is safe for concurrent use if build is.
func Run(build func(ctx context.Context) *exec.Cmd) func(ctx context.Context) error {
	if build == nil {
		panic("process: Run: build is nil; give the function that makes the command")
	}
	t := &task{build: build}
	return t.run
}

// task is what the runs of one function share.
type task struct {
	build   func(ctx context.Context) *exec.Cmd
	stdin   stdin
	backlog backlog
}

func (t *task) run(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	cmd := t.build(ctx)
	switch {
	case cmd == nil:
		return errors.New("process: build returned nil; return a new exec.Cmd")
	case cmd.Process != nil:
		return errSameCmd
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	info, _ := supervise.FromContext(ctx)
	log := newLog(ctx, info.Logger, cmd.Path, &t.backlog)
	defer log.leave()
	c := newChild(cmd, log, stopTimes(info.StopTimeout()))
	defer c.release()
	s, err := connect(cmd, &t.stdin, log)
	if err != nil {
		return fmt.Errorf("process: cannot start %s: %w", cmd.Path, err)
	}
	if err := c.start(); err != nil {
		s.abort()
		return notStarted(ctx, cmd, err)
	}
	s.begin()
	defer context.AfterFunc(ctx, func() { c.stop() })()
	err = c.wait()
	s.hangUp()
	return c.result(ctx, err, s.tail, s.finish(c))
}

var errSameCmd = errors.New("process: build returned a command that has been started before; return a new exec.Cmd each time")

// notStarted is the error for a command whose start failed with err.
func notStarted(ctx context.Context, cmd *exec.Cmd, err error) error {
	switch {
	case err.Error() == "exec: already started": // package exec has no sentinel for it
		return errSameCmd
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return context.Cause(ctx)
	}
	// The system says the same of a missing directory as of a missing program, and
	// package os looks only if there are no SysProcAttr.
	if _, dirErr := os.Stat(cmd.Dir); cmd.Dir != "" && dirErr != nil {
		return fmt.Errorf("process: cannot start %s: its Dir: %w", cmd.Path, dirErr)
	}
	return fmt.Errorf("process: cannot start %s: %w", cmd.Path, err)
}

// result is what the run returns, after wait returned err and finish ioErr.
func (c *child) result(ctx context.Context, err error, stderr *tail, ioErr error) error {
	reached := c.reached()
	stopping := reached >= asked && ctx.Err() != nil // and not by another context
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		switch {
		case stopping:
			return context.Cause(ctx)
		case both(err, ioErr) != nil:
			return fmt.Errorf("process: %s: %w", c.cmd.Path, both(err, ioErr))
		}
		return nil
	}
	if stopping && stoppedAsAsked(exit) {
		return context.Cause(ctx)
	}
	signal := signalOf(exit)
	err = &ExitError{c.cmd.Path, exit.ExitCode(), signal, stderr.bytes(), exit}
	err = both(err, ioErr)
	switch {
	case stopping && reached == killed && signal == os.Kill:
		return fmt.Errorf("%w; the process did not stop within %v: %w", context.Cause(ctx), c.times.kill, err)
	case stopping:
		return both(context.Cause(ctx), err)
	}
	return err
}
