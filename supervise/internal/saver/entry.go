package saver

import (
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// Entry is a gate, as its store has it. Make one with [Saver.Entry].
// Safe for concurrent use.
type Entry struct {
	saver  *Saver
	key    string
	gate   *gate.Gate
	report Report
	number uint64 // in the order in which the saver made them

	// Guarded by the saver's mu.
	phase    phase
	standing standing
	failing  bool          // it is counted in the saver's failing
	calls    uint64        // how often it was taken to be saved: the number of the last time
	begun    time.Time     // that time
	next     *Entry        // of the same key, made while this one was busy; nil when it is not any more
	before   []*Entry      // of the same key, which were busy when this one was made, until it is saved
	ended    chan struct{} // closed when it is not busy any more; nil if it is not, or nobody may want to know

	// Owned by the worker while the phase is saving or dirty, and else guarded by mu.
	loaded   bool // revision is known
	revision uint64
	doubtful *gate.Snapshot // what the Save before sent, if that failed and did not save until now

	// sent is what the last Save was to save, as long as it may be news to somebody: to
	// this entry because it failed, or to a later one of the same key.
	sent atomic.Pointer[gate.Snapshot]
}

// phase is what an entry is busy with.
type phase uint8

const (
	idle    phase = iota // it is saved, or never was marked, or could not be saved at the end
	queued               // it is in the saver's queue
	saving               // a worker has it
	dirty                // a worker has it, and it was marked since
	waiting              // it could not be saved, and is in the saver's waiting
	parked               // it is to be saved when the older entry of its key is done
)

// standing says for how long an entry is saved.
type standing uint8

const (
	current  standing = iota
	replaced          // by another of the same key, or dropped: what was marked before is tried once more
	fenced            // it is not saved any more
)

// Entry returns an entry for g, which is saved under key. There should be one for each
// key: where there was one before, for a task that was removed perhaps, what was marked
// of that is saved first, and it must not be marked any more. report may be nil. It does
// not block, and may be called under other locks.
func (s *Saver) Entry(key string, g *gate.Gate, report Report) *Entry {
	e := &Entry{saver: s, key: key, gate: g, report: report, before: late.of(s, key)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries++
	e.number = s.entries
	if b := s.busy[key]; b != nil {
		s.replace(b, e)
	}
	return e
}

// replace has e take over from b, which is busy, and from the entry that was to take
// over from b until now, which has sent nothing yet and never will. It is called with mu.
func (s *Saver) replace(b, e *Entry) {
	if b.next != nil {
		s.succeed(b.next, e)
	}
	s.succeed(b, e)
	b.next = e
	if b.ended == nil {
		b.ended = make(chan struct{})
	}
	e.before = append(e.before, b)
	if b.phase == waiting { // for a store that fails: the next Load will fare no better
		s.finish(b)
	}
}

// succeed has e stand in for old, also among those that fail. It is called with mu.
func (s *Saver) succeed(old, e *Entry) {
	if old.standing == current {
		old.standing = replaced
	}
	if old.phase == parked {
		old.phase = idle
	}
	if !old.failing {
		return
	}
	s.forgive(old)
	if !e.failing {
		e.failing = true
		s.failing++
	}
}

// newest returns the entry that stands for e. It is called with mu.
func (e *Entry) newest() *Entry {
	if e.standing == replaced && e.next != nil {
		return e.next
	}
	return e
}

// Mark has the gate saved as it is now, or later. It never blocks, and may be called
// under other locks. After Close, or once the entry is fenced, it does nothing.
func (e *Entry) Mark() {
	s := e.saver
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stage == closed || e.standing != current:
	case e.phase == saving:
		e.phase = dirty
	case e.phase == idle:
		s.enqueue(e)
	}
}

// Drop says that nobody marks the gate any more, since its task was removed. What was
// marked is saved still, but if that fails it is not tried again: otherwise a store that
// fails would have the saver keep all tasks there ever were. It never blocks.
func (e *Entry) Drop() {
	s := e.saver
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stage == closed || e.standing != current {
		return
	}
	e.standing = replaced
	s.forgive(e)
	if e.phase == waiting {
		s.finish(e)
	}
}

// Fence ends the saving of the gate, and reports err, which must not be nil. A Save that
// is under way may still take effect. If the entry is fenced already, or after Close, it
// does nothing. It never blocks.
func (e *Entry) Fence(err error) {
	s := e.saver
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stage == closed || e.standing != current {
		return
	}
	s.fence(e, err)
	if e.phase == queued || e.phase == waiting || e.phase == parked {
		s.finish(e)
	}
}

// isSaving reports whether a worker has e. It is called with mu.
func (e *Entry) isSaving() bool { return e.phase == saving || e.phase == dirty }
