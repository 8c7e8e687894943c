package supervise_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// kindsOf is the kinds of a task's events, in order.
func kindsOf(events []supervise.Event, task string) (kinds []string) {
	for _, e := range events {
		if e.Task == task {
			kinds = append(kinds, e.Kind.String())
		}
	}
	return kinds
}

// TestStories compares what is reported of a task with what happens to it: what begins
// ends, once and in order.
func TestStories(t *testing.T) {
	type acts = map[time.Duration]func(*supervise.Supervisor, *supervise.Task)
	const s = time.Second
	all := supervise.WithStrategy(supervise.OneForAll)
	second := supervise.WithPolicy(policy.Constant(s))
	stop := func(_ *supervise.Supervisor, task *supervise.Task) { task.Stop() }
	restart := func(_ *supervise.Supervisor, task *supervise.Task) { task.Restart() }
	release := func(_ *supervise.Supervisor, task *supervise.Task) { task.Release() }
	crashAt := func(d time.Duration) func(context.Context) error {
		return func(ctx context.Context) error {
			if supervise.Sleep(ctx, d) != nil {
				return nil
			}
			return errBoom
		}
	}
	waits := func(ctx context.Context) error { <-ctx.Done(); return nil }
	deaf := func(d time.Duration) func(context.Context) error {
		return func(context.Context) error { time.Sleep(d); return nil }
	}
	for name, test := range map[string]struct {
		fn   func(context.Context) error
		opts []supervise.TaskOption
		sup  []supervise.SupervisorOption
		acts acts
		want []string
	}{
		"a culprit of a group, at shutdown": {
			crashAt(9500 * time.Millisecond), nil, []supervise.SupervisorOption{all, supervise.WithPolicy(policy.Constant(time.Minute))}, nil, []string{"start", "crash", "stop"}},
		"a culprit of a group, whose hold is over, at shutdown": { // b takes long to stop
			crashAt(8500 * time.Millisecond), nil, []supervise.SupervisorOption{all}, nil, []string{"start", "crash", "release", "stop"}},
		"a culprit of a group is stopped": {
			crashAt(5 * s), nil, []supervise.SupervisorOption{all}, acts{5500 * time.Millisecond: stop}, []string{"start", "crash", "stop"}},
		"a culprit of a group is stopped when its hold is over": {
			crashAt(5 * s), nil, []supervise.SupervisorOption{all}, acts{6500 * time.Millisecond: stop}, []string{"start", "crash", "release", "stop"}},
		"one that waits to start again": {
			crashAt(5 * s), nil, []supervise.SupervisorOption{supervise.WithPolicy(policy.Constant(time.Minute))}, nil, []string{"start", "crash", "stop"}},
		"one that waits, and is stopped and released at once": {
			crashAt(5 * s), nil, []supervise.SupervisorOption{supervise.WithPolicy(policy.Constant(time.Minute))},
			acts{6 * s: func(_ *supervise.Supervisor, task *supervise.Task) { task.Stop(); <-task.Done(); task.Release() }}, []string{"start", "crash", "stop"}},
		"one that is stopped, and started again": {
			waits, nil, nil, acts{1 * s: stop, 2 * s: restart}, []string{"start", "stop", "start", "stop"}},
		"one that is down at shutdown": {waits, nil, nil, acts{1 * s: stop}, []string{"start", "stop"}},
		"one that has ended":           {deaf(s), nil, nil, nil, []string{"start", "exit"}},
		"one that is abandoned": {
			deaf(time.Minute), []supervise.TaskOption{supervise.WithStopTimeout(s)}, nil, nil, []string{"start", "abandon", "stop", "return"}},
		"one that hangs": {
			deaf(8500 * time.Millisecond), []supervise.TaskOption{supervise.WithStopTimeout(s), supervise.WithWatchdog(s)}, nil, nil,
			[]string{"start", "abandon", "crash", "release", "return", "start", "abandon", "crash", "release", "stop", "return"}},
		"one that hangs, and is stopped": {
			deaf(8 * s), []supervise.TaskOption{supervise.WithStopTimeout(s), supervise.WithWatchdog(s)}, nil, acts{5 * s: stop},
			[]string{"start", "abandon", "crash", "release", "stop", "return"}},
		"one that hangs, and is stopped before it is abandoned": {
			deaf(8 * s), []supervise.TaskOption{supervise.WithStopTimeout(s), supervise.WithWatchdog(s)}, nil, acts{1500 * time.Millisecond: stop},
			[]string{"start", "abandon", "stop", "return"}},
		"one whose admission does not look at its context": {
			waits, []supervise.TaskOption{supervise.WithStopTimeout(s), supervise.WithAdmission(supervise.AdmissionFunc(deaf(time.Minute)))}, nil, acts{5 * s: stop},
			[]string{"abandon", "stop", "return"}},
		"one that gives up": {
			crashAt(s), []supervise.TaskOption{supervise.Optional()},
			[]supervise.SupervisorOption{supervise.WithPolicy(policy.Compose(policy.Constant(s), policy.MaxCrashes(1, time.Minute)))}, nil,
			[]string{"start", "crash", "release", "start", "crash", "give up"}},
		"one that gives up, and is started again": {
			crashAt(s), []supervise.TaskOption{supervise.Optional()},
			[]supervise.SupervisorOption{supervise.WithPolicy(policy.Compose(policy.Constant(time.Minute), policy.MaxCrashes(0, time.Minute)))},
			acts{2 * s: restart}, []string{"start", "crash", "give up", "start", "crash", "give up"}},
		"one that is released": {
			crashAt(3 * s), nil, []supervise.SupervisorOption{supervise.WithPolicy(policy.Constant(time.Minute))}, acts{5 * s: release, 6 * s: stop},
			[]string{"start", "crash", "release", "start", "stop"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				s := supervise.New("s", append([]supervise.SupervisorOption{quiet, second, supervise.WithObserver(&j)}, test.sup...)...)
				task := s.Add("a", test.fn, test.opts...)
				s.Add("b", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(2 * time.Second); return nil })
				for at, act := range test.acts {
					time.AfterFunc(at, func() { act(s, task) })
				}
				err := s.Run(bubble(t, 10*time.Second))
				if !errors.Is(err, errStop) {
					t.Error(err)
				}
				out := notReturned(j.all())
				if named := leftBehind(err); !slices.Equal(named, out) {
					t.Errorf("Run says that %q are left behind, the events %q", named, out)
				}
				time.Sleep(time.Hour)
				events := j.all()
				if got := kindsOf(events, "s/a"); !slices.Equal(got, test.want) {
					t.Errorf("%q, not %q", got, test.want)
				}
				for _, wrong := range wrongs(events) {
					t.Error(wrong)
				}
				if out := notReturned(events); len(out) > 0 {
					t.Errorf("%q have not returned", out)
				}
			})
		})
	}
}

// A Release says that a start follows. It is not reported for a task that was asked to
// stop while the observers of its gate were called.
func TestReleaseOfAStoppedTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		s := supervise.New("s", quiet, supervise.WithObserver(&j))
		var task *supervise.Task
		g := gate.New(policy.Constant(time.Second), gate.OnTransition(func(tr gate.Transition) {
			if tr.To.Phase() == gate.Idle {
				task.Stop()
				time.Sleep(time.Second)
			}
		}))
		task = s.Add("a", failing, supervise.WithGate(g))
		if err := s.Run(bubble(t, time.Minute)); err != errStop {
			t.Error(err)
		}
		if got, want := j.kinds(), []string{"start", "crash", "stop"}; !slices.Equal(got, want) {
			t.Errorf("%q, not %q", got, want)
		}
	})
}
