package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/holdfast-go/holdfast/gate"
)

// Errors of [Open], to errors.Is, and ErrChanged of the others. Their texts say what to
// do. The file is left as it was.
var (
	ErrInUse   = errors.New("it is in use by another process; stop that one, or give each a file of its own")
	ErrForeign = errors.New("it is not a store of gates; give another path, or move it away")
	ErrNewer   = errors.New("it was written by a newer version of this program; run that one, or move the file away to begin with fresh gates")
	ErrChanged = errors.New("it was changed by somebody else while it was open; stop them and open it again")
	ErrCorrupt = errors.New("it is damaged; bring it back from a backup, or move it away to begin with fresh gates")
)

// maxKey is the longest key that bbolt takes.
const maxKey = bbolt.MaxKeySize

// Store is a [gate.Store] in a file. Instants come back in UTC. An error such as
// that of a full disk concerns the Save that got it: it may be tried again, and
// succeeds when there is space, once Load has told the revision. Make one with
// [Open]. Safe for concurrent use.
type Store struct {
	db       *bbolt.DB
	path     string
	maxBatch int

	// given is the last revision that was given, to a Save that failed perhaps. It
	// belongs to who commits, which is whoever has set busy.
	given uint64
	// file is what db has open, and broken why nothing can be done with it any more.
	file     *os.File
	broken   atomic.Pointer[error]
	unlocked atomic.Bool // by Close, since it is broken
	// doubt is set while nobody knows what the disk has: see commit.
	doubt atomic.Bool

	mu    sync.Mutex // guards what follows
	queue []*request
	busy  bool
}

// Option is an option of [Open]. Safe for concurrent use.
type Option func(*Store)

// defaultMaxBatch bounds how long the first of a batch waits for the others.
const defaultMaxBatch = 1024

// WithMaxBatch bounds how many saves share one sync of the disk. 1 has each
// synced by itself. Defaults to 1024. It panics if n is below 1.
func WithMaxBatch(n int) Option {
	if n < 1 {
		panic(fmt.Sprintf("filestore: WithMaxBatch: n (%d) is below 1; 1 syncs each save by itself", n))
	}
	return func(s *Store) { s.maxBatch = n }
}

// Close closes the file. Saves under way end first, later calls return
// [fs.ErrClosed], to errors.Is. It may be called more than once.
func (s *Store) Close() error {
	if s.broken.Load() != nil {
		if s.unlocked.Swap(true) {
			return nil
		}
		// db may wait forever for a lock of its own. What it has mapped stays so.
		return s.fault("close", errors.Join(unlock(s.file), s.file.Close()))
	}
	return s.fault("close", s.db.Close())
}

// Load is as [gate.Store] has it.
func (s *Store) Load(ctx context.Context, key string) (saved gate.Snapshot, revision uint64, err error) {
	if err := check(ctx, key); err != nil {
		return gate.Snapshot{}, 0, err
	}
	if err := s.certain(ctx); err != nil {
		return gate.Snapshot{}, 0, s.fault("load", err)
	}
	err = s.view(func(tx *bbolt.Tx) error {
		value := tx.Bucket(gatesBucket).Get([]byte(key))
		if value == nil {
			return nil
		}
		revision, saved, err = decode(value)
		return err
	})
	return saved, revision, s.fault("load", err)
}

// certain returns once what can be loaded is what the disk has.
func (s *Store) certain(ctx context.Context) error {
	if !s.doubt.Load() {
		return nil
	}
	return s.submit(ctx, &request{turn: make(chan bool, 1)}) // of which the commit settles it
}

// Save is as [gate.Store] has it. A ctx that is done withdraws it as long as it
// waits for its turn; once it is being written it waits for the disk.
func (s *Store) Save(ctx context.Context, key string, snapshot gate.Snapshot, revision uint64) (uint64, error) {
	if err := check(ctx, key); err != nil {
		return 0, err
	}
	r := &request{key: []byte(key), value: encode(0, snapshot), revision: revision, turn: make(chan bool, 1)}
	err := s.submit(ctx, r)
	return r.given, s.fault("save", err)
}

// Delete is as [gate.Store] has it, and waits as Save does.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	return s.fault("delete", s.submit(ctx, &request{key: []byte(key), turn: make(chan bool, 1)}))
}

func check(ctx context.Context, key string) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case key == "":
		return errors.New("filestore: the key is empty; give the path of the task")
	case len(key) > maxKey:
		return fmt.Errorf("filestore: the key has %d bytes, more than %d; shorten it", len(key), maxKey)
	}
	return nil
}

// fault is err with what it happened to.
func (s *Store) fault(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		err = fs.ErrClosed
	}
	return fmt.Errorf("filestore: %s %s: %w", doing, s.path, err)
}

// Entry is what is saved under one key. Safe for concurrent use.
type Entry struct {
	Key      string
	Snapshot gate.Snapshot
	Revision uint64
}

// All returns all that is saved, in the order of the keys, for a process that
// begins. The last one comes with an error if there is one, and is then empty.
// What is saved or deleted meanwhile may be among it or not; the loop may use
// the Store.
func (s *Store) All(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var page []Entry
		for from, more := []byte(nil), true; more; {
			var err error
			if page, from, err = s.page(ctx, page[:0], from); err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			more = from != nil
		}
	}
}

// pageSize bounds the entries that All holds at a time. It holds no transaction
// while the loop runs: a Save in it might wait for that one's end.
const pageSize = 1024

// page appends the entries from key from on, and returns where the next begin,
// nil at the end.
func (s *Store) page(ctx context.Context, page []Entry, from []byte) (_ []Entry, next []byte, err error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if err := s.certain(ctx); err != nil {
		return nil, nil, s.fault("load", err)
	}
	err = s.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(gatesBucket).Cursor()
		for key, value := c.Seek(from); key != nil; key, value = c.Next() {
			if len(page) == pageSize {
				next = append(next, key...)
				return nil
			}
			revision, snapshot, err := decode(value)
			if err != nil {
				return fmt.Errorf("%q: %w", key, err)
			}
			page = append(page, Entry{string(key), snapshot, revision})
		}
		return nil
	})
	return page, next, s.fault("load", err)
}
