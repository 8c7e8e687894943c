package saver

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// verdict is what came of saving a gate.
type verdict uint8

const (
	failed verdict = iota
	saved
	conflicted // with somebody else, for good
)

// save saves a gate as it is. All that it calls of a user's may panic, call Goexit, block,
// or use the saver: no lock is held.
func (s *Saver) save(e *Entry) (v verdict, err error) {
	call := e.calls
	slow := time.AfterFunc(limit, func() { s.slow(e, call) })
	defer slow.Stop()
	defer func() {
		if p := recover(); p != nil {
			v, err = failed, panicked(p)
		}
	}()
	if !e.loaded || e.sent.Load() != nil {
		switch found, err := s.settle(e); {
		case err != nil:
			return failed, err
		case found == foreign:
			return conflicted, gate.ErrConflict
		}
	}
	return s.send(e)
}

// send saves a gate whose revision is known, or thought to be.
func (s *Saver) send(e *Entry) (verdict, error) {
	for tries := 0; ; tries++ {
		snapshot := e.gate.Snapshot()
		before, wanted := s.wants(e)
		if !wanted {
			return failed, errClosed
		}
		e.sent.Store(&snapshot)
		revision, err := s.store.Save(s.ctx, e.key, snapshot, e.revision)
		if err = contained(err); err == nil {
			e.revision = revision
			return saved, nil
		}
		if !errors.Is(err, gate.ErrConflict) {
			return failed, err
		}
		switch found, unknown := s.settle(e); {
		case unknown != nil:
			return failed, unknown
		case found == own:
			return saved, nil
		case found != earlier || tries > len(before):
			return conflicted, err
		}
	}
}

// wants reports whether e is still to be saved, and returns the entries before it.
func (s *Saver) wants(e *Entry) (before []*Entry, wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.before, s.stage != closed && e.standing != fenced
}

// finding is what a Load finds when nobody knows what a Save has done.
type finding uint8

const (
	unchanged finding = iota // what was known to be there
	own                      // what the last Save of the entry sent
	earlier                  // what an earlier Save sent, of this entry or of one before it
	foreign                  // what somebody else saved
)

// settle loads what is saved, and finds out where that comes from. Unless it is foreign,
// the next Save replaces it.
func (s *Saver) settle(e *Entry) (finding, error) {
	there, revision, err := s.store.Load(s.ctx, e.key)
	if err = contained(err); err != nil {
		return foreign, err
	}
	found := foreign
	before, _ := s.wants(e)
	switch sent := e.sent.Load(); {
	case !e.loaded || revision == e.revision:
		found = unchanged
		e.doubtful.Store(sent) // which may take effect yet
	case same(sent, &there):
		found = own
	case e.saved(&there) || slices.ContainsFunc(before, func(b *Entry) bool { return b.saved(&there) }):
		found = earlier
	}
	if found != foreign {
		e.loaded, e.revision = true, revision
	}
	return found, nil
}

// saved reports whether it was e that saved what is there.
func (e *Entry) saved(there *gate.Snapshot) bool {
	return same(e.sent.Load(), there) || same(e.doubtful.Load(), there)
}

// same reports whether what was sent, nil standing for nothing, is what is there.
func same(sent, there *gate.Snapshot) bool {
	if sent == nil || !sent.Until.Equal(there.Until) || !sent.History.Start.Equal(there.History.Start) ||
		!slices.Equal(sent.History.Crashes, there.History.Crashes) {
		return false
	}
	a, b := *sent, *there
	for _, s := range []*gate.Snapshot{&a, &b} {
		s.Until, s.History.Start, s.History.Crashes = time.Time{}, time.Time{}, nil
	}
	return reflect.DeepEqual(a, b)
}
