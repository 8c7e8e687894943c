package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// longest is how long anything in a random tree ignores its context.
const longest = 30 * time.Second

// randomTask is a task of a random tree, of which each run does something else.
type randomTask struct {
	w       *randomTree
	id      int
	sup     *randomSup
	task    *supervise.Task
	overlap bool
	never   bool
	slow    bool          // it has to say that it is ready
	timeout time.Duration // of its stop; negative if there is none

	live atomic.Int64
	deaf atomic.Bool // a run under way ignores its context
}

// draw returns a random source that depends on the seed and on what is given alone.
func (w *randomTree) draw(of ...int) *rand.Rand {
	h := w.seed
	for _, n := range of {
		h = (h ^ uint64(n)) * 0x9e3779b97f4a7c15 //nolint:gosec // it is not negative
		h ^= h >> 29
	}
	return rand.New(rand.NewPCG(w.seed, h)) //nolint:gosec // for tests
}

// upTo returns a time from 0 to d. It is seldom a round one, so that few things happen in
// the same instant, and a seed replays.
func upTo(r *rand.Rand, d time.Duration) time.Duration {
	if r.IntN(8) == 0 {
		return 0
	}
	return time.Duration(r.Int64N(int64(d)))
}

// options returns random options, and notes those that the task's function has to know.
func (l *randomTask) options(r *rand.Rand) []supervise.TaskOption {
	var opts []supervise.TaskOption
	some := func(one int, opt func() supervise.TaskOption) {
		if r.IntN(one) == 0 {
			opts = append(opts, opt())
		}
	}
	opts = append(opts, supervise.Optional())
	if r.IntN(6) == 0 {
		opts = append(opts, supervise.WithGate(gate.New(randomPolicy(r))))
	} else {
		opts = append(opts, supervise.WithPolicy(randomPolicy(r)))
	}
	some(4, func() supervise.TaskOption { return supervise.WithRestart(supervise.Always) })
	some(6, func() supervise.TaskOption { l.never = true; return supervise.WithRestart(supervise.Never) })
	some(3, func() supervise.TaskOption {
		return supervise.WithWatchdog(1100*time.Millisecond + upTo(r, 10*time.Second))
	})
	some(3, func() supervise.TaskOption {
		l.slow = true
		return supervise.WithReadyTimeout(time.Millisecond + upTo(r, 10*time.Second))
	})
	some(2, func() supervise.TaskOption {
		l.timeout = time.Millisecond + upTo(r, 5*time.Second)
		return supervise.WithStopTimeout(l.timeout)
	})
	some(4, func() supervise.TaskOption { l.overlap = true; return supervise.Overlap() })
	some(4, func() supervise.TaskOption { return supervise.WithAdmission(supervise.AdmissionFunc(l.admit)) })
	some(8, func() supervise.TaskOption { return supervise.WithObserver(&journal{}) })
	return opts
}

func randomPolicy(r *rand.Rand) policy.Policy {
	switch r.IntN(5) {
	case 0:
		return policy.Constant(0)
	case 1:
		return policy.Constant(upTo(r, 3*time.Second))
	case 2:
		return policy.Compose(policy.Constant(upTo(r, time.Second)), policy.MaxCrashes(1+r.IntN(4), time.Minute))
	case 3:
		return policy.Compose(policy.Exponential(time.Second, 2, 10*time.Second), policy.CrashLoop(3, time.Minute, 20*time.Second))
	}
	return policy.Default()
}

// admit lets a run begin at once, late, or not.
func (l *randomTask) admit(ctx context.Context) error {
	if l.w.calm.Load() {
		return nil
	}
	r := l.w.draw(l.id, int(l.w.asked.Add(1)), 1)
	d := upTo(r, 3*time.Second)
	switch r.IntN(6) {
	case 0:
		return errBoom
	case 1:
		panic(errBoom)
	case 2:
		runtime.Goexit()
	case 3:
		time.Sleep(d) // whatever ctx says
		return nil
	case 4:
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// run is the function of the task.
func (l *randomTask) run(ctx context.Context) error {
	live := l.live.Add(1)
	defer l.live.Add(-1)
	if live > 1 && !l.overlap {
		l.w.fail("%s has %d runs at once", l.task.Name(), live)
	}
	if ctx.Err() != nil && context.Cause(ctx) == supervise.ErrRunEnded {
		l.w.fail("%s has a context of an earlier run", l.task.Name())
	}
	info, _ := supervise.FromContext(ctx)
	r := l.w.draw(l.id, int(info.Run)) //nolint:gosec // there are few
	if l.w.calm.Load() {
		return l.healthy(ctx, r, 0)
	}
	return l.fault(ctx, r)
}

// fault does something else in each run.
func (l *randomTask) fault(ctx context.Context, r *rand.Rand) error {
	after := upTo(r, 10*time.Second)
	kind := r.IntN(14)
	if kind > 3 && kind < 9 { // what takes some time before it ends by itself
		if r.IntN(2) == 0 {
			supervise.Ready(ctx)
		}
		if supervise.Sleep(ctx, after) != nil {
			return l.stopped(ctx, r)
		}
	}
	switch kind {
	case 4:
		return errBoom
	case 5:
		panic(map[string]error{"live": errBoom})
	case 6:
		runtime.Goexit()
	case 7:
		if err := supervise.Go(ctx, func(context.Context) error { panic(errBoom) }); err != nil {
			l.w.fail("%s: Go in a run returned %v", l.task.Name(), err)
		}
		<-ctx.Done()
		return nil
	case 8:
		return nil
	case 9:
		return l.hang(upTo(r, longest))
	case 10: // silent
		<-ctx.Done()
		return l.stopped(ctx, r)
	case 11: // never ready
		_ = supervise.Sleep(ctx, time.Hour)
		return l.stopped(ctx, r)
	case 12:
		l.straggle(ctx, max(after, 1))
		return errBoom
	}
	return l.healthy(ctx, r, after)
}

func (l *randomTask) hang(d time.Duration) error {
	l.deaf.Store(true)
	defer l.deaf.Store(false)
	time.Sleep(d)
	return errBoom
}

// straggle leaves a goroutine behind that uses the context of the run when that is over.
func (l *randomTask) straggle(ctx context.Context, after time.Duration) {
	go func() {
		time.Sleep(after)
		supervise.Ready(ctx)
		supervise.Alive(ctx)
		err := supervise.Go(ctx, func(context.Context) error {
			l.w.fail("%s: a goroutine was started after its run", l.task.Name())
			return nil
		})
		if err != supervise.ErrRunEnded {
			l.w.fail("%s: Go after the run returned %v", l.task.Name(), err)
		}
	}()
}

// healthy runs until it is asked to stop.
func (l *randomTask) healthy(ctx context.Context, r *rand.Rand, ready time.Duration) error {
	if supervise.Sleep(ctx, ready) == nil {
		supervise.Ready(ctx)
		for supervise.Sleep(ctx, 24*time.Hour) == nil {
		}
	}
	if l.w.calm.Load() {
		return nil
	}
	return l.stopped(ctx, r)
}

// stopped ends a run that was asked to stop.
func (l *randomTask) stopped(ctx context.Context, r *rand.Rand) error {
	l.w.stopping(l, context.Cause(ctx))
	switch r.IntN(6) {
	case 0:
		return ctx.Err()
	case 1:
		return fmt.Errorf("stopped: %w", context.Cause(ctx))
	case 2:
		return errors.Join(errBoom, context.Cause(ctx))
	case 3:
		_ = l.hang(upTo(r, 3*time.Second))
	case 4:
		panic(errBoom)
	}
	return nil
}
