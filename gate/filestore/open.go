package filestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Open opens the store in the file at path, and makes one if there is none; the
// folder must be there. It reads through the whole file, so that what is damaged
// is known before anything relies on it. One Store at a time may have the file
// open, in this process or another: if one has, the error is [ErrInUse]. Other
// errors are [ErrForeign], [ErrNewer], [ErrCorrupt] and those of package os.
func Open(path string, opts ...Option) (*Store, error) {
	s := &Store{path: path, maxBatch: defaultMaxBatch}
	for _, opt := range opts {
		opt(s)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, s.fault("create", err)
		}
	}
	if err := s.open(); err != nil {
		return nil, s.fault("open", err)
	}
	s.doubt.Store(true)
	if err := s.settle(); err != nil {
		return nil, s.fault("open", errors.Join(err, s.db.Close()))
	}
	return s, nil
}

// lockTimeout is for systems on which openLocked leaves locking to bbolt. That
// one tries every 50 ms.
const lockTimeout = 100 * time.Millisecond

func (s *Store) open() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w (bbolt panicked: %v)", ErrCorrupt, v)
		}
	}()
	s.db, err = bbolt.Open(s.path, 0o600, &bbolt.Options{
		Timeout:  lockTimeout,
		OpenFile: s.openVerified,
		// Of the free pages no list is kept in the file, which would be one more thing
		// to write each time and to be wrong: what the tree does not use is free.
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
		NoStatistics:   true,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		err = ErrInUse
	}
	return err
}

// openVerified opens the file for bbolt, which does not get it unless it is
// locked and sound.
func (s *Store) openVerified(path string, _ int, mode os.FileMode) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR, mode)
	if err != nil {
		return nil, err
	}
	if err := s.lockAndVerify(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s.file = file
	return file, nil
}

func (s *Store) lockAndVerify(file *os.File) error {
	if err := lock(file); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	_, err = verify(file, info.Size())
	switch {
	case errors.Is(err, errForeign):
		return ErrForeign
	case errors.Is(err, errNewer):
		return fmt.Errorf("%w (%w)", ErrNewer, err)
	case err != nil:
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	return nil
}

// create makes an empty store. It is made under another name and linked when it
// is complete: a process that is killed meanwhile leaves no file at path, or a
// whole one, and of two that do it at once both then open the first.
func create(path string) (err error) {
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(draft.Name())) }()
	if err := draft.Close(); err != nil {
		return err
	}
	if err := initialize(draft.Name()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func initialize(path string) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, NoFreelistSync: true})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		about, err := tx.CreateBucket(aboutBucket)
		if err != nil {
			return err
		}
		_, err = tx.CreateBucket(gatesBucket)
		return errors.Join(err, about.Put(formatKey, formatValue()), about.Put(totalsKey, totals{}.encode()))
	})
	return errors.Join(err, db.Close())
}
