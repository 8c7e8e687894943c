package filestore

import (
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"
)

// bbolt trusts the file that it has mapped into memory. Where somebody changes it, or
// cuts it off, while it is open, bbolt panics or touches memory that is not there any
// more. Both are errors here.

// view is db.View.
func (s *Store) view(f func(*bbolt.Tx) error) error {
	return s.contained(func() error { return s.db.View(f) })
}

// update is db.Update.
func (s *Store) update(f func(*bbolt.Tx) error) error {
	return s.contained(func() error { return s.db.Update(f) })
}

// contained returns a panic of f as an error. bbolt may have kept a lock of its own
// then, so that nothing can be done with the file any more but to open it again.
func (s *Store) contained(f func() error) error {
	if err := s.broken.Load(); err != nil {
		return *err
	}
	panicked, err := contained(f)
	if panicked {
		s.broken.Store(&err)
	}
	return err
}

func contained(f func() error) (panicked bool, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			panicked, err = true, fmt.Errorf("%w (bbolt panicked: %v)", ErrChanged, v)
		}
	}()
	return false, f()
}
