package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrGoexit is the error of a run that ended by runtime.Goexit, as
	// testing.T.FailNow calls it.
	ErrGoexit = errors.New("supervise: the run ended by runtime.Goexit")
	// ErrGaveUp is what a [*GaveUpError] is, to errors.Is.
	ErrGaveUp = errors.New("supervise: gave up")
	// ErrAbandoned is what an [*AbandonedError] is, to errors.Is.
	ErrAbandoned = errors.New("supervise: abandoned")
	// ErrWatchdog is the cause with which a run's context is cancelled when
	// [Alive] was not called in time, and the error of that run.
	ErrWatchdog = errors.New("supervise: the watchdog saw no sign of life")
	// ErrNotReady is the cause with which a run's context is cancelled when
	// [Ready] was not called in time, and the error of that run.
	ErrNotReady = errors.New("supervise: the run was not ready in time")
	// ErrStopping is what the error of [Supervisor.Go] is, to errors.Is, when the
	// supervisor is being stopped.
	ErrStopping = errors.New("the supervisor is being stopped")
	// ErrDuplicate is what it is when there is a task of that name.
	ErrDuplicate = errors.New("there is a task of that name; names are unique among siblings")
	// ErrRunEnded is the cause with which a run's context is cancelled when the
	// run has ended.
	ErrRunEnded = errors.New("supervise: the run has ended")
)

// GaveUpError tells that the policy has given up on a task. It is [ErrGaveUp]
// and Err, to errors.Is and errors.As. Safe for concurrent use.
type GaveUpError struct {
	Task    string
	Crashes int   // of the task, in all
	Err     error // what the last run ended with; nil after a clean exit
}

// Error names the task, the number of its crashes and the last error.
func (e *GaveUpError) Error() string {
	text := fmt.Sprintf("supervise: gave up on task %q after %d crashes", e.Task, e.Crashes)
	if e.Crashes == 1 {
		text = fmt.Sprintf("supervise: gave up on task %q after 1 crash", e.Task)
	}
	if e.Err == nil {
		return text
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns ErrGaveUp and Err.
func (e *GaveUpError) Unwrap() []error { return withoutNil(ErrGaveUp, e.Err) }

// AbandonedError tells that a task was asked to stop and did not, within the
// time of [WithStopTimeout]: its goroutine is still there. It is [ErrAbandoned]
// and Cause, to errors.Is and errors.As. Safe for concurrent use.
type AbandonedError struct {
	Task  string
	Run   uint64 // the number of the run that would not end
	Stack []byte // of its goroutine, as runtime.Stack prints it, when it was abandoned
	Cause error  // why it was asked to stop
}

// Error names the task and the run, and shows the stack.
func (e *AbandonedError) Error() string {
	return fmt.Sprintf("supervise: abandoned task %q, run %d: asked to stop (%v), it did not; its goroutine is at\n%s",
		e.Task, e.Run, e.Cause, e.Stack)
}

// Unwrap returns ErrAbandoned and Cause.
func (e *AbandonedError) Unwrap() []error { return withoutNil(ErrAbandoned, e.Cause) }

func withoutNil(sentinel, err error) []error {
	if err == nil {
		return []error{sentinel}
	}
	return []error{sentinel, err}
}

// realError is what a run ended with that was asked to stop, unless that only
// says that it was.
func realError(cause, err error) (found error) {
	defer func() {
		if recover() != nil { // in a method of err
			found = err
		}
	}()
	if err == nil || saysStopped(cause, err) {
		return nil
	}
	return err
}

// saysStopped reports whether all that an error says is that the run was stopped:
// it is the cause or an error of a context, or wraps nothing but such.
func saysStopped(cause, err error) bool {
	switch x := err.(type) { //nolint:errorlint // it walks the tree of wrapped errors itself
	case *PanicError:
		return false
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(x.Unwrap(), func(part error) bool { return !saysStopped(cause, part) })
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			return saysStopped(cause, inner)
		}
	}
	return errors.Is(err, cause) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// join is errors.Join, except that it leaves an error alone as it is.
func join(cause, err error) error {
	if err == nil {
		return cause
	}
	return errors.Join(cause, err)
}
