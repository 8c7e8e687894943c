package gate

import (
	"fmt"
	"time"
)

// Transition is a change of a gate's state.
type Transition struct {
	From, To State
	At       time.Time // the instant of the event that caused it, as it was given
	Cause    Cause
	Err      error  // of the crash, with CauseCrash
	By       By     // who wanted it, with CauseForce, CauseProbe and CausePause
	Seq      uint64 // 1, 2, 3 …; a gap means that transitions were dropped
}

// Cause is the event that changed a state.
type Cause uint8

// The causes of transitions.
const (
	CauseCrash     Cause = iota + 1 // the task crashed
	CauseCleanExit                  // the task ended without an error
	CauseStart                      // the task was started
	CauseElapsed                    // the hold was over
	CauseForce                      // an operator released the gate, with a clean slate
	CauseRestore                    // a saved state was restored
	CauseProbe                      // an operator, or a dependency, let one run through
	CausePause                      // an operator paused the gate
)

var causes = [...]string{CauseCrash: "crash", CauseCleanExit: "clean exit", CauseStart: "start",
	CauseElapsed: "elapsed", CauseForce: "force release", CauseRestore: "restore",
	CauseProbe: "probe", CausePause: "pause"}

// String returns the cause in words, such as "force release".
func (c Cause) String() string {
	if int(c) < len(causes) && causes[c] != "" {
		return causes[c]
	}
	return fmt.Sprintf("cause(%d)", uint8(c))
}
