package supervise

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

const (
	maxSavers  = 16              // saves at once, which a store that syncs a disk can do together
	storeLimit = 5 * time.Second // after which a store counts as failing
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

var errSlowStore = errors.New("supervise: the store has not answered for 5s")

// saver saves the gates of the tasks that one Run supervises, or one Supervisor.Run
// and those below it. Whoever changes a gate marks it and goes on. Goroutines that
// live while there is something to save do that, as those of a feed do; the Run
// that made the saver closes it, and so ends them. One gate is saved by one of them
// at a time, as it is then; so what is kept here is bounded by the number of tasks,
// and no older state follows a newer one.
type saver struct {
	store  gate.Store
	ctx    context.Context // of all calls of the store
	cancel context.CancelFunc

	telling sync.Mutex // taken before mu, so that changes are told in order

	mu      sync.Mutex
	queue   []*kept // to be saved, in order
	waiting []*kept // that could not be saved, until retry
	failing int     // of all gates
	workers int
	retry   *time.Timer // nil while none is set
	delay   time.Duration
	closing bool          // nothing is put off any more
	closed  bool          // nothing is saved any more
	idle    chan struct{} // closed when the last worker ends, while close waits for that
}

// kept is the gate of a task, as the store has it.
type kept struct {
	saver *saver
	env   *env
	task  *Task
	gate  *gate.Gate
	key   string

	// guarded by the saver's mu
	queued  bool // it is in queue or waiting
	saving  bool
	calling bool // the store
	again   bool // it was marked while it was being saved
	failing bool
	fenced  bool // it is not to be saved

	// owned by whoever saves it
	loaded   bool           // once
	unsure   *gate.Snapshot // what a Save was to save that may have done so
	revision uint64
}

func newSaver(store gate.Store) *saver {
	if store == nil {
		return nil
	}
	s := &saver{store: store, delay: firstRetry}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// mark has the gate saved as it is now, or later.
func (s *saver) mark(k *kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || k.fenced || k.queued:
	case k.saving:
		k.again = true
	default:
		s.enqueue(k)
	}
}

// enqueue and what follows up to spawn is called with mu.
func (s *saver) enqueue(k *kept) {
	k.queued = true
	s.queue = append(s.queue, k)
	s.spawn()
}

func (s *saver) spawn() {
	for ; s.workers < maxSavers && s.workers < len(s.queue); s.workers++ {
		go s.work()
	}
}

// work saves what is queued, and ends. A store that calls Goexit costs the goroutine.
func (s *saver) work() {
	var k *kept
	defer func() {
		if k != nil {
			s.done(k, ErrGoexit)
			go s.work()
		}
	}()
	for k = s.next(); k != nil; k = s.next() {
		s.done(k, s.save(k))
	}
}

// next returns what to save next, or ends the worker with nil.
func (s *saver) next() *kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.queue) == 0 {
		s.workers--
		if s.workers == 0 && s.idle != nil {
			close(s.idle)
			s.idle = nil
		}
		return nil
	}
	k := s.queue[0]
	s.queue = s.queue[1:]
	k.queued, k.saving, k.calling = false, true, true
	return k
}

// save saves one gate. That a Save failed does not mean that it did nothing, so
// the next one finds out first.
func (s *saver) save(k *kept) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	slow := time.AfterFunc(storeLimit, func() { s.slow(k) })
	defer slow.Stop()
	if !k.loaded || k.unsure != nil {
		if err := k.learn(s); err != nil {
			return err
		}
	}
	snapshot := k.gate.Snapshot()
	k.unsure = &snapshot
	revision, err := s.store.Save(s.ctx, k.key, snapshot, k.revision)
	if err == nil {
		k.revision, k.unsure = revision, nil
	}
	return err
}

// learn finds out the revision that is saved, which is no conflict if a Save of
// ours has made it, or if none was ever seen.
func (k *kept) learn(s *saver) error {
	saved, revision, err := s.store.Load(s.ctx, k.key)
	if err != nil {
		return err
	}
	if k.loaded && revision != k.revision && !sameSnapshot(saved, *k.unsure) {
		return gate.ErrConflict
	}
	k.loaded, k.unsure, k.revision = true, nil, revision
	return nil
}

func sameSnapshot(a, b gate.Snapshot) bool {
	equal := a.Until.Equal(b.Until) && a.History.Start.Equal(b.History.Start) && slices.Equal(a.History.Crashes, b.History.Crashes)
	for _, s := range []*gate.Snapshot{&a, &b} {
		s.Until, s.History.Start, s.History.Crashes = time.Time{}, time.Time{}, nil
	}
	return equal && reflect.DeepEqual(a, b)
}

// done enters what came of saving a gate.
func (s *saver) done(k *kept, err error) {
	s.mu.Lock()
	k.calling = false
	s.mu.Unlock()
	switch {
	case err == nil:
		s.works(k)
	case errors.Is(err, gate.ErrConflict):
		s.fence(k, err)
	default:
		s.fails(k, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	again := k.again
	k.saving, k.again = false, false
	switch {
	case k.fenced || s.closed:
	case k.failing && !s.closing:
		k.queued = true
		s.waiting = append(s.waiting, k)
		s.retryLater()
	case again:
		s.enqueue(k)
	}
}

// fails enters that a gate cannot be saved or loaded, and tells it if it is the
// only one.
func (s *saver) fails(k *kept, err error) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	first := s.count(k)
	s.mu.Unlock()
	if first {
		k.env.reportStore(k.task, err)
	}
}

// slow is fails for a gate whose saving takes too long, if it still does.
func (s *saver) slow(k *kept) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	first := k.calling && s.count(k)
	s.mu.Unlock()
	if first {
		k.env.reportStore(k.task, errSlowStore)
	}
}

// works enters that a gate has been saved, and has those retried at once that
// could not be; when none is left that is told.
func (s *saver) works(k *kept) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	s.delay = firstRetry
	s.retryAll()
	last := s.clear(k)
	s.mu.Unlock()
	if last {
		k.env.reportStore(k.task, nil)
	}
}

// fence has the gate not saved any more, and tells why.
func (s *saver) fence(k *kept, err error) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	k.fenced = true
	last := s.clear(k)
	s.mu.Unlock()
	k.env.reportStore(k.task, err)
	if last {
		k.env.reportStore(k.task, nil)
	}
}

// What follows up to retryLater is called with mu.

// count enters that k fails, and reports whether it is the first one.
func (s *saver) count(k *kept) bool {
	if k.failing {
		return false
	}
	k.failing = true
	s.failing++
	return s.failing == 1
}

// clear enters that k fails no more, and reports whether it was the last one.
func (s *saver) clear(k *kept) bool {
	if !k.failing {
		return false
	}
	k.failing = false
	s.failing--
	return s.failing == 0
}

func (s *saver) retryAll() {
	s.queue = append(s.queue, s.waiting...)
	s.waiting = nil
	s.spawn()
}

// retryLater tries one of those that failed, after a while that doubles.
func (s *saver) retryLater() {
	if s.retry != nil {
		return
	}
	s.retry = time.AfterFunc(s.delay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.retry = nil
		if len(s.waiting) > 0 && !s.closing {
			s.queue = append(s.queue, s.waiting[0])
			s.waiting = s.waiting[1:]
			s.spawn()
		}
	})
	s.delay = min(2*s.delay, lastRetry)
}

// close has all saved that is not yet, those that failed for a last time, waits
// for that a second at most, and ends the saver. A store that blocks for ever
// keeps the goroutines that called it, not Run.
func (s *saver) close() {
	s.mu.Lock()
	idle := make(chan struct{})
	s.closing, s.idle = true, idle
	if s.retry != nil {
		s.retry.Stop()
	}
	s.retryAll()
	busy := s.workers > 0
	s.mu.Unlock()
	if busy {
		timer := time.NewTimer(flushTimeout)
		defer timer.Stop()
		select {
		case <-idle:
		case <-timer.C:
		}
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
}
