package saver

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/supervise/internal/feed"
)

// Close has all saved that is marked and not saved yet, what could not be saved for a
// last time, and ends the saver. It waits for that a second at most. If that is too
// short, and the store was not reported to fail yet, [ErrUnsaved] is reported. Calls of
// the store that have not returned get a context that is done, and their goroutines end
// when they return. Reports that are due come before Close returns, except those that
// block for another 100 ms; none begins later.
//
// Another Close returns when the first one does. From a store or a report Close can be
// called as well, and takes its full time.
func (s *Saver) Close() {
	s.mu.Lock()
	if s.stage != open {
		s.mu.Unlock()
		<-s.ended
		return
	}
	s.stage = closing
	s.retryAll()
	var idle chan struct{}
	if s.workers > 0 {
		idle = make(chan struct{})
		s.idle = idle
	}
	s.mu.Unlock()
	if idle != nil {
		timer := time.NewTimer(closeLimit)
		defer timer.Stop()
		select {
		case <-idle:
		case <-timer.C:
		}
	}
	s.mu.Lock()
	s.abandon()
	s.mu.Unlock()
	s.cancel(errClosed)
	ctx, cancel := context.WithTimeout(context.Background(), reportLimit)
	defer cancel()
	feed.Flush(ctx, s.reports)
	s.silent.Store(true)
	close(s.ended)
}

// abandon ends the saving of all that is still busy. It is called with mu.
func (s *Saver) abandon() {
	var unsaved *Entry
	for _, e := range s.busy {
		if n := e.newest(); n.standing != fenced && (unsaved == nil || n.number < unsaved.number) {
			unsaved = n
		}
		if e.next != nil && e.next.phase == parked {
			e.next.phase = idle
		}
		if !e.isSaving() {
			s.finish(e)
			continue
		}
		if e.ended == nil {
			e.ended = make(chan struct{})
		}
		late.add(e)
	}
	if unsaved != nil {
		s.blame(unsaved, ErrUnsaved)
	}
	s.stage, s.queue = closed, nil
}
