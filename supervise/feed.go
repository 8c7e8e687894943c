package supervise

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
)

// The events that wait for a slow observer are bounded: by a number, and some more
// for each task, so that those of a common crash are kept.
const (
	maxPending     = 1024
	maxPendingTask = 8
)

// feed hands the events of a task to one observer. Whoever emits appends to
// pending and returns; a goroutine that lives while there is something pending
// delivers. So the observer is called in order, one event at a time, and no task
// ever waits for it.
type feed struct {
	observer Observer
	chooser  chooser      // the observer, if it chooses
	annotate annotator    // the observer's, or nil
	logger   *slog.Logger // where a panic of the observer is reported
	tasks    atomic.Int64 // that are served

	mu       sync.Mutex
	pending  []Event
	room     int           // the most that pending could hold since it was last taken: it is not less as tasks end
	dropped  uint64        // since the last event that was kept
	drained  chan struct{} // closed when the delivering goroutine ends; nil if there is none
	reported bool          // that the observer panics
}

// chooser is an observer that does not want all events.
type chooser interface{ Enabled(Kind) bool }

// annotator is an observer's Annotate.
type annotator func(context.Context, Event) context.Context

// note is what annotators made at a crash.
type note struct{ ctx context.Context }

func newFeed(o Observer, logger *slog.Logger) *feed {
	f := &feed{observer: o, logger: logger}
	f.chooser, _ = o.(chooser)
	if a, ok := o.(interface {
		Annotate(context.Context, Event) context.Context
	}); ok {
		f.annotate = a.Annotate
	}
	return f
}

// wants reports whether the observer is to be told of a kind.
func (f *feed) wants(k Kind) bool { return anyWants([]*feed{f}, k) }

// anyWants reports whether one of the observers is to be told of a kind. It is
// asked more often than anything is told: so there is one defer for all of them,
// and no recover, which costs as much as all else here, unless one panics.
func anyWants(feeds []*feed, k Kind) (wanted bool) {
	i, asked := 0, false
	defer func() {
		if !asked {
			feeds[i].contained(recover())
			wanted = anyWants(feeds[i+1:], k)
		}
	}()
	for ; i < len(feeds) && !wanted; i++ {
		wanted = feeds[i].chooser == nil || feeds[i].chooser.Enabled(k)
	}
	asked = true
	return wanted
}

// annotated returns what the observer makes of ctx at a crash, or nil if it has
// nothing to add, or panics.
func (f *feed) annotated(ctx context.Context, e Event) (made context.Context) {
	defer f.contain()
	return f.annotate(ctx, e)
}

func (f *feed) emit(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room = max(f.room, maxPending+maxPendingTask*int(f.tasks.Load()))
	if len(f.pending) >= f.room && !e.ends() { // of which there is one a task
		f.dropped++
		return
	}
	e.Dropped, f.dropped = f.dropped, 0
	f.pending = append(f.pending, e)
	if f.drained == nil {
		f.drained = make(chan struct{})
		go f.deliver(nil)
	}
}

// deliver tells the observer what is pending, and ends. left is what a goroutine
// that ended by Goexit in the observer had not told yet.
func (f *feed) deliver(left []Event) {
	defer func() {
		if left != nil {
			go f.deliver(left)
		}
	}()
	for {
		for len(left) > 0 {
			e := left[0]
			left = left[1:]
			f.tell(e)
		}
		if left = f.take(); left == nil {
			return
		}
	}
}

// take returns what is pending, or ends the delivery with nil.
func (f *feed) take() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending) == 0 {
		close(f.drained)
		f.drained = nil
		return nil
	}
	taken := f.pending
	f.pending, f.room = nil, 0
	return taken
}

func (f *feed) tell(e Event) {
	defer f.contain()
	f.observer.Observe(e)
}

// contain is to be deferred around a call of the observer.
func (f *feed) contain() { f.contained(recover()) }

// contained tells of the first panic; a nil v is none.
func (f *feed) contained(v any) {
	if v == nil {
		return
	}
	f.mu.Lock()
	first := !f.reported
	f.reported = true
	f.mu.Unlock()
	if first {
		report(f.logger, "supervise: an observer panicked; it stays, this is reported once", "panic", v)
	}
}

// report logs an error about a user's callback, and puts up with a logger that
// panics, too.
func report(logger *slog.Logger, message string, args ...any) {
	defer func() { _ = recover() }()
	logger.Error(message, args...)
}

// pends returns what is closed when all has been told that is pending; nil if
// nothing is.
func (f *feed) pends() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.drained
}

// flush waits until all has been told that is pending, or ctx is done.
func (f *feed) flush(ctx context.Context) {
	drained := f.pends()
	if drained == nil {
		return
	}
	select {
	case <-drained:
	case <-ctx.Done():
	}
}
