package saver

import (
	"context"

	"github.com/holdfast-go/holdfast/gate"
)

// Load returns what is saved of the gate; false stands for nothing. It is to be called
// before the first Mark. What an earlier entry of the key has marked is saved first, also
// if it is what Close has left behind in an earlier life, unless that takes more than 4 s.
//
// It takes 5 s at most, after which the error is [ErrSlow]; the goroutine that has
// called the store is then left behind. If ctx is done first the error is its cause.
// Any other error counts as a failure of the store, and so is reported as well, if it is
// the first. Without a Load, or after one that failed, the first Save replaces whatever
// is there.
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
		e.doubtful = nil
		e.sent.Store(nil)
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
