package supervise_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// between is an observer that does something in the middle of a worker's end:
// when an event of the kind is about to be told the first time, on the worker's
// goroutine, and lets the supervisor take that in before the worker goes on.
type between struct {
	journal
	kind supervise.Kind
	do   func()
}

func (b *between) Enabled(k supervise.Kind) bool {
	if do := b.do; k == b.kind && do != nil {
		b.do = nil
		do()
		synctest.Wait()
	}
	return true
}

// What is asked of a task while it is ending takes effect, as if it had been asked
// when the task had ended.
func TestControlOfATaskThatIsEnding(t *testing.T) {
	type ask func(*supervise.Task)
	restart, stop := func(t *supervise.Task) { t.Restart() }, func(t *supervise.Task) { t.Stop() }
	returns := func(err error) func(context.Context) error {
		return func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run == 1 {
				return err
			}
			<-ctx.Done()
			return nil
		}
	}
	all := supervise.WithStrategy(supervise.OneForAll)
	for _, c := range []struct {
		name     string
		strategy supervise.SupervisorOption
		fn       func(context.Context) error
		opt      supervise.TaskOption
		first    ask
		at       supervise.Kind
		then     []ask
		want     []string
	}{
		{name: "restart of one that is stopped", fn: returns(nil), opt: supervise.WithRestart(supervise.Always), first: stop,
			at: supervise.KindStop, then: []ask{restart}, want: []string{"start", "exit", "release", "start", "stop", "start"}},
		{name: "restart and stop", fn: returns(nil), opt: supervise.WithRestart(supervise.Always), first: stop,
			at: supervise.KindStop, then: []ask{restart, stop}, want: []string{"start", "exit", "release", "start", "stop"}},
		{name: "restart of one that ends", fn: returns(nil),
			at: supervise.KindExit, then: []ask{restart}, want: []string{"start", "exit", "start"}},
		{name: "restart and stop of one that ends", fn: returns(nil),
			at: supervise.KindExit, then: []ask{restart, stop}, want: []string{"start", "exit"}},
		{name: "restart of one that gives up", fn: returns(errBoom), opt: supervise.Optional(),
			at: supervise.KindGiveUp, then: []ask{restart}, want: []string{"start", "crash", "give up", "start"}},
		{name: "stop of one whose group is to restart", fn: returns(errBoom), strategy: all, opt: atOnce,
			at: supervise.KindCrash, then: []ask{stop}, want: []string{"start", "crash", "stop"}},
		{name: "stop and restart of it", fn: returns(errBoom), strategy: all, opt: atOnce,
			at: supervise.KindCrash, then: []ask{stop, restart}, want: []string{"start", "crash", "start"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var task *supervise.Task
				observer := &between{kind: c.at, do: func() {
					for _, ask := range c.then {
						ask(task)
					}
				}}
				s := supervise.New("s", quiet, supervise.WithObserver(observer), c.strategy)
				opts := []supervise.TaskOption{c.opt}
				if c.at == supervise.KindGiveUp {
					opts = append(opts, supervise.WithPolicy(policy.Compose(policy.Constant(0), policy.MaxCrashes(0, time.Hour))))
				}
				task = s.Add("a", c.fn, opts...)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- s.Run(ctx) }()
				time.Sleep(time.Second)
				if c.first != nil {
					c.first(task)
				}
				time.Sleep(time.Minute)
				if got := observer.kinds(); !slices.Equal(got, c.want) {
					t.Errorf("%v, not %v", got, c.want)
				}
				cancel()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		})
	}
}
