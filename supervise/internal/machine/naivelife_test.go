package machine_test

import "github.com/holdfast-go/holdfast/supervise/internal/machine"

// naiveLife is what the documentation says of a task, as facts about its workers and
// runs. How the task stands follows from them, each time anew.
//
//   - Workers serve it one after another. Each has a number, the next one; so does
//     nobody, who takes the place of a worker that was left behind while it was to stop.
//   - A worker has runs, one after another, until it was asked to stop. Each run has the
//     next number; so does the one that a worker waited for when it was left behind.
//   - A run is cancelled once for a fault, or when it is to stop; if it has not returned in
//     time after that, its worker is left behind. Another one takes its place if the run is
//     not to stop.
//   - What is said about another run or worker than the last one changes nothing.
type naiveLife struct {
	worker naiveWorker
	run    naiveRun
	again  bool
}

type naiveWorker struct {
	number uint32
	here   bool // it came, and has neither ended nor been left behind
	toStop bool
}

type naiveRun struct {
	number      uint64
	worker      uint32
	slow, ready bool
	fault       machine.Fault
	over        bool
}

func (n *naiveLife) underWay() bool {
	return n.serves() && n.run.number > 0 && n.run.worker == n.worker.number && !n.run.over
}

func (n *naiveLife) serves() bool { return n.worker.here }

// waits reports whether a worker waits for its next run.
func (n *naiveLife) waits() bool { return n.serves() && !n.underWay() && !n.worker.toStop }

func (n *naiveLife) phase() machine.Phase {
	switch {
	case !n.serves():
		return machine.Idle
	case n.waits():
		return machine.Held
	case !n.underWay():
		return machine.Leaving
	case n.worker.toStop:
		return machine.Stopping
	case n.run.slow && !n.run.ready:
		return machine.Starting
	}
	return machine.Running
}

func (n *naiveLife) step(in machine.LifeInput) machine.LifeEffect {
	switch in.Kind {
	case machine.Serve:
		n.worker = naiveWorker{number: n.worker.number + 1, here: true}
		n.again = false
		return 0
	case machine.Stop:
		n.again = false
		return n.stop()
	case machine.Renew:
		if n.waits() {
			n.again = true
			return machine.Release
		}
		return n.stop()
	case machine.Cycle:
		if n.underWay() {
			return n.stop()
		}
		return 0
	}
	switch current := in.Worker == n.worker.number; {
	case in.Kind == machine.Begin && (!current || !n.waits()):
		return machine.Quit
	case in.Kind == machine.Return && !current:
		return machine.Late
	case !current:
		return 0
	case in.Kind == machine.Begin:
		n.run = naiveRun{number: n.run.number + 1, worker: n.worker.number, slow: in.Slow}
		n.again = false
		return machine.Call
	case in.Kind == machine.Leave:
		n.worker.here = false
		return 0
	case n.underWay() && in.Run == n.run.number:
		return n.ofTheRun(in.Kind)
	case in.Kind == machine.Overdue && n.phase() == machine.Leaving && in.Run == n.run.number+1:
		n.run = naiveRun{number: in.Run, over: true}
		n.worker = naiveWorker{number: n.worker.number + 1}
		return machine.Abandon
	}
	return 0
}

// ofTheRun takes in what is about the run under way.
func (n *naiveLife) ofTheRun(kind machine.LifeKind) machine.LifeEffect {
	r, w := &n.run, &n.worker
	troubled := r.fault != machine.Healthy || w.toStop
	switch kind {
	case machine.Return:
		r.over = true
		if w.toStop {
			return machine.Quit
		}
		return machine.Settle
	case machine.Ready:
		if !troubled && r.slow && !r.ready {
			r.ready = true
			return machine.Tell
		}
	case machine.Silence:
		if !troubled {
			r.fault = machine.Silent
			return machine.Cancel | machine.Watch
		}
	case machine.Tardy:
		if !troubled && r.slow && !r.ready {
			r.fault = machine.Unready
			return machine.Cancel | machine.Watch
		}
	case machine.Overdue:
		if !troubled {
			return 0
		}
		r.over = true
		replaced := !w.toStop
		*w = naiveWorker{number: w.number + 1, here: replaced}
		if replaced {
			return machine.Abandon | machine.Replace
		}
		return machine.Abandon
	}
	return 0
}

// stop has the worker stop. A run that was cancelled already is watched already.
func (n *naiveLife) stop() machine.LifeEffect {
	switch {
	case !n.serves() || n.worker.toStop:
		return 0
	case n.underWay() && n.run.fault != machine.Healthy:
		n.worker.toStop = true
		return machine.Cancel
	}
	n.worker.toStop = true
	return machine.Cancel | machine.Watch
}
