package saver

import "github.com/holdfast-go/holdfast/gate"

// Same is same, for tests.
func Same(a, b *gate.Snapshot) bool { return same(a, b) }

// Kept returns what a saver keeps: entries that are busy, queued or waiting, and
// failures that are counted.
func (s *Saver) Kept() (busy, queue, failing int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.busy), cap(s.queue) + cap(s.waiting), s.failing
}

// KeepsSnapshots reports whether e keeps a snapshot, or an earlier entry.
func (e *Entry) KeepsSnapshots() bool {
	e.saver.mu.Lock()
	defer e.saver.mu.Unlock()
	return e.sent.Load() != nil || e.doubtful.Load() != nil || e.before != nil
}

// Late returns the number of keys that have late entries.
func Late() int {
	late.mu.Lock()
	defer late.mu.Unlock()
	return len(late.at)
}
