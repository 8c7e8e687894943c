package supervise_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// TestLast shows which events no run follows.
func TestLast(t *testing.T) {
	last := func(fn func(context.Context) error, opts ...supervise.RunOption) (found []string) {
		var j journal
		_ = supervise.Run(t.Context(), fn, append(opts, atOnce, quiet, supervise.WithObserver(&j))...)
		for _, e := range j.all() {
			if e.Last {
				found = append(found, e.Kind.String())
			}
		}
		return found
	}
	if got := last(failing, supervise.WithRestart(supervise.Never)); !slices.Equal(got, []string{"crash"}) {
		t.Errorf("once: %q", got)
	}
	if got := last(times(2, func() error { return errBoom })); !slices.Equal(got, []string{"exit"}) {
		t.Errorf("after crashes: %q", got)
	}
	exits := 0
	ctx, cancel := context.WithCancel(t.Context())
	_ = supervise.Run(ctx, func(context.Context) error { return nil }, supervise.WithRestart(supervise.Always), atOnce, quiet,
		supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
			if e.Last {
				t.Errorf("always: %+v", e)
			}
			if e.Kind == supervise.KindExit {
				if exits++; exits == 3 {
					cancel()
				}
			}
		})))
}

// TestKey distinguishes tasks of one name.
func TestKey(t *testing.T) {
	var j journal
	for range 2 {
		_ = supervise.Run(t.Context(), serve, quiet, supervise.WithName("x"), supervise.WithObserver(&j))
	}
	e := j.all()
	if len(e) != 4 || e[0].Key() != e[1].Key() || e[0].Key() == e[2].Key() {
		t.Errorf("events: %+v", e)
	}
}

// TestStoppedBetweenRuns: the end of a task is reported, too, when it
// comes while its group waits for the hold, and once.
func TestStoppedBetweenRuns(t *testing.T) {
	stops := func(end func(cancel func(), culprit *supervise.Task)) (found []string) {
		var j journal
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := supervise.New("s", quiet, second, supervise.WithObserver(&j), supervise.WithStrategy(supervise.OneForAll))
			s.Add("bystander", waits)
			culprit := s.Add("culprit", failing)
			time.AfterFunc(500*time.Millisecond, func() { end(cancel, culprit) })
			time.AfterFunc(700*time.Millisecond, cancel)
			_ = s.Run(ctx)
		})
		for _, e := range j.of(supervise.KindStop) {
			found = append(found, e.Task)
		}
		return found
	}
	want := []string{"s/bystander", "s/culprit"}
	if got := stops(func(cancel func(), _ *supervise.Task) { cancel() }); !slices.Equal(got, want) {
		t.Errorf("the supervisor stops: %q", got)
	}
	want = append(want, "s/bystander") // which did not wait for the hold of one that was stopped
	if got := stops(func(_ func(), c *supervise.Task) { c.Stop() }); !slices.Equal(got, want) {
		t.Errorf("the task is stopped: %q", got)
	}
}
