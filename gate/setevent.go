package gate

import (
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// event is something that happens to a gate. Its shard is locked from begin, or find,
// to settle, which is deferred, since a policy may end the goroutine.
type event[K comparable] struct {
	set    *Set[K]
	shard  *shard[K]
	e      *entry[K]
	before State
	made   bool // the gate is new
}

// begin begins an event at key, whose gate is made if there is none.
func (s *Set[K]) begin(key K) event[K] {
	h, hash := s.locate(key)
	h.mu.Lock()
	if e := h.gates.get(hash, key); e != nil {
		return event[K]{s, h, e, e.tracker.State(), false}
	}
	if s.policyFor == nil {
		e := h.create(hash, key)
		e.tracker.use(h.policy, nil)
		return event[K]{s, h, e, State{}, true}
	}
	h.mu.Unlock()
	p := s.chosen(key)
	h.mu.Lock()
	if e := h.gates.get(hash, key); e != nil { // made meanwhile
		return event[K]{s, h, e, e.tracker.State(), false}
	}
	e := h.create(hash, key)
	if p == nil {
		e.tracker.use(h.policy, nil)
	} else {
		e.tracker.use(p, func(v any) { h.policyPanicked(&s.had.chosen, v) })
	}
	return event[K]{s, h, e, State{}, true}
}

// chosen is policyFor(key), contained.
func (s *Set[K]) chosen(key K) (p policy.Policy) {
	defer func() {
		if v := recover(); v != nil {
			p = nil
			s.userPanicked(&s.had.choice, key, OfKey, v)
		}
	}()
	return s.policyFor(key)
}

// settle ends an event: it brings the shard in line with the gate, unlocks it, and
// then calls those who want to know.
func (ev event[K]) settle(at time.Time, cause Cause, by By) {
	s, h, e := ev.set, ev.shard, ev.e
	s.expect(h, e, ev.before)
	if h.idle != nil {
		h.idle.use(e)
		for x := h.idle.excess(); x != nil; x = h.idle.excess() {
			h.remove(x)
		}
	}
	if len(s.observers) == 0 && h.panicked == nil {
		h.mu.Unlock()
		return
	}
	ev.announce(at, cause, by)
}

// ObserveStart records that the task of key was started; see [Tracker.ObserveStart].
func (s *Set[K]) ObserveStart(key K, now time.Time) {
	ev := s.begin(key)
	defer ev.settle(now, CauseStart, By{})
	ev.e.tracker.ObserveStart(now)
}

// TryStart starts the task of key if it may start, and reports whether it did: of many
// callers at once one gets true. See [Tracker.TryStart].
func (s *Set[K]) TryStart(key K, now time.Time) bool {
	ev := s.begin(key)
	if t := &ev.e.tracker; t.log.Running() || !t.Admissible(now) {
		ev.shard.mu.Unlock()
		return false
	}
	defer ev.settle(now, CauseStart, By{})
	return ev.e.tracker.TryStart(now)
}

// ObserveCrash records that the task of key crashed, and returns the state that
// follows; see [Tracker.ObserveCrash].
func (s *Set[K]) ObserveCrash(key K, now time.Time, err error) State {
	ev := s.begin(key)
	defer ev.settle(now, CauseCrash, By{})
	return ev.e.tracker.ObserveCrash(now, err)
}

// ObserveCleanExit records that the task of key ended without an error and is not to
// be restarted; see [Tracker.ObserveCleanExit].
func (s *Set[K]) ObserveCleanExit(key K, now time.Time) State {
	ev := s.begin(key)
	defer ev.settle(now, CauseCleanExit, By{})
	return ev.e.tracker.ObserveCleanExit(now)
}

// ObserveRestart records that the task of key ended without an error and is to be
// restarted; see [Tracker.ObserveRestart].
func (s *Set[K]) ObserveRestart(key K, now time.Time) State {
	ev := s.begin(key)
	defer ev.settle(now, CauseCleanExit, By{})
	return ev.e.tracker.ObserveRestart(now)
}

// Pause holds the gate of key until it is opened by hand, and reports whether it was
// not paused already; see [Tracker.Pause]. The first of by says who wants it, and why.
func (s *Set[K]) Pause(key K, by ...By) bool {
	ev := s.begin(key)
	defer ev.settle(time.Now(), CausePause, first(by))
	return ev.e.tracker.Pause(by...)
}

// MaybeRelease opens the gate of key if its hold is over at now, and reports whether it
// did: of many callers, and of [Set.Tick], one gets it.
func (s *Set[K]) MaybeRelease(key K, now time.Time) bool {
	h, e := s.find(key)
	if e == nil {
		h.mu.Unlock()
		return false
	}
	return s.maybeRelease(h, e, now)
}

func (s *Set[K]) maybeRelease(h *shard[K], e *entry[K], now time.Time) bool {
	before := e.tracker.State()
	if !e.tracker.MaybeRelease(now) {
		h.mu.Unlock()
		return false
	}
	event[K]{s, h, e, before, false}.settle(now, CauseElapsed, By{})
	return true
}

// ForceRelease opens the gate of key and wipes the slate, from any phase, and reports
// whether it was held; see [Tracker.ForceRelease]. The first of by says who wants it,
// and why.
func (s *Set[K]) ForceRelease(key K, by ...By) bool {
	h, e := s.find(key)
	if e == nil {
		h.mu.Unlock()
		return false
	}
	defer event[K]{s, h, e, e.tracker.State(), false}.settle(time.Now(), CauseForce, first(by))
	return e.tracker.ForceRelease(by...)
}

// Probe opens the gate of key for a run, from any phase, and keeps the slate, and
// reports whether it was held; see [Tracker.Probe]. The first of by says who wants it,
// and why.
func (s *Set[K]) Probe(key K, by ...By) bool {
	h, e := s.find(key)
	if e == nil {
		h.mu.Unlock()
		return false
	}
	defer event[K]{s, h, e, e.tracker.State(), false}.settle(time.Now(), CauseProbe, first(by))
	return e.tracker.Probe(by...)
}
