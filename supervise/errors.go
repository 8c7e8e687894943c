package supervise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

var (
	// ErrGoexit is the error of a run that ended by runtime.Goexit, as
	// testing.T.FailNow calls it.
	ErrGoexit = errors.New("supervise: the run ended by runtime.Goexit")
	// ErrGaveUp matches any [*GaveUpError].
	ErrGaveUp = errors.New("supervise: gave up")
	// ErrAbandoned matches any [*AbandonedError].
	ErrAbandoned = errors.New("supervise: abandoned")
	// ErrWatchdog is the cause with which a run's context is cancelled when
	// [Alive] was not called in time, and the error of that run.
	ErrWatchdog = errors.New("supervise: the watchdog saw no sign of life")
	// ErrNotReady is the cause with which a run's context is cancelled when
	// [Ready] was not called in time, and the error of that run.
	ErrNotReady = errors.New("supervise: the run was not ready in time")
	// ErrStopping matches the error of [Supervisor.TryAdd] when the supervisor is being
	// stopped.
	ErrStopping = errors.New("the supervisor is being stopped")
	// ErrDuplicate matches it when there is a task of that name.
	ErrDuplicate = errors.New("there is a task of that name; names are unique among siblings")
	// ErrRunEnded is the cause with which a run's context is cancelled when the
	// run has ended.
	ErrRunEnded = errors.New("supervise: the run has ended")
)

// GaveUpError says that the policy has given up on a task. It matches [ErrGaveUp] and
// Err.
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
	return text + ": " + errorText(e.Err)
}

// Unwrap returns ErrGaveUp and Err.
func (e *GaveUpError) Unwrap() []error { return withoutNil(ErrGaveUp, e.Err) }

// AbandonedError says that a run was asked to stop and did not, within the
// time of [WithStopTimeout]: its goroutine is still there. It matches [ErrAbandoned]
// and Cause. If the task runs a supervisor, it names the task for which that waits.
type AbandonedError struct {
	Task  string
	Run   uint64 // the number of the run that would not end
	Stack []byte // of its goroutine, as runtime.Stack prints it, when it was abandoned
	Cause error  // why it was asked to stop
}

// Error names the task and the run.
func (e *AbandonedError) Error() string {
	return fmt.Sprintf("supervise: abandoned task %q, run %d, which did not stop when asked to (%v)", e.Task, e.Run, e.Cause)
}

// Format prints the error; %+v adds the stack.
func (e *AbandonedError) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('+') {
		fmt.Fprintf(f, "%s; its goroutine is at\n%s", e.Error(), e.Stack)
		return
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), e.Error())
}

// Unwrap returns ErrAbandoned and Cause.
func (e *AbandonedError) Unwrap() []error { return withoutNil(ErrAbandoned, e.Cause) }

func withoutNil(sentinel, err error) []error {
	if err == nil {
		return []error{sentinel}
	}
	return []error{sentinel, err}
}

// joined is several errors in one line.
type joined []error

// join returns an error with all that are not nil; nil if none is, and one alone as it
// is.
func join(errs ...error) error {
	var all joined
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// Error returns the texts of all, separated by semicolons.
func (j joined) Error() string {
	texts := make([]string, len(j))
	for i, err := range j {
		texts[i] = errorText(err)
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns all.
func (j joined) Unwrap() []error { return j }

// Format prints the errors in one line; %+v prints each with its stack.
func (j joined) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('+') {
		for i, err := range j {
			if i > 0 {
				fmt.Fprintln(f)
			}
			fmt.Fprintf(f, "%+v", err)
		}
		return
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), j.Error())
}

// stoppedWith is why a task was stopped, and what its run ended with then, as that
// says more.
type stoppedWith struct{ cause, real error }

func (e *stoppedWith) Error() string   { return e.plain().Error() }
func (e *stoppedWith) Unwrap() []error { return []error{e.cause, e.real} }
func (e *stoppedWith) plain() error    { return join(e.cause, e.real) }

// plain is the error that users see.
func plain(err error) error {
	if with, ok := err.(*stoppedWith); ok { //nolint:errorlint // it is never wrapped
		return with.plain()
	}
	return err
}

// realError is what a run ended with that was asked to stop, without what only says
// that it was; nil if there is nothing else.
func realError(cause, err error) (found error) {
	defer func() {
		if recover() != nil { // in a method of err
			found = err
		}
	}()
	return beyond(cause, err)
}

// beyond returns the parts of an error that do not say that the run was stopped: those
// are the cause, errors of a context, and what wraps nothing but such.
func beyond(cause, err error) error {
	switch x := err.(type) { //nolint:errorlint // it walks the tree of wrapped errors itself
	case nil:
		return nil
	case *PanicError:
		return err
	case joined:
		return beyondAll(cause, x)
	case interface{ Unwrap() []error }:
		if same(err, cause) || beyondAll(cause, x.Unwrap()) == nil {
			return nil
		}
		return err
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); !same(err, cause) && inner != nil {
			if beyond(cause, inner) == nil {
				return nil
			}
			return err
		}
	}
	if same(err, cause) || errors.Is(err, cause) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// beyondAll is beyond for several errors. Those that a supervisor joined are taken
// apart, so that the cause is not reported once more at each level of a tree.
func beyondAll(cause error, errs []error) error {
	var left []error
	for _, err := range errs {
		left = append(left, beyond(cause, err))
	}
	return join(left...)
}

// same reports whether two errors are the same value, whatever they are made of. Those
// that cannot be compared, such as a struct with a slice, are if they are in the same place.
func same(a, b error) (is bool) {
	defer func() {
		if recover() != nil { // they cannot be compared, and are of one type
			is = place(a) == place(b)
		}
	}()
	return a == b //nolint:errorlint // the same value is meant
}

// place returns where the value of an error is.
func place(err error) unsafe.Pointer { return (*[2]unsafe.Pointer)(unsafe.Pointer(&err))[1] }
