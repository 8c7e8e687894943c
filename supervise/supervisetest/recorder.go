package supervisetest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/supervise"
)

// defaultKeep is how many events a Recorder keeps if Keep is not given.
const defaultKeep = 1 << 16

// Recorder is an observer that keeps events, for a test to look at. The zero value is
// ready to use, and keeps the last 65,536. A Recorder must not be copied once used. Safe
// for concurrent use.
type Recorder struct {
	limit int // 0: defaultKeep

	// mu is taken last of all locks; nothing is called with it.
	mu      sync.Mutex
	events  []supervise.Event
	evicted uint64 // in all
	waiters []*waiter
}

// waiter is a call of WaitFor. It is in the list until it is served or gives up.
type waiter struct {
	kind supervise.Kind
	path string
	left int                  // such events to come
	ch   chan supervise.Event // takes one without waiting
}

// RecorderOption is an option of [NewRecorder].
type RecorderOption func(*Recorder)

// Keep sets how many events are kept: the last ones. An n below 1 panics.
func Keep(n int) RecorderOption {
	if n < 1 {
		panic(fmt.Sprintf("supervisetest: Keep: %d is below 1; leave the option out for the default", n))
	}
	return func(r *Recorder) { r.limit = n }
}

// NewRecorder returns a Recorder with options. A nil one is ignored.
func NewRecorder(opts ...RecorderOption) *Recorder {
	r := &Recorder{}
	for _, opt := range opts {
		if opt != nil {
			opt(r)
		}
	}
	return r
}

func (r *Recorder) keeps() int {
	if r.limit == 0 {
		return defaultKeep
	}
	return r.limit
}

// Observe implements [supervise.Observer].
func (r *Recorder) Observe(e supervise.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	limit := r.keeps()
	if len(r.events) >= 2*limit { // seldom, so that it costs little
		r.events = append([]supervise.Event(nil), r.events[limit:]...)
	}
	r.events = append(r.events, e)
	if n := len(r.events); n > limit {
		r.evicted += 1 + r.events[n-1-limit].Dropped
	}
	r.waiters = slices.DeleteFunc(r.waiters, func(w *waiter) bool { return w.sees(e) })
}

// sees reports whether e is what the waiter waits for, and hands it over.
func (w *waiter) sees(e supervise.Event) bool {
	if e.Kind != w.kind || !matches(w.path, e.Task) {
		return false
	}
	if w.left--; w.left > 0 {
		return false
	}
	w.ch <- e
	return true
}

// All returns the events in the order in which they came. If there were more than are
// kept, the first one's Dropped counts those that are not.
func (r *Recorder) All() []supervise.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.allLocked()
}

func (r *Recorder) allLocked() []supervise.Event {
	kept := slices.Clone(r.events[max(len(r.events)-r.keeps(), 0):])
	if r.evicted > 0 {
		kept[0].Dropped += r.evicted
	}
	return kept
}

// Of returns those of All that are of a task: its path, or a pattern as that of [Fault].
// It panics if the pattern is malformed.
func (r *Recorder) Of(path string) []supervise.Event {
	mustPaths("Of", []string{path})
	return slices.DeleteFunc(r.All(), func(e supervise.Event) bool { return !matches(path, e.Task) })
}

// Kinds returns the kinds of Of(path): the story of a task in short.
func (r *Recorder) Kinds(path string) []supervise.Kind {
	var kinds []supervise.Kind
	for _, e := range r.Of(path) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// WaitFor returns the first event of the kind and task that is kept, or waits until it
// comes. The path is as that of Of. It returns an error that wraps context.Cause(ctx)
// once ctx is done.
func (r *Recorder) WaitFor(ctx context.Context, kind supervise.Kind, path string) (supervise.Event, error) {
	return r.WaitForN(ctx, 1, kind, path)
}

// WaitForN does as WaitFor, and returns the nth such event, from 1. An n below 1 panics.
func (r *Recorder) WaitForN(ctx context.Context, n int, kind supervise.Kind, path string) (supervise.Event, error) {
	if n < 1 {
		panic(fmt.Sprintf("supervisetest: WaitForN: %d is below 1; the first event has number 1", n))
	}
	mustPaths("WaitFor", []string{path})
	w := &waiter{kind: kind, path: path, left: n, ch: make(chan supervise.Event, 1)}
	if !r.enroll(w) {
		select {
		case e := <-w.ch:
			return e, nil
		case <-ctx.Done():
		}
		r.dismiss(w)
	}
	select {
	case e := <-w.ch: // it may have come just now
		return e, nil
	default:
		return supervise.Event{}, fmt.Errorf("supervisetest: waiting for %q of task %q, number %d: %w", kind, path, n, context.Cause(ctx))
	}
}

// enroll shows the waiter what is kept, and reports whether that was enough. If not it
// sees what comes.
func (r *Recorder) enroll(w *waiter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.allLocked() {
		if w.sees(e) {
			return true
		}
	}
	r.waiters = append(r.waiters, w)
	return false
}

func (r *Recorder) dismiss(w *waiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiters = slices.DeleteFunc(r.waiters, func(other *waiter) bool { return other == w })
}
