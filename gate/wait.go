package gate

import (
	"context"
	"time"
)

// Wait blocks until the gate is open and returns nil; a hold that is over by the real
// clock it releases. It wakes at once when the gate is opened by a force release or
// another event, and goes on waiting when a hold is prolonged. At a gate that gave up or
// is paused it waits for such an event. If ctx is done first, or already, it returns
// [context.Cause](ctx).
func (g *Gate) Wait(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := time.Now()
		if g.Admissible(now) {
			g.MaybeRelease(now)
			return nil
		}
		changed, left := g.watch(now)
		waitFor(ctx, changed, left)
	}
}

// watch returns a channel that is closed at the next transition, and how long
// the hold lasts from now, negative if it has no end.
func (g *Gate) watch(now time.Time) (<-chan struct{}, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.heard().changed(), g.tracker.left(now)
}

// left returns how long the hold lasts from now, negative if it has no end.
func (t *Tracker) left(now time.Time) time.Duration {
	switch until := t.word.Until(); {
	case t.word == 0:
		return 0
	case t.word.Endless():
		return -1
	default:
		return max(until-max(min(t.log.Offset(now), forever), -forever), 0)
	}
}

// waitFor returns when ctx is done, changed is closed, or left is over; a
// negative one never is.
func waitFor(ctx context.Context, changed <-chan struct{}, left time.Duration) {
	var elapsed <-chan time.Time
	if left >= 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		elapsed = timer.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-elapsed:
	}
}
