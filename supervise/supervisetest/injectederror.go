package supervisetest

import (
	"errors"
	"fmt"
)

// ErrInjected matches any [*InjectedError], by errors.Is.
var ErrInjected = errors.New("supervisetest: injected")

// InjectedError is the error, or the value of the panic, of a run that was struck by a
// fault, and the cause with which the context of its function is cancelled then. By
// errors.Is and errors.As it matches [ErrInjected] and what Err matches.
type InjectedError struct {
	Task string    // its path
	Run  uint64    // the number of its run
	Kind FaultKind // of the fault
	Err  error     // that of the Fault; nil for none

	// Returned is what the function returned when the fault cancelled it, if that is
	// more than that it was. It is not matched.
	Returned error
}

// Error names the fault, the task and the run, and shows the errors.
func (e *InjectedError) Error() string {
	text := fmt.Sprintf("supervisetest: injected %v in task %q, run %d", e.Kind, e.Task, e.Run)
	if e.Err != nil {
		text += fmt.Sprintf(": %v", e.Err)
	}
	if e.Returned != nil {
		text += fmt.Sprintf("; cancelled for it, the function returned: %v", e.Returned)
	}
	return text
}

// Injected returns true. It lets a program that does not import this package tell an
// injected error by its shape.
func (e *InjectedError) Injected() bool { return true }

// Unwrap returns ErrInjected, and Err unless it is nil.
func (e *InjectedError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrInjected}
	}
	return []error{ErrInjected, e.Err}
}
