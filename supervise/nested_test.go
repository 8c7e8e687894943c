package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// timetable is what happened, with the time since its first entry.
type timetable struct {
	mu    sync.Mutex
	begun time.Time
	lines []string
}

func (d *timetable) add(what ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begun.IsZero() {
		d.begun = time.Now()
	}
	d.lines = append(d.lines, fmt.Sprint(time.Since(d.begun), ": ", fmt.Sprint(what...)))
}

func (d *timetable) all() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, "\n")
}

// up is a task that writes when it starts, is ready after some time, and takes some to
// stop.
func (d *timetable) up(name string, ready, stop time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		d.add(name, " starts")
		if supervise.Sleep(ctx, ready) != nil {
			d.add(name, " stops before it is ready")
			return nil
		}
		supervise.Ready(ctx)
		<-ctx.Done()
		time.Sleep(stop)
		d.add(name, " stops")
		return nil
	}
}

var aMinute = supervise.WithReadyTimeout(time.Minute)

// TestNestedStart starts a tree depth first: a supervisor is ready when its first tasks
// are, and what comes after it waits for that. It stops in reverse.
func TestNestedStart(t *testing.T) {
	for name, opt := range map[string]supervise.TaskOption{"as it is": nil, "with a ready timeout": aMinute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d timetable
				inner := supervise.New("inner", quiet)
				inner.Add("c", d.up("c", time.Second, 0), aMinute)
				inner.Add("d", d.up("d", time.Second, time.Second), aMinute)
				outer := supervise.New("outer", quiet)
				outer.Add("b", d.up("b", time.Second, 0), aMinute)
				outer.Add("inner", inner.Run, opt)
				outer.Add("e", d.up("e", 0, 0))
				root := supervise.New("root", quiet)
				root.Add("a", d.up("a", 0, 0))
				root.Add("outer", outer.Run, opt)
				root.Add("f", d.up("f", 0, 0))
				var ready []supervise.State
				time.AfterFunc(2500*time.Millisecond, func() {
					for task := range root.Tasks() {
						ready = append(ready, task.Status().State)
					}
				})
				go func() {
					if err := root.WaitReady(t.Context()); err == nil {
						d.add("all are ready")
					}
				}()
				if err := root.Run(bubble(t, 10*time.Second)); err != errStop {
					t.Error(err)
				}
				synctest.Wait()
				want := `0s: a starts
0s: b starts
1s: c starts
2s: d starts
3s: e starts
3s: f starts
3s: all are ready
10s: f stops
10s: e stops
11s: d stops
11s: c stops
11s: b stops
11s: a stops`
				if got := sorted(d.all()); got != sorted(want) {
					t.Errorf("got\n%s\nwant\n%s", d.all(), want)
				}
				states := []supervise.State{supervise.Running, supervise.Starting, supervise.Running, supervise.Starting, supervise.Running, supervise.Starting, supervise.Waiting, supervise.Waiting}
				if !slices.Equal(ready, states) {
					t.Errorf("%v, not %v", ready, states)
				}
			})
		})
	}
}

// sorted sorts what is started at the same instant, since each start is written down by a
// goroutine of its own.
func sorted(lines string) string {
	all := strings.Split(lines, "\n")
	key := func(line string) string {
		at, what, _ := strings.Cut(line, ": ")
		if strings.HasSuffix(what, " stops") {
			return ""
		}
		return at
	}
	slices.SortStableFunc(all, func(a, b string) int {
		if key(a) == "" || key(a) != key(b) {
			return 0
		}
		return strings.Compare(a, b)
	})
	return strings.Join(all, "\n")
}

// A supervisor one of whose tasks does not become ready is not ready in time itself: it is
// stopped, that task first, and counts as crashed.
func TestNestedNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d timetable
		below := supervise.New("below", quiet)
		below.Add("a", d.up("a", 0, 0))
		below.Add("b", d.up("b", time.Hour, 0), supervise.WithReadyTimeout(24*time.Hour))
		root := supervise.New("root", quiet, second)
		task := root.Add("below", below.Run, aMinute)
		root.Add("after", d.up("after", 0, 0))
		if err := root.Run(bubble(t, 90*time.Second)); err != errStop {
			t.Error(err)
		}
		want := `0s: a starts
0s: b starts
1m0s: b stops before it is ready
1m0s: a stops
1m1s: a starts
1m1s: b starts
1m30s: b stops before it is ready
1m30s: a stops`
		if got := sorted(d.all()); got != sorted(want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if runs := task.Runs(); len(runs) != 1 || !runs[0].Crashed || !errors.Is(task.Status().LastErr, supervise.ErrNotReady) {
			t.Errorf("%+v", runs)
		}
	})
}

// stuckHere does not look at its context.
//
//go:noinline
func stuckHere(free <-chan struct{}) error {
	<-free
	return nil
}

// TestStuckGrandchild has a task below a supervisor not stop: that task is what is
// reported, with its stack, and nobody else is left running. free lets it go.
func TestStuckGrandchild(t *testing.T) {
	timeout := supervise.WithStopTimeout(time.Second)
	for name, add := range map[string]func(root, below *supervise.Supervisor){
		"the timeout is the supervisor's": func(root, below *supervise.Supervisor) { root.Add("below", below.Run, timeout) },
		"the timeout is of all":           func(root, below *supervise.Supervisor) { root.Add("below", below.Run) },
		"a function runs the supervisor": func(root, below *supervise.Supervisor) {
			root.Add("below", func(ctx context.Context) error { return below.Run(ctx) }, timeout)
		},
		"a function runs it two levels deep": func(root, below *supervise.Supervisor) {
			root.Add("below", func(ctx context.Context) error { return below.Run(ctx) }, timeout)
		},
		"a supervisor of a function, and levels": func(root, below *supervise.Supervisor) { root.Add("below", below.Run, timeout) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				free := make(chan struct{})
				var live atomic.Int64
				healthy := func(ctx context.Context) error {
					live.Add(1)
					defer live.Add(-1)
					<-ctx.Done()
					return nil
				}
				below := supervise.New("below", quiet)
				path, leaf := "root/below/stuck", below
				if strings.Contains(name, "levels") {
					deep := supervise.New("deep", quiet)
					below.Add("h", healthy)
					below.Add("deep", deep.Run)
					path, leaf = "root/below/deep/stuck", deep
				}
				leaf.Add("first", healthy)
				leaf.Add("stuck", func(ctx context.Context) error {
					if info, _ := supervise.FromContext(ctx); info.Run < 3 { // so that its runs and those of supervisors have other numbers
						return errBoom
					}
					return stuckHere(free)
				})
				leaf.Add("last", healthy)
				var opts []supervise.SupervisorOption
				if name == "the timeout is of all" {
					opts = append(opts, timeout)
				}
				var j journal
				root := supervise.New("root", append(opts, quiet, supervise.WithObserver(&j))...)
				root.Add("healthy", healthy)
				add(root, below)
				err := root.Run(bubble(t, time.Minute))
				running := live.Load()
				close(free)
				synctest.Wait()
				left, abandoned := errors.AsType[*supervise.AbandonedError](err)
				if !abandoned || left.Task != path || left.Run != 3 || left.Cause != errStop {
					t.Fatalf("Run returned %v", err)
				}
				if !strings.Contains(string(left.Stack), "supervise_test.stuckHere(") {
					t.Errorf("the stack is %s", left.Stack)
				}
				if wrong := wrongs(j.all()); len(wrong) > 0 || len(notReturned(j.all())) > 0 {
					t.Errorf("%q have not returned; %q", notReturned(j.all()), wrong)
				}
				wrapped := strings.Contains(name, "function runs") // what is left behind then is the function
				if !wrapped && running > 0 || live.Load() > 0 {
					t.Errorf("%d tasks run when Run has returned, %d when the stuck one has ended", running, live.Load())
				}
			})
		})
	}
}

// A supervisor that was restarted by an operator reports what its tasks ended with, as
// one that was stopped does.
func TestNestedRestartReportsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		below := supervise.New("below", quiet)
		below.Add("a", func(ctx context.Context) error { <-ctx.Done(); return errBoom })
		root := supervise.New("root", quiet, supervise.WithObserver(&j))
		task := root.Add("below", below.Run)
		time.AfterFunc(time.Second, func() { task.Restart() })
		if err := root.Run(bubble(t, time.Minute)); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		var stops []string
		for _, e := range j.of(supervise.KindStop) {
			if errors.Is(e.Err, errBoom) {
				stops = append(stops, e.Task)
			}
		}
		if want := []string{"root/below/a", "root/below", "root/below/a", "root/below"}; !slices.Equal(stops, want) {
			t.Errorf("%q, not %q", stops, want)
		}
	})
}
