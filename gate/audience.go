package gate

import (
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// maxPending bounds the transitions that wait for a slow observer.
const maxPending = 1024

// audience is what waits for a gate's transitions: observers, and callers of Wait.
//
// Transitions are put into pending while the gate is locked, hence in order. They are
// delivered outside that lock by one goroutine at a time, the one whose event found no
// delivery under way. So an observer may use the gate, and an event that it causes is
// delivered after it has returned.
type audience struct {
	// Guarded by the gate's lock.
	wake    chan struct{} // closed at the next transition; nil if nobody waits
	seq     uint64        // of the last transition
	onPanic func(Panic)   // nil for nobody
	policy  panicked      // what the policy panicked with
	opened  Transition    // the last one that opened the gate

	mu         sync.Mutex // guards what follows; taken inside the gate's lock, never around it; nothing else runs under it
	observers  []*observer
	pending    []Transition
	delivering bool
}

type observer struct {
	call  func(Transition)
	after uint64   // the last transition before it came
	panic panicked // owned by the goroutine that delivers
}

// heard returns the gate's audience, which is made if there is none; the gate must
// be locked.
func (g *Gate) heard() *audience {
	if g.audience == nil {
		g.audience = &audience{}
	}
	return g.audience
}

func (a *audience) changed() <-chan struct{} {
	if a.wake == nil {
		a.wake = make(chan struct{})
	}
	return a.wake
}

// OnTransition calls fn at each transition from now on, in order and one at a time,
// until stop is called; stop does not wait for a call that is under way. fn runs on the
// goroutine whose event caused the transition, or on one that is delivering an earlier
// transition, and outside the gate's lock: it may use the gate. Up to 1024 transitions
// wait for a slow fn; further ones are dropped, which leaves a gap in Seq. A panic in fn
// is contained; see [OnPanic]. OnTransition panics if fn is nil.
func (g *Gate) OnTransition(fn func(Transition)) (stop func()) {
	if fn == nil {
		panic("gate: OnTransition: fn is nil; give the function to call")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.heard()
	o := &observer{call: fn, after: a.seq}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.observers = append(slices.Clip(a.observers), o)
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.observers = slices.DeleteFunc(slices.Clone(a.observers), func(x *observer) bool { return x == o })
	}
}

// announce is the rest of settle where there is an audience.
func (g *Gate) announce(before State, at time.Time, cause Cause, by By) {
	a := g.audience
	if after := g.tracker.State(); after != before {
		a.seq++
		t := Transition{before, after, at, cause, nil, by, a.seq}
		if cause == CauseCrash {
			t.Err = g.tracker.log.Err()
		}
		if after.Phase() == Idle {
			a.opened = t
		}
		a.enqueue(t)
		if a.wake != nil {
			close(a.wake)
			a.wake = nil
		}
	}
	news, onPanic := a.policy.take(), a.onPanic
	g.mu.Unlock()
	defer a.deliver(onPanic) // even if onPanic calls runtime.Goexit
	if news != nil {
		handOver(onPanic, *news)
	}
}

// policyPanicked records a panic that the policy's guard has contained, while the
// gate is locked: it is handed over after.
func (g *Gate) policyPanicked(v any) { g.heard().policy.record(OfPolicy, v) }

func (a *audience) enqueue(t Transition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.observers) > 0 && len(a.pending) < maxPending {
		a.pending = append(a.pending, t)
	}
}

// deliver hands over what is pending, unless another goroutine is at it: that
// one will find it. Goexit in an observer leaves what is still pending to the
// next event.
func (a *audience) deliver(onPanic func(Panic)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.delivering {
		return
	}
	a.delivering = true
	defer func() { a.delivering = false }()
	for len(a.pending) > 0 {
		next, observers := a.pending[0], a.observers
		a.pending = slices.Delete(a.pending, 0, 1)
		a.unlocked(func() { notify(observers, next, onPanic) })
	}
}

func (a *audience) unlocked(f func()) {
	a.mu.Unlock()
	defer a.mu.Lock()
	f()
}

// notify calls the observers one by one, those after one that calls Goexit included.
func notify(observers []*observer, t Transition, onPanic func(Panic)) {
	if len(observers) == 0 {
		return
	}
	defer notify(observers[1:], t, onPanic)
	if o := observers[0]; t.Seq > o.after {
		o.notify(t, onPanic)
	}
}

func (o *observer) notify(t Transition, onPanic func(Panic)) {
	defer func() {
		if v := recover(); v != nil {
			o.panic.record(OfObserver, v)
			if news := o.panic.take(); news != nil {
				handOver(onPanic, *news)
			}
		}
	}()
	o.call(t)
}

// Panic is a panic that a gate has contained, in a function that it was given.
type Panic struct {
	Of    string // OfPolicy, OfObserver or OfKey
	Value any
	Stack []byte // of the panic, in the form of debug.Stack
}

// Whose panic it was.
const (
	OfPolicy   = "policy"
	OfObserver = "observer of transitions"
	OfKey      = "choice of a policy by key"
)

// panicked keeps the first panic of a function until it is handed over.
type panicked struct {
	news *Panic
	had  bool
}

func (p *panicked) record(of string, v any) {
	if !p.had {
		p.had, p.news = true, &Panic{of, v, debug.Stack()}
	}
}

func (p *panicked) take() *Panic {
	news := p.news
	p.news = nil
	return news
}

// handOver calls fn with p, and contains a panic of that.
func handOver(fn func(Panic), p Panic) {
	if fn == nil {
		return
	}
	defer func() { _ = recover() }()
	fn(p)
}
