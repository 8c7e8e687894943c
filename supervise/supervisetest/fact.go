package supervisetest

import (
	"errors"

	"github.com/holdfast-go/holdfast/supervise"
)

// fact is an event with what its error says, which only its own methods know.
type fact struct {
	supervise.Event
	died     bool // Crash: the process died in the run
	watchdog bool // Abandon: the watchdog had cancelled the run
	ownEnd   bool // Stop: the reason is that the task itself gave up
}

func factOf(e supervise.Event) (f fact) {
	f.Event = e
	defer func() { _ = recover() }() // a method of the error may panic: then it says nothing
	switch e.Kind {
	case supervise.KindCrash:
		f.died = errors.Is(e.Err, supervise.ErrDied)
	case supervise.KindAbandon:
		var stuck *supervise.AbandonedError
		f.watchdog = errors.As(e.Err, &stuck) && (stuck.Cause == supervise.ErrWatchdog || stuck.Cause == supervise.ErrNotReady) //nolint:errorlint // not what it wraps
	case supervise.KindStop:
		var gaveUp *supervise.GaveUpError
		f.ownEnd = errors.As(e.Err, &gaveUp) && gaveUp.Task == e.Task
	}
	return f
}
