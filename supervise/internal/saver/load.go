package saver

import (
	"context"

	"github.com/holdfast-go/holdfast/gate"
)

// Load returns what is saved of the gate, or false if nothing is. Call it before the
// first Mark. It first waits for Saves of the same key that are still under way, those of
// an entry that was dropped and those that Close left behind in an earlier life, until
// they have taken 4 s.
//
// Load takes 5 s at most. Then it returns [ErrSlow], and leaves the goroutine behind on
// which it has called the store. If ctx is done first the error is its cause. Any other
// error, and ErrSlow, counts as a failure of the store, which is reported like that of a
// Save. After a Load that failed, or without one, the first Save replaces whatever is
// there, as soon as a Load of its own has found the revision.
func (e *Entry) Load(ctx context.Context) (gate.Snapshot, bool, error) {
	s := e.saver
	limited, cancel := context.WithTimeoutCause(ctx, limit, ErrSlow)
	defer cancel()
	s.mu.Lock()
	before := e.before
	s.mu.Unlock()
	for _, b := range before {
		b.await(limited)
	}
	r := e.loadWithin(limited)
	stopped := ctx.Err() != nil // so that it may not be the store's fault

	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stage == closed || e.isSaving():
	case r.err == nil:
		e.loaded, e.revision = true, r.revision
		e.sent.Store(nil)
		e.doubtful.Store(nil)
		if e.phase == idle {
			s.mend(e)
		}
	case !stopped:
		s.blame(e, r.err)
	}
	return r.snapshot, r.revision != 0, r.err
}

// result is what a Load of the store returns.
type result struct {
	snapshot gate.Snapshot
	revision uint64
	err      error
}

// loadWithin calls the store, and returns what that returns, or when ctx is done.
func (e *Entry) loadWithin(ctx context.Context) result {
	results := make(chan result, 1)
	if ctx.Err() == nil {
		go e.load(ctx, results)
	}
	select {
	case r := <-results:
		return r
	case <-ctx.Done():
		return result{err: context.Cause(ctx)}
	}
}

// load calls the store, which may panic, call Goexit or block, and sends what it returns.
func (e *Entry) load(ctx context.Context, results chan<- result) {
	r := result{err: ErrGoexit}
	defer func() { results <- r }()
	defer func() { // by itself, since what is recovered may call Goexit as well when it is printed
		if p := recover(); p != nil {
			r.err = panicked(p)
		}
	}()
	snapshot, revision, err := e.saver.store.Load(ctx, e.key)
	if err = contained(err); err != nil {
		r = result{err: err}
		return
	}
	r = result{snapshot, revision, nil}
}
