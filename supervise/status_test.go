package supervise_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// state is what Status says at an instant of a scenario, in short.
func state(task *supervise.Task) string {
	s := task.Status()
	text := s.State.String()
	if s.Ready {
		text += ", ready"
	}
	if s.WaitsFor != "" {
		text += ", for " + s.WaitsFor
	}
	if !s.Until.IsZero() {
		text += ", until " + s.Until.Sub(start).String()
	}
	if s.By != (gate.By{}) {
		text += ", by " + s.By.Who
	}
	if s.Abandoned > 0 {
		text += fmt.Sprintf(", %d abandoned", s.Abandoned)
	}
	return text
}

// start is when a bubble of synctest starts.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// slowly is an admission with a name, which admits after a while.
type slowly time.Duration

func (d slowly) Admit(ctx context.Context) error { return supervise.Sleep(ctx, time.Duration(d)) }
func (d slowly) String() string                  { return "the lights to turn green" }

// TestStates asks for the status of a task, at each second of its life.
func TestStates(t *testing.T) {
	const s = time.Second
	slow := func(ready, end time.Duration, err error) func(context.Context) error {
		return func(ctx context.Context) error {
			if supervise.Sleep(ctx, ready) == nil {
				supervise.Ready(ctx)
				if supervise.Sleep(ctx, end) == nil {
					return err
				}
			}
			time.Sleep(time.Second)
			return nil
		}
	}
	forever := 24 * time.Hour
	ann := gate.By{Who: "ann"}
	hold := func(d time.Duration) supervise.TaskOption { return supervise.WithPolicy(policy.Constant(d)) }
	optional := supervise.Optional()
	once := 0
	for name, test := range map[string]struct {
		fn   func(context.Context) error
		opts []supervise.TaskOption
		acts map[int]func(*supervise.Task)
		want []string // at half a second, one and a half, and so on
	}{
		"without a ready timeout": {slow(s, forever, nil), nil, nil, []string{"running, ready", "running, ready"}},
		"with one": {slow(1*s, s, errBoom), []supervise.TaskOption{aMinute, hold(s)}, nil,
			[]string{"starting", "running, ready", "held, until 3s", "starting", "running, ready"}},
		"stopped, and started again": {slow(0, forever, nil), nil,
			map[int]func(*supervise.Task){1: func(task *supervise.Task) { task.Stop() }, 3: func(task *supervise.Task) { task.Restart() }},
			[]string{"running, ready", "stopping", "stopped", "running, ready"}},
		"paused": {slow(0, forever, nil), nil,
			map[int]func(*supervise.Task){1: func(task *supervise.Task) { task.Pause(ann) }, 3: func(task *supervise.Task) { task.Probe() }},
			[]string{"running, ready", "stopping, by ann", "paused, by ann", "running, ready"}},
		"ended":   {slow(0, s, nil), nil, nil, []string{"running, ready", "ended", "ended"}},
		"gave up": {slow(0, s, errBoom), []supervise.TaskOption{optional, givesUp}, nil, []string{"running, ready", "gave up", "gave up"}},
		"gave up, and started again": {func(ctx context.Context) error {
			if once++; once == 1 {
				return errBoom
			}
			return slow(0, forever, nil)(ctx)
		}, []supervise.TaskOption{optional, givesUp}, map[int]func(*supervise.Task){1: func(task *supervise.Task) { task.Restart() }},
			[]string{"gave up", "running, ready"}},
		"held forever": {slow(0, s, errBoom), []supervise.TaskOption{hold(noEnd)}, nil, []string{"running, ready", "held"}},
		"stuck": {func(context.Context) error { time.Sleep(4 * time.Second); return nil },
			[]supervise.TaskOption{supervise.WithWatchdog(s), supervise.WithStopTimeout(s), hold(s / 4)}, nil,
			[]string{"running, ready", "running, ready", "stuck, for an abandoned run to return, 1 abandoned", "stuck, for an abandoned run to return, 1 abandoned", "running, ready"}},
		"overlapping": {func(context.Context) error { time.Sleep(4 * time.Second); return nil },
			[]supervise.TaskOption{supervise.WithWatchdog(s), supervise.WithStopTimeout(s), hold(s / 4), supervise.Overlap()}, nil,
			[]string{"running, ready", "running, ready", "running, ready, 1 abandoned"}},
		"not admitted yet": {slow(0, forever, nil), []supervise.TaskOption{supervise.WithAdmission(slowly(2 * s))}, nil,
			[]string{"waiting, for the lights to turn green", "waiting, for the lights to turn green", "running, ready"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sup := supervise.New("s", quiet)
				task := sup.Add("a", test.fn, test.opts...)
				if got := state(task); got != "waiting" {
					t.Errorf("before Run it is %q", got)
				}
				var mu sync.Mutex
				var got []string
				for i := range test.want {
					time.AfterFunc(time.Duration(i)*s+s/2, func() {
						mu.Lock()
						defer mu.Unlock()
						got = append(got, state(task))
					})
				}
				for at, act := range test.acts {
					time.AfterFunc(time.Duration(at)*s, func() { act(task) })
				}
				_ = sup.Run(bubble(t, time.Duration(len(test.want))*s))
				time.Sleep(time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if !slices.Equal(got, test.want) {
					t.Errorf("got\n%q\nwant\n%q", got, test.want)
				}
			})
		})
	}
}

// One that waits for its turn says for whom, and one that waits for its supervisor has its
// place in the tree, and its path, from the beginning.
func TestStatusOfThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := supervise.New("below", quiet)
		leaf := below.Add("leaf", waits)
		root := supervise.New("root", quiet, supervise.WithMaxStarts(1))
		fails := true
		root.Add("first", func(ctx context.Context) error {
			if _ = supervise.Sleep(ctx, time.Second); fails {
				fails = false
				return errBoom
			}
			supervise.Ready(ctx)
			<-ctx.Done()
			return nil
		}, aMinute, supervise.WithPolicy(policy.Constant(2*time.Second)))
		root.Add("below", below.Run)
		want := []string{"root/first", "root/below", "root/below/leaf"}
		if got := paths(root); !slices.Equal(got, want) || leaf.Name() != "root/below/leaf" || root.Task("root/below/leaf") != leaf {
			t.Errorf("before Run: %q", got)
		}
		for at, want := range map[time.Duration][]string{
			500 * time.Millisecond:  {"starting", "waiting, for root/first", "waiting"},
			1500 * time.Millisecond: {"held, until 3s", "waiting, for root/first", "waiting"}, // the branch is held, too
			4500 * time.Millisecond: {"running, ready", "running, ready", "running, ready"},
		} {
			time.AfterFunc(at, func() {
				var got []string
				for task := range root.Tasks() {
					got = append(got, state(task))
				}
				if !slices.Equal(got, want) {
					t.Errorf("after %v: %q, not %q", at, got, want)
				}
			})
		}
		if err := root.Run(bubble(t, 10*time.Second)); err != errStop {
			t.Error(err)
		}
		if got := paths(root); !slices.Equal(got, want) {
			t.Errorf("after Run: %q", got)
		}
	})
}

// A supervisor that is held, or down, is in the tree with all its tasks.
func TestBranchThatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := supervise.New("below", quiet, givesUp)
		below.Add("leaf", func(ctx context.Context) error { _ = supervise.Sleep(ctx, time.Second); return errBoom })
		below.Add("other", waits)
		root := supervise.New("root", quiet, supervise.WithPolicy(policy.Constant(time.Hour)))
		branch := root.Add("below", below.Run)
		want := []string{"root/below", "root/below/leaf", "root/below/other"}
		var mu sync.Mutex
		var seen []string
		look := func() {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, state(branch)+": "+strings.Join(paths(root), " "))
		}
		time.AfterFunc(2*time.Second, look)
		time.AfterFunc(3*time.Second, func() { branch.Stop() })
		time.AfterFunc(4*time.Second, look)
		if err := root.Run(bubble(t, 5*time.Second)); err != errStop {
			t.Error(err)
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		all := strings.Join(want, " ")
		if want := []string{"held, until 1h0m1s: " + all, "stopped: " + all}; !slices.Equal(seen, want) {
			t.Errorf("%q, not %q", seen, want)
		}
	})
}

// A task that runs once has its name free when it has ended, however that was, and is
// started by Restart again.
func TestNameOfOneThatRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := supervise.WithRestart(supervise.Never)
		s := supervise.New("s", quiet, supervise.WithStopTimeout(time.Second))
		var mu sync.Mutex
		runs := map[string]int{}
		add := func(name string, fn func(context.Context) error) *supervise.Task {
			return s.Add(name, func(ctx context.Context) error {
				mu.Lock()
				runs[name]++
				mu.Unlock()
				return fn(ctx)
			}, never)
		}
		ended := add("ended", func(context.Context) error { return nil })
		stopped := add("stopped", waits)
		deafOne := add("deaf", func(context.Context) error { time.Sleep(time.Minute); return nil })
		time.AfterFunc(time.Second, func() { stopped.Stop(); deafOne.Stop() })
		time.AfterFunc(10*time.Second, func() {
			if got := paths(s); len(got) > 0 {
				t.Errorf("%q are there", got)
			}
			for _, task := range []*supervise.Task{ended, stopped, deafOne} {
				task.Restart()
			}
		})
		time.AfterFunc(20*time.Second, func() {
			if got, want := paths(s), []string{"s/stopped", "s/deaf"}; !slices.Equal(got, want) {
				t.Errorf("%q are there, not %q", got, want)
			}
		})
		_ = s.Run(bubble(t, 2*time.Minute))
		mu.Lock()
		defer mu.Unlock()
		if runs["ended"] != 2 || runs["stopped"] != 2 || runs["deaf"] != 2 {
			t.Errorf("%v", runs)
		}
	})
}

// The JSON of a status has what is known, in words.
func TestStatusJSON(t *testing.T) {
	status := supervise.Status{
		Task: "root/a", State: supervise.Held, Since: start, Until: start.Add(time.Minute), Run: 3, Started: start,
		Crashes: 2, Streak: 2, LastErr: errBoom, LastEnd: start,
	}
	const want = `{"task":"root/a","state":"held","since":"2000-01-01T00:00:00Z","until":"2000-01-01T00:01:00Z","run":3,` +
		`"started":"2000-01-01T00:00:00Z","crashes":2,"streak":2,"last_err":"boom","last_end":"2000-01-01T00:00:00Z"}`
	if got, err := json.Marshal(status); err != nil || string(got) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
	if got, err := json.Marshal(supervise.Status{Task: "a"}); err != nil || string(got) != `{"task":"a","state":"waiting","run":0}` {
		t.Errorf("%s, %v", got, err)
	}
}
