package supervise_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

const (
	longHold = 5 * time.Minute
	noEnd    = time.Duration(math.MaxInt64)
)

// TestHoldOfARest has a group be held for one of its tasks: those before it are not of
// the group, and go on as if nothing was.
func TestHoldOfARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.RestForOne))
		b.add("a")
		b.add("b")
		b.add("c", supervise.WithPolicy(policy.Constant(longHold)))
		b.add("d")
		b.run()
		b.expect("+a +b +c +d")
		b.end("c", errBoom)
		b.expect("!c -d")
		b.tasks["a"].Restart() // at once
		b.expect("-a +a")
		b.tasks["b"].Stop()
		b.expect("-b")
		time.Sleep(time.Second)
		b.tasks["b"].Restart()
		b.expect("+b")
		b.end("a", nil) // and one that ends is not missed
		b.expect("-a")
		b.tasks["a"].Restart()
		b.expect("+a")
		time.Sleep(longHold - time.Second - 1)
		b.expect("")
		time.Sleep(time.Nanosecond)
		b.expect("+c +d")
		_ = b.shut()
	})
}

// One before the group that crashes has the group grow, and the later of both holds is
// that of all.
func TestHoldOfARestThatGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.RestForOne))
		b.add("a")
		b.add("b")
		b.add("c", supervise.WithPolicy(policy.Constant(time.Minute)))
		b.add("d")
		b.run()
		b.expect("+a +b +c +d")
		b.end("c", errBoom)
		b.expect("!c -d")
		b.end("a", errBoom) // held for a second
		b.expect("!a -b")
		time.Sleep(time.Minute - 1)
		b.expect("")
		time.Sleep(time.Nanosecond)
		b.expect("+a +b +c +d")
		_ = b.shut()
	})
}

// TestHoldEndsWithItsCulprit takes away, in each way, the task for which a group is held:
// the others are started at once, also if the hold has no end.
func TestHoldEndsWithItsCulprit(t *testing.T) {
	for _, hold := range []time.Duration{longHold, noEnd} {
		for _, strategy := range []supervise.Strategy{supervise.OneForAll, supervise.RestForOne} {
			for name, test := range map[string]struct {
				end  func(*supervise.Task)
				want string
			}{
				"stop":    {func(task *supervise.Task) { task.Stop() }, "-a +b +c"},
				"remove":  {func(task *supervise.Task) { task.Remove() }, "-a +b +c"},
				"release": {func(task *supervise.Task) { task.Release() }, "+a +b +c"},
				"probe":   {func(task *supervise.Task) { task.Probe() }, "+a +b +c"},
				"restart": {func(task *supervise.Task) { task.Restart() }, "+a +b +c"},
			} {
				t.Run(fmt.Sprint(name, ", ", strategy, ", ", hold), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := newBed(t, supervise.WithStrategy(strategy))
						b.add("a", supervise.WithPolicy(policy.Constant(hold)))
						b.add("b")
						b.add("c")
						b.run()
						b.expect("+a +b +c")
						b.end("a", errBoom)
						b.expect("!a -c -b")
						time.Sleep(time.Second)
						b.expect("")
						test.end(b.tasks["a"])
						b.expect(test.want)
						_ = b.shut()
					})
				})
			}
		}
	}
}

// A task that is added while a group is held is started with it, if it is of the group.
func TestAddToAHeldGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.RestForOne))
		b.add("a")
		b.add("b", supervise.WithPolicy(policy.Constant(time.Minute)))
		b.run()
		b.expect("+a +b")
		b.end("b", errBoom)
		b.expect("!b")
		b.add("c")
		b.expect("")
		time.Sleep(time.Minute)
		b.expect("+b +c")
		_ = b.shut()
	})
}

// A gate that several supervisors share is observed by nobody any more when they have
// ended, however often their groups hung.
func TestGateOfAGroupIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(policy.Constant(time.Second))
		s := supervise.New("s", quiet, supervise.WithStrategy(supervise.OneForAll), supervise.WithStopTimeout(time.Second))
		s.Add("a", func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run < 10 {
				time.Sleep(10 * time.Second)
				return nil
			}
			<-ctx.Done()
			return nil
		}, supervise.WithGate(g), supervise.WithWatchdog(time.Second))
		s.Add("b", waits)
		_ = s.Run(bubble(t, 10*time.Minute))
		time.Sleep(time.Hour)
		if err := g.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}) // nothing is left in the bubble
}
