package supervise

import (
	"context"
	"fmt"
	"time"
)

// Every returns a function for a task that calls fn again and again, every d:
//
//	supervise.Run(ctx, supervise.Every(time.Minute, refresh))
//
// The first call is made at once. The others start at multiples of d after that, without
// drift, one at a time. A call that takes longer than d misses the starts in between:
// they are skipped, not made up for, and the next call starts at the next multiple.
//
// The function returns the first error of fn as it is, which is a crash of the task; the
// next run starts over with a call at once. It returns [context.Cause](ctx) when ctx is
// done, which cuts a wait short, but waits for a call under way: fn has to look at its
// context itself.
//
// The run is ready ([Ready]) once fn has returned nil for the first time. Between calls it
// shows signs of life ([Alive]), as [Sleep] does. So a watchdog needs a limit for one call
// of fn, not for d.
//
// Every panics if d is not positive or fn is nil. The function may be used by several
// tasks if fn is safe for concurrent use.
func Every(d time.Duration, fn func(context.Context) error) func(context.Context) error {
	if d <= 0 {
		panic(fmt.Sprintf("supervise: Every: d (%v) is not positive; give the time between two calls", d))
	}
	if fn == nil {
		panic("supervise: Every: fn is nil; give the function to call")
	}
	return func(ctx context.Context) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		first, due := time.Now(), time.Duration(0) // due is when the call was to start, since first
		for {
			if err := fn(ctx); err != nil {
				return err
			}
			Ready(ctx)
			passed := time.Since(first)
			due = nextDue(d, due, passed)
			if err := Sleep(ctx, due-passed); err != nil {
				return err
			}
		}
	}
}

// nextDue returns the next multiple of d after due that has not passed. It may be now.
func nextDue(d, due, passed time.Duration) time.Duration {
	due += d
	if late := passed - due; late > 0 {
		due += (late + d - 1) / d * d
	}
	return due
}
