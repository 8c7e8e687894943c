package supervise

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// Event is something that happened to a task. It is one flat value, of which
// each kind fills what applies to it.
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

// ends reports whether it ends a run, or the task, for good: such events are kept when
// others have to be dropped.
func (e Event) ends() bool {
	return e.Last || e.Kind == KindStop || e.Kind == KindGiveUp || e.Kind == KindAbandon || e.Kind == KindReturn
}

// Kind is what an [Event] is about.
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

// Observer is called for what happens to tasks.
//
// Observe is called for the events of one Run in order and one at a time, on a
// goroutine that is not the task's: it may take its time, may use the task and its
// supervisor, and may call their methods. Up to 1024 events, and 8 more for each task,
// wait for an observer that is slow; then the oldest is dropped, and counted in the
// next one's Dropped. Those that end something go last: Stop, GiveUp, Abandon, Return, and
// those with Last set. A panic in Observe is contained and logged once. An observer that
// is given to several tasks is called concurrently.
type Observer interface{ Observe(Event) }

// Enabler is an observer that does not want all events: those of kinds for which
// Enabled returns false cost next to nothing. Enabled is called on the goroutine of the
// task, outside of any lock. It must not block: that holds the task up.
type Enabler interface{ Enabled(Kind) bool }

// Annotator is an observer that makes a context of each crash.
//
// Annotate is called at each crash, on the task's goroutine, before anyone else
// learns of it and before the next run begins; like Enabled it must not block. It is given the
// context of Run and the event, whose own Context is still that of the crash before, and
// returns a context derived from the one it is given, or nil if it has nothing to add:
// that is the Context of the events from this crash to the next, the one that the
// crash is logged with (see [WithLogAttrs]), and [Info.Context] in the runs that follow.
// Of several observers each derives from what the one before it returned. One that is
// given to several tasks must be safe for concurrent use.
type Annotator interface {
	Annotate(ctx context.Context, crash Event) context.Context
}

// ObserverFunc is an adapter that makes an Observer of an ordinary function.
// As safe for concurrent use as the function is.
type ObserverFunc func(Event)

// Observe calls f.
func (f ObserverFunc) Observe(e Event) { f(e) }

// note is what annotators made at a crash.
type note struct{ ctx context.Context }
