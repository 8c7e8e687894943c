package gate

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Transition is a change of a gate's state. Safe for concurrent use.
type Transition struct {
	From, To State
	At       time.Time // as the event that caused it was told
	Cause    Cause
	Err      error  // of the crash, with CauseCrash
	Seq      uint64 // 1, 2, 3 …; a gap tells that transitions were dropped
}

// Cause is the event that changed a state. Safe for concurrent use.
type Cause uint8

// The causes of transitions.
const (
	CauseCrash     Cause = iota + 1 // the task crashed
	CauseCleanExit                  // the task ended without an error
	CauseStart                      // the task was started
	CauseElapsed                    // the hold was over
	CauseForce                      // an operator released the gate
	CauseRestore                    // a saved state was restored
)

var causes = [...]string{CauseCrash: "crash", CauseCleanExit: "clean exit", CauseStart: "start",
	CauseElapsed: "elapsed", CauseForce: "force release", CauseRestore: "restore"}

// String returns the cause in words, such as "force release".
func (c Cause) String() string {
	if int(c) < len(causes) && causes[c] != "" {
		return causes[c]
	}
	return fmt.Sprintf("cause(%d)", uint8(c))
}

// maxPending bounds the transitions that wait for a slow observer.
const maxPending = 1024

// listeners are those who want to know of a gate's transitions.
//
// Transitions enter pending while the gate is locked, hence in order. They are
// delivered outside that lock by one goroutine at a time, the one whose event
// found nobody delivering; so an observer may use the gate, and an event that it
// causes is delivered after it has returned.
type listeners struct {
	// Owned by whoever has locked the gate.
	wake     chan struct{} // closed at the next transition; nil if nobody waits
	seq      uint64        // of the last transition
	panicked any           // what the policy panicked with, to be reported
	reported bool          // and whether one was

	mu         sync.Mutex // guards what follows; taken inside the gate's lock, never around it
	observers  []*observer
	pending    []Transition
	delivering bool
}

type observer struct {
	call     func(Transition)
	after    uint64 // the last transition before it came
	reported bool   // that it panics; owned by who delivers
}

// audience is who is to know of a gate's events.
type audience struct {
	member    member     // of a Set; nil if the gate is in none
	listeners *listeners // nil until someone waits or observes
}

// listening returns the gate's listeners; the gate must be locked.
func (g *Gate) listening() *listeners {
	switch {
	case g.audience == nil:
		both := &struct {
			audience
			listeners
		}{}
		both.audience.listeners = &both.listeners
		g.audience = &both.audience
	case g.audience.listeners == nil:
		g.audience.listeners = &listeners{}
	}
	return g.audience.listeners
}

func (l *listeners) changed() <-chan struct{} {
	if l.wake == nil {
		l.wake = make(chan struct{})
	}
	return l.wake
}

// OnTransition has fn called at each transition from now on, in order and one
// at a time, until stop is called; a call under way then may still end. fn runs
// on the goroutine whose event caused the transition, or on one that is just
// delivering an earlier one, outside the gate's lock: it may use the gate. While
// it takes its time up to 1024 transitions are kept for it; further ones are
// dropped, which leaves a gap in Seq. A panic in fn is contained and reported
// once through slog. A nil fn panics here.
func (g *Gate) OnTransition(fn func(Transition)) (stop func()) {
	if fn == nil {
		panic("gate: OnTransition: fn is nil; give the function to call")
	}
	g.lock()
	defer g.unlock()
	l := g.listening()
	o := &observer{call: fn, after: l.seq}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observers = append(slices.Clip(l.observers), o)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.observers = slices.DeleteFunc(slices.Clone(l.observers), func(x *observer) bool { return x == o })
	}
}

// announce is unlockAfter where there is an audience. The Set comes first, so
// that an observer finds it in order.
func (g *Gate) announce(before word, at time.Time, cause Cause) {
	m := g.audience.member
	if m != nil {
		m.enter(g.tracker.word != before)
	}
	l := g.audience.listeners
	if l == nil {
		g.unlock()
		m.settle()
		return
	}
	l.take(&g.tracker, before, at, cause)
	panicked := l.panicked
	l.panicked = nil
	g.unlock()
	if m != nil {
		m.settle()
	}
	if panicked != nil {
		reportPolicyPanic(panicked)
	}
	l.deliver()
}

// take makes a transition of the change from before to what t holds, if there
// was one, and wakes those who wait; the gate is locked.
func (l *listeners) take(t *Tracker, before word, at time.Time, cause Cause) {
	if t.word == before {
		return
	}
	l.seq++
	change := Transition{before.state(&t.history), t.word.state(&t.history), at, cause, nil, l.seq}
	if cause == CauseCrash {
		change.Err = t.history.Err()
	}
	l.enqueue(change)
	if l.wake != nil {
		close(l.wake)
		l.wake = nil
	}
}

func reportPolicyPanic(panicked any) {
	slog.Error("gate: a policy panicked; its decisions are replaced by the default policy's", "panic", panicked)
}

// policyPanicked takes note of a panic that the policy's guard has contained,
// while the gate is locked: it is reported after.
func (g *Gate) policyPanicked(v any) {
	if l := g.listening(); !l.reported {
		l.panicked, l.reported = v, true
	}
}

func (l *listeners) enqueue(t Transition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.observers) > 0 && len(l.pending) < maxPending {
		l.pending = append(l.pending, t)
	}
}

// deliver hands over what is pending, unless another goroutine is at it: that
// one will find it. Goexit in an observer leaves what is still pending to the
// next event.
func (l *listeners) deliver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.delivering {
		return
	}
	l.delivering = true
	defer func() { l.delivering = false }()
	for len(l.pending) > 0 {
		next, observers := l.pending[0], l.observers
		l.pending = slices.Delete(l.pending, 0, 1)
		l.unlocked(func() { notify(observers, next) })
	}
}

func (l *listeners) unlocked(f func()) {
	l.mu.Unlock()
	defer l.mu.Lock()
	f()
}

// notify tells the observers one by one, those after one that calls Goexit
// included.
func notify(observers []*observer, t Transition) {
	if len(observers) == 0 {
		return
	}
	defer notify(observers[1:], t)
	if o := observers[0]; t.Seq > o.after {
		o.notify(t)
	}
}

func (o *observer) notify(t Transition) {
	defer func() {
		if v := recover(); v != nil && !o.reported {
			o.reported = true
			reportObserverPanic(v)
		}
	}()
	o.call(t)
}

func reportObserverPanic(panicked any) {
	slog.Error("gate: an observer of transitions panicked; it stays, this is reported once", "panic", panicked)
}
