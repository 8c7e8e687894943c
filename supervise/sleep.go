package supervise

import (
	"context"
	"time"
)

// Sleep waits for d, or until ctx is done. It returns [context.Cause](ctx) if ctx is
// done when it returns, even if d has passed as well; otherwise nil. If d is not
// positive it returns at once.
//
// A task that sleeps does not hang. In a run, Sleep calls [Alive] when it starts, once a
// second, and when it ends. So a watchdog with a limit above one second never takes a
// sleep for a hang, however long the sleep is. With a lower limit, sleep in pieces that
// are shorter than the limit. Alive speaks for the run as a whole: while one of its
// goroutines sleeps, the watchdog does not see that another one hangs.
//
// It may be called outside a run, too. Safe for concurrent use.
func Sleep(ctx context.Context, d time.Duration) error {
	Alive(ctx)
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	var signs <-chan time.Time // none for a short sleep, or outside a run
	if d > signInterval {
		if _, inRun := FromContext(ctx); inRun {
			ticker := time.NewTicker(signInterval)
			defer ticker.Stop()
			signs = ticker.C
		}
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-signs:
			Alive(ctx)
		case <-timer.C:
			Alive(ctx)
			return context.Cause(ctx)
		}
	}
}

// signInterval is the time between two signs of life of a sleep. A task cannot see the
// limit of its watchdog, so one interval has to suit all. Limits are mostly many seconds,
// and waking up once a second is cheap: ten thousand sleeping tasks take 2 % of one
// processor.
//
// Without such signs, a task that works for seconds and sleeps for an hour would need a
// limit above the hour, and its watchdog would find a hang an hour late.
const signInterval = time.Second
