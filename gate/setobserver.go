package gate

import (
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"
)

// outbox holds the transitions of a key that its observers have not seen. It belongs to
// the key and not to the gate, so that a gate that is made anew waits for what is
// under way of the one before. It is in its shard, whose mu guards it, for as long as
// a goroutine delivers: the one whose event found none.
type outbox struct {
	pending []Transition
	from    int // the first one
}

// put adds a transition, unless there are too many.
func (b *outbox) put(t Transition) {
	if len(b.pending)-b.from == maxPending {
		return
	}
	if len(b.pending) == cap(b.pending) {
		b.pending = slices.Delete(b.pending, 0, b.from)
		b.from = 0
	}
	b.pending = append(b.pending, t)
}

// take takes out the first transition.
func (b *outbox) take() (t Transition, ok bool) {
	if b.from == len(b.pending) {
		return t, false
	}
	t, b.pending[b.from] = b.pending[b.from], t
	b.from++
	return t, true
}

// announce is the rest of settle where there are observers, or a policy has panicked.
func (ev event[K]) announce(at time.Time, cause Cause, by By) {
	s, h, e := ev.set, ev.shard, ev.e
	var mine *outbox
	var t Transition
	if after := e.tracker.State(); len(s.observers) > 0 && after != ev.before {
		e.seq++
		t = Transition{ev.before, after, at, cause, nil, by, e.seq}
		if cause == CauseCrash {
			t.Err = e.tracker.log.Err()
		}
		mine = h.enqueue(e.key, t)
	}
	news := h.panicked
	h.panicked = nil
	h.mu.Unlock()
	if mine != nil {
		defer s.deliver(h, e.key, mine, t)
	}
	if news != nil {
		s.handOver(e.key, *news)
	}
}

// enqueue leaves a transition to the goroutine that delivers those of key. If there is
// none it returns an outbox, and the caller is to deliver the transition and then what
// has come into that.
func (h *shard[K]) enqueue(key K, t Transition) *outbox {
	if b := h.outboxes[key]; b != nil {
		b.put(t)
		return nil
	}
	b := h.spare
	h.spare = nil
	if b == nil {
		b = &outbox{}
	}
	if h.outboxes == nil {
		h.outboxes = make(map[K]*outbox)
	}
	h.outboxes[key] = b
	return b
}

// next returns the next transition of key to deliver. If there is none the outbox is
// put away, and the next event delivers by itself.
func (h *shard[K]) next(key K, b *outbox) (Transition, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := b.take()
	if !ok {
		delete(h.outboxes, key)
		*b = outbox{pending: b.pending[:0]}
		if cap(b.pending) <= mostSpare {
			h.spare = b
		}
	}
	return t, ok
}

// mostSpare is how many transitions an outbox may have had room for that is kept.
const mostSpare = 16

// deliver has observers called with t, and with all that has come into the outbox
// since. An observer that calls runtime.Goexit ends its goroutine, but only after that.
func (s *Set[K]) deliver(h *shard[K], key K, b *outbox, t Transition) {
	done := false
	defer func() {
		if done {
			return
		}
		if t, more := h.next(key, b); more {
			s.deliver(h, key, b, t)
		}
	}()
	for more := true; more; t, more = h.next(key, b) {
		s.notify(s.observers, key, t)
	}
	done = true
}

// keyObserver is a function that wants to know of transitions.
type keyObserver[K comparable] struct {
	call func(K, Transition)
	had  atomic.Bool // a panic of it was handed over
}

// notify calls observers one by one, those after one that calls Goexit included.
func (s *Set[K]) notify(observers []*keyObserver[K], key K, t Transition) {
	if len(observers) == 0 {
		return
	}
	defer s.notify(observers[1:], key, t)
	o := observers[0]
	defer func() {
		if v := recover(); v != nil {
			s.userPanicked(&o.had, key, OfObserver, v)
		}
	}()
	o.call(key, t)
}

// policyPanicked is called where a guard has contained a panic of a policy, with the
// shard locked: it is handed over after.
func (h *shard[K]) policyPanicked(had *atomic.Bool, v any) {
	if had.CompareAndSwap(false, true) {
		h.panicked = &Panic{OfPolicy, v, debug.Stack()}
	}
}

// userPanicked hands over a panic, if it is the first one of its source.
func (s *Set[K]) userPanicked(had *atomic.Bool, key K, of string, v any) {
	if had.CompareAndSwap(false, true) {
		s.handOver(key, Panic{of, v, debug.Stack()})
	}
}

func (s *Set[K]) handOver(key K, p Panic) {
	if s.onPanic != nil {
		handOver(func(p Panic) { s.onPanic(key, p) }, p)
	}
}
