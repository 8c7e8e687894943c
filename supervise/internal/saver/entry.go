package saver

import (
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// Gate is what is saved: a gate, or one of which more is known. Snapshot is called
// without a lock.
type Gate interface{ Snapshot() gate.Snapshot }

// Entry is a gate, as its store has it. Make one with [Saver.Entry].
// Safe for concurrent use.
type Entry struct {
	saver  *Saver
	key    string
	gate   Gate
	report Report
	number uint64 // in the order in which the saver made them

	// Guarded by the saver's mu.
	phase    phase
	standing standing
	failing  bool          // it is counted in the saver's failing
	calls    uint64        // how often a worker has taken it
	begun    time.Time     // when that was last
	next     *Entry        // the entry of the same key that takes over when this one is no longer busy
	before   []*Entry      // the entries of the same key that were busy when this one was made; nil once it is saved
	ended    chan struct{} // closed when this one is no longer busy; nil if it is not, or if nobody waits for that

	// Owned by the worker while the phase is saving or dirty, and else guarded by mu.
	loaded   bool // revision is known
	revision uint64

	// What may be found in the store of this entry. Its owner sets it, and later entries of
	// the same key may look at it at any time.
	sent     atomic.Pointer[gate.Snapshot] // by the last Save, unless it is known what came of that
	doubtful atomic.Pointer[gate.Snapshot] // by the Save before, if it was not known what had come of that
}

// phase is what an entry is busy with.
type phase uint8

const (
	idle    phase = iota // nothing is to be done
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
	replaced          // by another entry of the key, or dropped: it is saved once more at most
	fenced            // it is never saved again
)

// Entry returns an entry for g, which is saved under key. A key has one entry at a time:
// call [Entry.Drop] on the one before, if there was one, and do not mark it any more.
// What was marked of that is still saved, before the new one. report may be nil. Entry
// never blocks, and may be called under other locks.
func (s *Saver) Entry(key string, g Gate, report Report) *Entry {
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

// replace has e take over from b, which is busy. The entry that was to take over from b
// until now has sent nothing yet, and never will. It is called with mu.
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
	if b.phase == waiting { // for a store that fails, as it will for a Load that waited for this
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
// under other locks, also that of the gate. After Close, or once the entry was fenced,
// dropped or replaced, it does nothing.
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

// Drop is to be called when the task is removed: the gate is not marked any more. What was
// marked is still saved, but if that fails it is not tried again. Otherwise a saver whose
// store fails would keep every task that ever was. Drop never blocks, and may be called
// under other locks.
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

// Fence has the gate never saved again, and reports err, which must not be nil. A Save
// that is under way may still take effect. After Close, or if the entry was fenced or
// dropped already, it does nothing. It never blocks, and may be called under other locks.
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
