package gatetest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
)

// OpenStore opens the store under test. dir is a folder of its own, empty at
// first; a store without a file may use it as a name. When it is opened again in the
// same dir, it must have what was saved there; the one before has been closed, if it
// is an [io.Closer].
type OpenStore func(dir string) (gate.Store, error)

// Store fails t, which goes on, with the error of [CheckStore] if there is one.
// The rules, by name:
//
//	nothing     what was never saved is revision 0, and no error
//	same        a snapshot comes back as it was saved
//	revision    each save has a revision of its own
//	conflict    a save on a revision that is not the current one changes nothing
//	delete      what is deleted is gone, and does not come back by itself
//	keys        no two keys are mixed up
//	copy        what the caller does with a snapshot later has no influence
//	concurrent  of many saves on one revision one wins; other keys are not disturbed
//	context     a call with a done context returns its cause promptly
//	durable     what was saved is there when the store is opened again
//
// Run the test with -race as well: only then are data races found.
func Store(t testing.TB, open OpenStore) {
	t.Helper()
	if err := CheckStore(open); err != nil {
		t.Error(err)
	}
}

// CheckStore returns nil if the store keeps the rules of [gate.Store], or an
// error that joins one for each rule that it breaks. Each names the rule, what
// broke it, and the reason for the rule.
func CheckStore(open OpenStore) error {
	var broken []error
	for _, r := range storeRules {
		if seen := r.checkIn(open); seen != nil {
			broken = append(broken, fmt.Errorf("gatetest: rule %q is broken: %w; %s", r.name, seen, r.reason))
		}
	}
	return errors.Join(broken...)
}

// storeRule is a rule with its reason.
type storeRule struct {
	name, reason string
	check        func(b *bench) error
}

func (r storeRule) checkIn(open OpenStore) (err error) {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{open: open, dir: dir}
	if err := b.reopen(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return r.check(b)
}

// bench has a store on it.
type bench struct {
	gate.Store
	open OpenStore
	dir  string
}

func (b *bench) reopen() error {
	if err := b.close(); err != nil {
		return err
	}
	s, err := b.open(filepath.Join(b.dir, "store"))
	if err != nil {
		return fmt.Errorf("it does not open: %w", err)
	}
	b.Store = s
	return nil
}

func (b *bench) close() error {
	if c, ok := b.Store.(io.Closer); ok {
		b.Store = nil
		if err := c.Close(); err != nil {
			return fmt.Errorf("it does not close: %w", err)
		}
	}
	return nil
}
