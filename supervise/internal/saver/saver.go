package saver

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/feed"
)

const (
	maxSaves    = 16                     // at once, which a store that syncs a disk can do together
	limit       = 5 * time.Second        // after which a store counts as failing
	closeLimit  = time.Second            // for what Close saves
	awaitLimit  = limit - closeLimit     // for a save that a Load waits for: it has some time left itself
	reportLimit = 100 * time.Millisecond // for reports that are under way when Close has saved
)

// Errors of the store that it does not return itself.
var (
	ErrSlow    = errors.New("supervise: the store has not answered for 5s")
	ErrGoexit  = errors.New("supervise: the store called runtime.Goexit")
	ErrUnsaved = errors.New("supervise: the store took more than a second at the end; what happened last may not be saved")
)

// errClosed is the cause of the end of all calls that Close leaves behind.
var errClosed = errors.New("supervise: the run is over")

// Report receives the error when the store begins to fail, nil when all gates of the
// saver are saved again, and the error for which its own gate was fenced. The first two
// are about the whole saver, and go to the entry where it was noticed. All reports of a
// saver come in order, one at a time, outside of locks, on a goroutine that lives as long
// as there are any. A panic in a report is ignored. While one blocks up to 1024 others are
// kept.
type Report func(err error)

// Saver saves the gates of one life of a supervisor or task. Make one with [New].
// Safe for concurrent use.
type Saver struct {
	store      gate.Store
	comparable bool            // the store is, and so can be recognized
	ctx        context.Context // of all Saves
	cancel     context.CancelCauseFunc
	reports    *feed.Feed[notice]
	silent     atomic.Bool // nothing is reported any more

	// mu guards what follows, and those fields of the entries that say so. It may be taken
	// under any lock of the caller's. Under it only the lock of reports and the one of
	// late may be taken, which are leaves. No code of a user's runs under it: no store,
	// no gate, no report, no method of an error.
	mu       sync.Mutex
	stage    stage
	entries  uint64            // made so far
	busy     map[string]*Entry // by key, the one entry that is queued, saving, dirty or waiting
	queue    []*Entry          // to be saved, in order; entries that are no longer queued are skipped
	waiting  []*Entry          // for a retry; entries that no longer wait are skipped
	retry    *time.Timer       // not nil as long as there is something in waiting, until closing
	retryAt  time.Time
	retries  uint64        // numbers the timers, so that one that was stopped does nothing
	delay    time.Duration // until the retry after the next
	failing  int           // entries that could not be saved or loaded
	reported bool          // that the store fails
	workers  int           // goroutines; they end when nothing is queued, or at Close
	saving   int           // those of them that are saving
	idle     chan struct{} // closed when the last worker ends; nil unless Close waits for that
	ended    chan struct{} // closed at the end of Close
}

// stage is where a saver is in its life.
type stage uint8

const (
	open    stage = iota
	closing       // nothing is put off any more
	closed        // nothing is saved any more
)

// notice is a report that is to be made.
type notice struct {
	report Report
	err    error
	fenced bool
}

// New returns a saver for one life of a supervisor or task. It panics if store is nil.
// The next life finds what this one leaves behind if its store is equal to this one. A
// store that cannot be compared, such as a struct value with a func in it, never is.
func New(store gate.Store) *Saver {
	if store == nil {
		panic("saver: New: store is nil; make no saver where there is no store")
	}
	s := &Saver{
		store:      store,
		comparable: reflect.ValueOf(store).Comparable(),
		busy:       map[string]*Entry{},
		delay:      firstRetry,
		ended:      make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.reports = feed.New(feed.Config[notice]{
		Receive: func(n notice, _ uint64) {
			if !s.silent.Load() && n.report != nil {
				n.report(n.err)
			}
		},
		Ends: func(n notice) bool { return n.fenced },
	})
	return s
}

// What follows in this file up to work is called with mu.

// enqueue has e saved as soon as a worker is free. If another entry of the key is busy,
// the newer of the two is saved once that is over, and the older no more.
func (s *Saver) enqueue(e *Entry) {
	switch b := s.busy[e.key]; {
	case b == nil || b == e:
		s.busy[e.key] = e
		e.phase = queued
		s.queue = append(s.queue, e)
		s.spawn()
	case b.number > e.number:
		s.succeed(e, b)
	default:
		if b.next != e {
			s.replace(b, e)
		}
		e.phase = parked
		if s.busy[e.key] == nil { // b has just ended
			s.enqueue(e)
		}
	}
}

// spawn starts as many workers as there is work for.
func (s *Saver) spawn() {
	for ; s.workers < maxSaves && s.workers-s.saving < len(s.queue); s.workers++ {
		go s.work()
	}
}

// finish ends what e was busy with.
func (s *Saver) finish(e *Entry) {
	e.phase = idle
	if e.ended != nil {
		close(e.ended)
		e.ended = nil
	}
	if s.busy[e.key] != e {
		return
	}
	delete(s.busy, e.key)
	if next := e.next; next != nil && next.phase == parked {
		s.enqueue(next)
	}
	e.next = nil
}

// work is a worker: it saves what is queued, and ends. There are at most maxSaves. One
// that a store blocks stays as long as that does, after Close as well; one that a store
// ends by Goexit is replaced.
func (s *Saver) work() {
	var e *Entry
	defer func() {
		if e != nil {
			s.done(e, failed, ErrGoexit)
			go s.work()
		}
	}()
	for e = s.take(); e != nil; e = s.take() {
		v, err := s.save(e)
		s.done(e, v, err)
	}
}

// take returns what is to be saved next. If it returns nil the worker must end.
func (s *Saver) take() *Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.stage != closed && len(s.queue) > 0 {
		e := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		if e.phase == queued {
			e.phase, e.begun = saving, time.Now()
			e.calls++
			s.saving++
			return e
		}
	}
	s.queue = nil
	s.workers--
	if s.workers == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
	return nil
}
