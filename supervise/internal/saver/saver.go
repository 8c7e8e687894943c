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

// Report gets what becomes of saving: the error when the store begins to fail, nil when
// all gates of the saver are saved again, and the error by which one gate was fenced.
// The reports of all gates of a saver come in order, one at a time, outside of locks,
// on a goroutine of their own. A report that panics or calls [runtime.Goexit] is lost.
// One that blocks keeps the others waiting, of which the first 1024 are kept.
type Report func(err error)

// Saver saves the gates of one life of a supervisor or task. Make one with [New].
// Safe for concurrent use.
type Saver struct {
	store      gate.Store
	comparable bool            // the store is, and so can be recognized
	ctx        context.Context // of all Saves
	cancel     context.CancelCauseFunc
	reports    *feed.Feed[told]
	silent     atomic.Bool // nothing is reported any more

	// mu guards what follows, and what the entries say that it guards. Callers take it
	// under locks of their own. Under it are taken, by themselves, the lock of reports
	// and that of the late entries, which are leaves. No code of a user's runs under it:
	// no store, gate, report, or method of an error.
	mu       sync.Mutex
	stage    stage
	entries  uint64            // made so far
	busy     map[string]*Entry // by key, those queued, saving, dirty or waiting: one per key
	queue    []*Entry          // to be saved, in order; those that are not queued any more are passed over
	waiting  []*Entry          // for a retry; those that do not wait any more are passed over
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

// told is a report that is to be made.
type told struct {
	report Report
	err    error
	fenced bool
}

// New returns a saver for one life of a supervisor or task. The store must not be nil.
// If its value cannot be compared, as a struct that has a func in it, the next life does
// not recognize what this one leaves behind: make the store a pointer.
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
	s.reports = feed.New(feed.Config[told]{
		Receive: func(t told, _ uint64) {
			if !s.silent.Load() && t.report != nil {
				t.report(t.err)
			}
		},
		Ends: func(t told) bool { return t.fenced },
	})
	return s
}

// What follows in this file up to work is called with mu.

// enqueue has e saved as soon as a worker is free. If another entry of the key is busy
// e waits for that one, if it is the newer of the two, or else is not saved.
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

// work saves what is queued, and ends. A store that calls Goexit costs the goroutine.
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
