package machine

// Do is a kind of effect.
type Do uint8

const (
	// Start a worker for the task, which has Serial.
	Start Do = iota
	// Halt the worker of the task; Why says for what.
	Halt
	// RenewWorker has the worker of the task begin a new run now. Serial is that of the wish.
	RenewWorker
	// Pardon the task if its policy gave up: an operator wants it to start, from a clean
	// slate then.
	Pardon
	// Close the story of a task that crashed, and is not to run again.
	Close
	// Rested is a task that has ended for good, as far as the supervisor knows.
	Rested
	// Forget the task, which has ended for good.
	Forget
	// Settled is a supervisor whose tasks are all up, for the first time since Open.
	Settled
	// Begun is the beginning of the stop of all tasks; Why says for what.
	Begun
	// Finish Run. No task is served any more.
	Finish
)

var dos = [...]string{"start", "halt", "renew", "pardon", "close the story of", "rested", "forget", "settled", "begun to stop all", "finish"}

// String returns the effect in words.
func (d Do) String() string { return name(dos[:], d, "effect") }

// Why says for what a worker is halted, or all are.
type Why uint8

const (
	// Asked by an operator.
	Asked Why = iota
	// ForGroup is to be restarted with a task that crashed.
	ForGroup
	// ForShutdown of the supervisor.
	ForShutdown
	// ForGiveUp of a task.
	ForGiveUp
	// ForCompletion of a significant task.
	ForCompletion
	// ForAbandoned runs, of which there are too many.
	ForAbandoned
)

var whys = [...]string{"as asked", "for its group", "for shutdown", "for the give-up of", "for the completion of", "for abandoned runs"}

// String returns the reason in words.
func (w Why) String() string { return name(whys[:], w, "why") }

// Effect is one thing to be done. The effects of all steps are to be done in order.
type Effect struct {
	Do     Do
	Why    Why
	Index  int
	Serial uint32
}
