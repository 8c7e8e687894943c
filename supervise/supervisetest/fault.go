package supervisetest

import (
	"fmt"
	"math"
)

// FaultKind is what a [Fault] does to a run.
type FaultKind uint8

// The kinds of faults. One that strikes after some time cancels the context that the
// function was called with, and does what it does when the function has returned; so the
// function must heed its context. Should it panic then, that panic shows, and not the
// fault. Goroutines that the function has started with [supervise.Go] belong to the run as
// ever: the first error among all of them is the run's.
const (
	Error     FaultKind = iota + 1 // the run ends with an [*InjectedError]
	Panic                          // the run panics with an [*InjectedError], on the task's goroutine
	Goexit                         // the run calls runtime.Goexit, on the task's goroutine
	Exit                           // the run ends cleanly, unless the function returns a real error when it is cancelled
	Hang                           // the run ignores its context for the time of For, or until [Faults.Release], and ends with an [*InjectedError]; its supervisor waits for that, unless it has a stop timeout
	Silence                        // the run does nothing until its context is done, or as Hang ends; it calls neither Alive nor Ready
	LateReady                      // the function is called after the time of For, or never, unless the context is done before
)

var faultKinds = [...]string{Error: "error", Panic: "panic", Goexit: "goexit", Exit: "exit",
	Hang: "hang", Silence: "silence", LateReady: "late ready"}

// String returns the kind in words, such as "late ready".
func (k FaultKind) String() string {
	if k.known() {
		return faultKinds[k]
	}
	return fmt.Sprintf("fault(%d)", uint8(k))
}

func (k FaultKind) known() bool { return k >= Error && int(k) < len(faultKinds) }

// Fault says which runs are struck, and by what. All that is set must fit.
type Fault struct {
	// Kind is what the fault does. It has no default.
	Kind FaultKind

	// Path is of the tasks that it strikes: the path of one; a pattern as [path.Match]
	// takes it, where * stands for anything but a slash, such as "shop/*/cache"; or one
	// that ends in /... for a task and all below it, such as "shop/db/...".
	// Defaults to all tasks.
	Path string

	// Rate is the probability that a run is struck, from 0 to 1.
	// Defaults to 1 if Run is given; otherwise it must be given.
	Rate float64

	// Run is the number of the only run of each task that is struck, from 1.
	// Defaults to any run.
	Run uint64

	// After is how long after the start of the run the fault strikes. A function that
	// has returned by then is not struck.
	// Defaults to striking instead of calling the function. LateReady has none.
	After Delay

	// For is how long a Hang or a Silence lasts, or how late the function is called by
	// LateReady. Other kinds have none.
	// Defaults to no end but [Faults.Release].
	For Delay

	// Err is an error that the [*InjectedError] wraps, to test what a policy does with
	// it. Exit, Goexit and LateReady have none.
	// Defaults to none.
	Err error
}

// check returns all that is wrong with the fault, in words.
func (f Fault) check() []string {
	if !f.Kind.known() {
		return []string{fmt.Sprintf("Kind (%d) is unknown; use one of the constants, such as Panic", uint8(f.Kind))}
	}
	var wrong []string
	if err := checkPath(f.Path); err != nil {
		wrong = append(wrong, "Path "+err.Error())
	}
	if math.IsNaN(f.Rate) || f.Rate < 0 || f.Rate > 1 {
		wrong = append(wrong, fmt.Sprintf("Rate (%v) is not a probability; give one from 0 to 1", f.Rate))
	}
	if f.Rate == 0 && f.Run == 0 {
		wrong = append(wrong, "Rate and Run are both 0, so it never strikes; give one of them, or leave the fault out")
	}
	return append(wrong, f.checkKind()...)
}

// checkKind returns what has no meaning for the kind.
func (f Fault) checkKind() (wrong []string) {
	if f.After != nil && f.Kind == LateReady {
		wrong = append(wrong, fmt.Sprintf("After has no meaning for %v, which delays the start; give For", f.Kind))
	}
	switch f.Kind {
	case Hang, Silence, LateReady:
	default:
		if f.For != nil {
			wrong = append(wrong, fmt.Sprintf("For has no meaning for %v, which takes no time; leave it out, or give After", f.Kind))
		}
	}
	switch f.Kind {
	case Exit, Goexit, LateReady:
		if f.Err != nil {
			wrong = append(wrong, fmt.Sprintf("Err has no meaning for %v, which ends with none; leave it out", f.Kind))
		}
	default:
	}
	return wrong
}

// rate is the probability that a run which fits is struck.
func (f Fault) rate() float64 {
	if f.Rate == 0 {
		return 1
	}
	return f.Rate
}

// fits reports whether the fault may strike the run.
func (f Fault) fits(path string, run uint64) bool {
	return (f.Run == 0 || f.Run == run) && matches(f.Path, path)
}
