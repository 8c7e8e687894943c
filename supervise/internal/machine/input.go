package machine

// Kind is what has happened to a supervisor, or to the task of an index.
type Kind uint8

const (
	// Open is the beginning of Run.
	Open Kind = iota
	// Shutdown is the wish that all tasks stop.
	Shutdown
	// Crashed is a task that crashed, and whose worker waits at the gate. It changes
	// nothing under OneForOne.
	Crashed
	// Ended is the end of the worker of a task; End says how it ended.
	Ended
	// IsReady is a worker that is ready; Serial says which.
	IsReady
	// Left is a run of a task that was abandoned. If no other worker took the place of its
	// worker, Ended follows.
	Left
	// Returned is the end of a run that was abandoned.
	Returned
	// StopTask is the wish of an operator that a task stops.
	StopTask
	// RenewTask is the wish of an operator that a task is started anew. With a Serial it
	// is the wish of a RenewWorker that found no worker.
	RenewTask
	// RemoveTask is the wish of an operator that a task stops and is forgotten.
	RemoveTask
)

var kinds = [...]string{"open", "shutdown", "crashed", "ended", "ready", "left", "returned", "stop", "renew", "remove"}

// String returns the kind in words.
func (k Kind) String() string { return name(kinds[:], k, "input") }

// Input is one thing that happened.
type Input struct {
	Kind   Kind
	End    End
	Index  int
	Serial uint32
}

// End is how a worker has ended.
type End uint8

const (
	// Stopped as it was asked to.
	Stopped End = iota
	// Renewed to be started again, as an operator wants.
	Renewed
	// Opened after a crash: its hold is over, and its group is to be started.
	Opened
	// Completed by a clean exit.
	Completed
	// Failed by a crash after which no run follows.
	Failed
	// GaveUp as its policy did.
	GaveUp
)

var ends = [...]string{"stopped", "renewed", "opened", "completed", "failed", "gave up"}

// String returns the end in words.
func (e End) String() string { return name(ends[:], e, "end") }

// byItself reports whether the worker ended neither because it was asked to, nor to be
// started again.
func (e End) byItself() bool { return e >= Completed }
