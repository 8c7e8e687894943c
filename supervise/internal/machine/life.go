package machine

import "fmt"

// Phase is where a task stands with the worker that serves it.
type Phase uint8

const (
	// Idle is a task that no worker serves.
	Idle Phase = iota
	// Held is between two runs, or before the first: the worker asks the gate, and
	// waits for whatever else a run needs.
	Held
	// Starting is a run under way that has not said yet that it is ready.
	Starting
	// Running is a run under way.
	Running
	// Stopping is a run under way that was asked to end for good.
	Stopping
	// Leaving is a worker without a run that is about to end.
	Leaving
)

var phases = [...]string{"idle", "held", "starting", "running", "stopping", "leaving"}

// String returns the phase in words.
func (p Phase) String() string { return name(phases[:], p, "phase") }

// Fault is what the supervisor itself found wrong with the run under way, for which it
// cancelled the run.
type Fault uint8

const (
	// Healthy is no fault.
	Healthy Fault = iota
	// Silent is a run that the watchdog saw no sign of life of.
	Silent
	// Unready is a run that was not ready in time.
	Unready
)

var faults = [...]string{"healthy", "silent", "unready"}

// String returns the fault in words.
func (f Fault) String() string { return name(faults[:], f, "fault") }

// Life is the machine of one task. The zero value is a task that no worker has served
// yet. It is a plain value: whoever steps it sees to it that nobody else does.
type Life struct {
	Run    uint64 // the number of the run under way, or of the last one
	Worker uint32 // the number of the worker that serves the task, or of the last one
	Phase  Phase
	Fault  Fault
	Again  bool // an operator wants a new run, and the worker may be about to end
}

// LifeKind is what has happened to a task.
type LifeKind uint8

// About the task.
const (
	// Serve is a worker that begins to serve the task, in the place of any other.
	Serve LifeKind = iota
	// Stop is the wish that the task stops.
	Stop
	// Renew is the wish of an operator for a new run now.
	Renew
	// Cycle is the wish that a run under way ends, and that the task goes on at the gate.
	Cycle
)

// About the worker that serves it, or its run.
const (
	// Begin is a worker that has all that a run needs. A Slow one is not ready yet.
	Begin LifeKind = iota + Cycle + 1
	// Return is the end of the function of a run.
	Return
	// Leave is the end of the worker.
	Leave
	// Ready is a run that says that it is.
	Ready
	// Silence is what the watchdog found: no sign of life of a run.
	Silence
	// Tardy is a run that was not ready in time.
	Tardy
	// Overdue is a run that was cancelled and has not returned in time.
	Overdue
)

var lifeKinds = [...]string{"serve", "stop", "renew", "cycle", "begin", "return", "leave", "ready", "silence", "tardy", "overdue"}

// String returns the kind in words.
func (k LifeKind) String() string { return name(lifeKinds[:], k, "input") }

// LifeInput is one thing that happened. Worker and Run are the numbers of the worker and
// of the run that it is about; where it is about another one than the machine has,
// it changes nothing. What is about the task needs neither.
type LifeInput struct {
	Kind   LifeKind
	Slow   bool
	Worker uint32
	Run    uint64
}

// LifeEffect is what is to be done, as a set.
type LifeEffect uint16

const (
	// Call the function of the run that has begun.
	Call LifeEffect = 1 << iota
	// Settle what follows, with the gate: the run has ended by itself.
	Settle
	// Quit the worker. No run follows.
	Quit
	// Cancel the context of the run under way, or of the one that waits to begin.
	Cancel
	// Watch for the end of what was cancelled, for as long as the stop timeout.
	Watch
	// Release the hold by force.
	Release
	// Tell that the run is ready.
	Tell
	// Abandon the run. Its worker is left behind.
	Abandon
	// Replace the worker that was left behind: the task crashed, and goes on.
	Replace
	// Late is the end of a run that was abandoned before.
	Late
)

var lifeEffects = [...]string{"call", "settle", "quit", "cancel", "watch", "release", "tell", "abandon", "replace", "late"}

// String returns the effects in words.
func (e LifeEffect) String() string {
	text := ""
	for i, word := range lifeEffects {
		if e&(1<<i) == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += word
	}
	if text == "" {
		return "nothing"
	}
	return text
}

// Pending is the number of the run under way, or of the one that waits to begin.
func (l *Life) Pending() uint64 {
	if l.UnderWay() {
		return l.Run
	}
	return l.Run + 1
}

// UnderWay reports whether a run is under way.
func (l *Life) UnderWay() bool {
	return l.Phase == Starting || l.Phase == Running || l.Phase == Stopping
}

// Step takes in what happened, and returns what is to be done.
func (l *Life) Step(in LifeInput) LifeEffect {
	if in.Kind < Begin {
		return l.ofTask(in.Kind)
	}
	if in.Worker != l.Worker {
		return leftBehind(in.Kind)
	}
	switch in.Kind {
	case Begin:
		return l.begin(in.Slow)
	case Return:
		return l.returned(in.Run)
	case Leave:
		l.Phase = Idle
	case Ready:
		if in.Run == l.Run && l.Phase == Starting && l.Fault == Healthy {
			l.Phase = Running
			return Tell
		}
	case Silence:
		return l.fail(in.Run, Silent, l.Phase == Starting || l.Phase == Running)
	case Tardy:
		return l.fail(in.Run, Unready, l.Phase == Starting)
	case Overdue:
		return l.overdue(in.Run)
	}
	return 0
}

// ofTask is Step for what is about the task.
func (l *Life) ofTask(kind LifeKind) LifeEffect {
	switch kind {
	case Serve:
		l.Phase, l.Again = Held, false
		l.Worker++
	case Stop:
		l.Again = false
		return l.stop()
	case Renew:
		if l.Phase == Held {
			l.Again = true
			return Release
		}
		return l.stop()
	case Cycle:
		if l.Phase == Starting || l.Phase == Running {
			return l.stop()
		}
	}
	return 0
}

// leftBehind is the answer to a worker that was abandoned.
func leftBehind(kind LifeKind) LifeEffect {
	switch kind {
	case Return:
		return Late
	case Begin:
		return Quit
	}
	return 0
}

func (l *Life) begin(slow bool) LifeEffect {
	switch {
	case l.Phase != Held:
		return Quit
	case slow:
		l.Phase = Starting
	default:
		l.Phase = Running
	}
	l.Run++
	l.Fault, l.Again = Healthy, false
	return Call
}

func (l *Life) returned(run uint64) LifeEffect {
	switch {
	case run != l.Run || !l.UnderWay():
		return 0
	case l.Phase == Stopping:
		l.Phase = Leaving
		return Quit
	}
	l.Phase = Held
	return Settle
}

// stop has the task stop. The end of a run that the supervisor found fault with is
// watched for already.
func (l *Life) stop() LifeEffect {
	switch l.Phase {
	case Held:
		l.Phase = Leaving
		return Cancel | Watch
	case Starting, Running:
		l.Phase = Stopping
		if l.Fault == Healthy {
			return Cancel | Watch
		}
		return Cancel
	default:
		return 0
	}
}

// fail cancels a run that the supervisor finds fault with. One that is being stopped
// already is let be.
func (l *Life) fail(run uint64, fault Fault, applies bool) LifeEffect {
	if run != l.Run || l.Fault != Healthy || !applies {
		return 0
	}
	l.Fault = fault
	return Cancel | Watch
}

func (l *Life) overdue(run uint64) LifeEffect {
	if run != l.Pending() {
		return 0
	}
	switch l.Phase {
	case Starting, Running:
		if l.Fault == Healthy {
			return 0
		}
		l.Phase = Held
		l.Worker++ // the number of the worker that replaces it
		return Abandon | Replace
	case Leaving:
		l.Run++ // the number of the run that never began does not come again
	case Stopping:
	default:
		return 0
	}
	l.Phase = Idle
	l.Worker++
	return Abandon
}

func name[T ~uint8](names []string, v T, kind string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("%s(%d)", kind, uint8(v))
}
