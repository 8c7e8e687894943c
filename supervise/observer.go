package supervise

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// Event is something that happened to a task. It is one flat value, of which
// each kind fills what applies to it. Safe for concurrent use.
type Event struct {
	Kind     Kind
	Task     string        // its name
	Run      uint64        // the number of its run, from 1; of the last one, while held
	At       time.Time     // when it happened
	Ran      time.Duration // how long the run lasted: Crash, Exit, Stop
	Err      error         // what the run ended with: Crash, GiveUp, Stop; an *AbandonedError: Abandon; the panic: Fault; why: Store
	Streak   int           // crashes since the slate was last clean: Crash
	State    gate.State    // of the gate, after it: Crash, Exit; the hold that ended: Release
	Forced   bool          // the hold was ended before its time: Release
	Last     bool          // no run follows: Crash of a task with Once, Exit of one without Always
	By       gate.By       // who forced it, and why: Release, Stop, Start
	Injected bool          // a fault was injected into the run on purpose, see package supervisetest: Crash, Exit, Abandon, GiveUp
	Dropped  uint64        // events that this observer missed before this one, being too slow

	task *Task
	note *note
}

// Context returns the context that an observer's Annotate made at the last crash
// of the task, or context.Background() if none did.
func (e Event) Context() context.Context {
	if e.note == nil {
		return context.Background()
	}
	return e.note.ctx
}

// Key identifies the task among others of the same name. It is comparable, and
// means nothing else. Whoever keeps it keeps the task in memory.
func (e Event) Key() any { return e.task }

// ends reports whether it may be the last event of the task.
func (e Event) ends() bool { return e.Last || e.Kind == KindStop || e.Kind == KindGiveUp }

// Kind is what an [Event] tells. Safe for concurrent use.
type Kind uint8

// The kinds of events.
const (
	KindStart   Kind = iota + 1 // a run began
	KindCrash                   // a run ended in a crash
	KindExit                    // a run ended cleanly
	KindRelease                 // a hold ended; a start follows
	KindGiveUp                  // the policy gave up; the task has ended
	KindStop                    // the task was stopped, in a run or between two; it has ended, unless it is started again
	KindAbandon                 // a run did not end though asked to
	KindReturn                  // a run that was abandoned has ended
	KindFault                   // the task's policy panicked, and is replaced by the default one where it does; told once
	KindWait                    // the task has waited for ten seconds; Err says for what
	KindStore                   // the store of WithStore fails, or with a nil Err works again; the task is the one where it was seen
)

var kinds = [...]string{KindStart: "start", KindCrash: "crash", KindExit: "exit",
	KindRelease: "release", KindGiveUp: "give up", KindStop: "stop", KindAbandon: "abandon", KindReturn: "return", KindFault: "fault", KindWait: "wait", KindStore: "store"}

// String returns the kind in words, such as "crash".
func (k Kind) String() string {
	if int(k) < len(kinds) && kinds[k] != "" {
		return kinds[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Observer is told what happens to tasks.
//
// Observe is called for the events of one Run in order and one at a time, on a
// goroutine that is not the task's: it may take its time, and may use the task's
// gate. Up to 1024 events and 8 a task are kept for an observer that is slow;
// further ones are dropped and counted in the next one's Dropped, but never one
// that may be the last of its task: Stop, GiveUp, and those with Last set. A panic
// in it is contained and reported once through slog. An observer that is given to
// several tasks is called concurrently.
//
// If it also has a method Enabled(Kind) bool, events of kinds for which that
// returns false cost next to nothing. Enabled is called on the goroutine of the
// task or its supervisor; it must not block, nor call the methods of either.
//
// If it also has a method Annotate(context.Context, Event) context.Context, that
// is called at each crash, on the task's goroutine, before anyone is told of it
// and before the next run begins. It is given the context of Run and the event,
// whose own Context is still that of the crash before, and returns a context
// derived from the one it is given, or nil if it has nothing to add: it is the
// Context of the events from this crash to the next, the one that the crash is
// logged with (see [WithLogAttrs]), and [Info.Context] in the runs that follow. Of
// several observers each derives from what the one before it returned. What is said
// of Enabled is so for Annotate. One that is given to several tasks must be safe for
// concurrent use.
type Observer interface{ Observe(Event) }

// ObserverFunc is an adapter that makes an Observer of an ordinary function.
// As safe for concurrent use as the function is.
type ObserverFunc func(Event)

// Observe calls f.
func (f ObserverFunc) Observe(e Event) { f(e) }
