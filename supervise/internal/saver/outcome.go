package saver

import "time"

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// done records what came of saving e.
func (s *Saver) done(e *Entry, v verdict, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saving--
	if s.stage == closed {
		late.returned(e, v)
		s.finish(e)
		return
	}
	again := e.phase == dirty
	switch v {
	case saved:
		if e.standing == current {
			e.sent.Store(nil)
			e.doubtful.Store(nil)
			e.before = nil
		}
		s.answered(e)
		s.mend(e)
	case conflicted:
		s.answered(e)
		if e.standing != fenced {
			s.fence(e, err)
		}
		s.mend(e)
	case failed:
		s.blame(e, err)
	}
	switch {
	case e.standing == fenced:
		s.finish(e)
	case v == failed && e.standing == current && s.stage == open:
		e.phase = waiting
		s.waiting = append(s.waiting, e)
		s.arm()
	case again:
		s.enqueue(e)
	default:
		s.finish(e)
	}
}

// slow records that saving e takes too long, if the given call still does.
func (s *Saver) slow(e *Entry, call uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stage != closed && e.isSaving() && e.calls == call {
		s.blame(e, ErrSlow)
	}
}

// What follows is called with mu. Reports are put into their feed under it, and so are
// in the order of what they are about.

func (s *Saver) announce(e *Entry, err error) {
	s.reports.Put(notice{e.report, err, e.standing == fenced})
}

// blame records that e cannot be saved or loaded, and reports it unless the store is
// known to fail. An entry that is tried no more is not counted.
func (s *Saver) blame(e *Entry, err error) {
	e = e.newest()
	if e.failing || e.standing == fenced {
		return
	}
	if e.standing == current {
		e.failing = true
		s.failing++
	}
	if !s.reported {
		s.reported = true
		s.announce(e, err)
	}
}

// mend records that the store has answered at e, and reports it if that is news and no
// other entry fails.
func (s *Saver) mend(e *Entry) {
	e = e.newest()
	s.forgive(e)
	if s.reported && s.failing == 0 {
		s.reported = false
		s.announce(e, nil)
	}
}

// forgive records that e does not fail any more.
func (s *Saver) forgive(e *Entry) {
	if e.failing {
		e.failing = false
		s.failing--
	}
}

// fence ends the saving of e, and reports why.
func (s *Saver) fence(e *Entry, err error) {
	s.forgive(e)
	e.standing = fenced
	s.announce(e, err)
}

// answered records that the store has answered at e. If it did not before, all that
// waits is tried again at once. If it did, only others fail, and perhaps always will: so
// a retry is due soon, but with one of them.
func (s *Saver) answered(e *Entry) {
	s.delay = firstRetry
	switch {
	case e.newest().failing:
		s.retryAll()
	case s.retry != nil && time.Until(s.retryAt) > firstRetry:
		s.disarm()
		s.arm()
	}
}

// retryAll has all saved that waits.
func (s *Saver) retryAll() {
	s.disarm()
	for _, e := range s.waiting {
		if e.phase == waiting {
			s.enqueue(e)
		}
	}
	s.waiting = nil
}

// arm has a retry come, after a while that doubles, if there is something to retry.
// Whatever becomes of that, the next one comes, as long as something waits.
func (s *Saver) arm() {
	if s.retry != nil || len(s.waiting) == 0 || s.stage != open {
		return
	}
	n := s.retries
	s.retry = time.AfterFunc(s.delay, func() { s.retryOne(n) })
	s.retryAt = time.Now().Add(s.delay)
	s.delay = min(2*s.delay, lastRetry)
}

func (s *Saver) disarm() {
	if s.retry != nil {
		s.retry.Stop()
		s.retry = nil
		s.retries++
	}
}

// retryOne has one entry saved that waits, when timer n goes off.
func (s *Saver) retryOne(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n != s.retries {
		return
	}
	s.disarm()
	for len(s.waiting) > 0 {
		e := s.waiting[0]
		s.waiting[0] = nil
		s.waiting = s.waiting[1:]
		if e.phase == waiting {
			s.enqueue(e)
			break
		}
	}
	if len(s.waiting) == 0 {
		s.waiting = nil
	}
	s.arm()
}
