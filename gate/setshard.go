package gate

import (
	"runtime"
	"sync"
	"weak"
)

// shard is a part of a Set, by the hash of the key.
type shard[K comparable] struct {
	set    *Set[K]
	number int

	mu        sync.Mutex // guards what follows
	gates     map[K]*entry[K]
	ghosts    map[K]ghost[K] // evicted, and perhaps still held by someone
	deadlines queue[K]
}

// ghost is what is left of an evicted gate: a way to find it, as long as there
// is somebody else who keeps it.
type ghost[K comparable] struct {
	entry   weak.Pointer[entry[K]]
	cleanup runtime.Cleanup
}

func (s *shard[K]) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.gates)
}

func (s *shard[K]) all() []*entry[K] {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := make([]*entry[K], 0, len(s.gates))
	for _, e := range s.gates {
		entries = append(entries, e)
	}
	return entries
}

// find returns the entry of key, nil if there is none; entered tells that it had
// been evicted, and has just come back.
func (s *shard[K]) find(key K) (e *entry[K], entered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findLocked(key)
}

func (s *shard[K]) findLocked(key K) (e *entry[K], entered bool) {
	if e := s.gates[key]; e != nil {
		return e, false
	}
	if g, ok := s.ghosts[key]; ok {
		if e := g.entry.Value(); e != nil {
			s.readmitLocked(e)
			return e, true
		}
	}
	return nil, false
}

// add adds e, unless there is an entry of its key by now, and returns the one
// that is in.
func (s *shard[K]) add(e *entry[K]) (in *entry[K], entered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in, entered := s.findLocked(e.key); in != nil {
		return in, entered
	}
	if s.gates == nil {
		s.gates = make(map[K]*entry[K])
	}
	s.gates[e.key] = e
	return e, true
}

// remove takes the entry of key out for good. An evicted one is not to come
// back either, though it does not count as having been there.
func (s *shard[K]) remove(key K) (e *entry[K], was bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, was = s.gates[key], true
	if e == nil {
		g, ok := s.ghosts[key]
		if !ok {
			return nil, false
		}
		g.cleanup.Stop()
		delete(s.ghosts, key)
		if e, was = g.entry.Value(), false; e == nil {
			return nil, false
		}
	}
	e.mark(deleted, true)
	delete(s.gates, key)
	s.unhold(e)
	return e, was
}

// hold enters the deadline of e, if it has one that is not entered.
func (s *shard[K]) hold(e *entry[K]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holdLocked(e)
}

func (s *shard[K]) holdLocked(e *entry[K]) {
	if at := e.deadline(); at < e.due.Load() && !e.is(evicted|deleted) {
		s.enqueue(e, at)
	}
}

func (s *shard[K]) enqueue(e *entry[K], at int64) {
	s.deadlines.put(e, at)
	e.due.Store(at)
	s.publish()
}

func (s *shard[K]) unhold(e *entry[K]) {
	s.deadlines.remove(e)
	e.due.Store(none)
	s.publish()
}

// publish shows the first deadline to Tick.
func (s *shard[K]) publish() {
	first := int64(none)
	if len(s.deadlines.slots) > 0 {
		first = s.deadlines.slots[0].at
	}
	if next := &s.set.next[s.number]; next.Load() != first {
		next.Store(first)
	}
}

// evict takes e out if it is idle and was last used when it was. It reports
// false if the gate is locked, and hence in use.
//
// With the gate locked no event is under way, and the next one will find the
// mark. Until then the entry is a ghost: Get finds it as long as it is
// reachable, so that there never are two gates of one key, and an event brings it
// back by itself.
func (s *shard[K]) evict(e *entry[K], used int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.is(evicted | deleted) {
		return true
	}
	if !e.gate.tryLock() {
		return false
	}
	defer e.gate.unlock()
	if !e.is(isIdle) {
		return true
	}
	if e.used.Load() != used {
		s.set.idle.requeue(e)
		return true
	}
	e.mark(evicted, true)
	s.set.idle.discount(e)
	delete(s.gates, e.key)
	s.unhold(e)
	if s.ghosts == nil {
		s.ghosts = make(map[K]ghost[K])
	}
	s.ghosts[e.key] = ghost[K]{weak.Make(e), runtime.AddCleanup(e, s.bury, e.key)}
	return true
}

// bury forgets an evicted gate that nobody holds any more.
func (s *shard[K]) bury(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g, ok := s.ghosts[key]; ok && g.entry.Value() == nil {
		delete(s.ghosts, key)
	}
}

// readmit takes an evicted entry in again.
func (s *shard[K]) readmit(e *entry[K]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readmitLocked(e)
}

func (s *shard[K]) readmitLocked(e *entry[K]) {
	if !e.is(evicted) || e.is(deleted) {
		return
	}
	s.ghosts[e.key].cleanup.Stop()
	delete(s.ghosts, e.key)
	s.gates[e.key] = e
	e.mark(evicted, false)
}
