package feed

import "context"

// Drained returns a channel that is closed when all that is pending now has been
// handed over, or was lost. It returns nil if nothing is pending and Receive has
// nothing. Values that are put later may delay it by as many as are pending at once,
// but not forever.
func (f *Feed[E]) Drained() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.delivering:
		return nil
	case f.drained == nil:
		f.drained, f.drainedAt = make(chan struct{}), f.put
	case f.drainedAt != f.put:
		if f.later == nil {
			f.later = make(chan struct{})
		}
		return f.later
	}
	return f.drained
}

// closeDrained closes what waits for the values before the number next, all of which
// have been handed over. It is called with mu.
func (f *Feed[E]) closeDrained(next uint64) {
	for f.drained != nil && f.drainedAt <= next {
		close(f.drained)
		f.drained, f.later, f.drainedAt = f.later, nil, f.put
	}
}

// Drainer is a [Feed] of any type.
type Drainer = interface{ Drained() <-chan struct{} }

// Flush returns when all that is pending now in the feeds has been handed over, or when
// ctx is done. A Receive that flushes its own feed waits until ctx is done.
func Flush(ctx context.Context, feeds ...Drainer) {
	var pending []<-chan struct{}
	for _, f := range feeds {
		if drained := f.Drained(); drained != nil {
			pending = append(pending, drained)
		}
	}
	for _, drained := range pending {
		select {
		case <-drained:
		case <-ctx.Done():
			return
		}
	}
}
