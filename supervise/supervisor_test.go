package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// diary is an observer that keeps starts and ends of runs as short words, such as
// "+a" and "-a" for a task root/a.
type diary struct {
	mu    sync.Mutex
	words []string
}

func (d *diary) Observe(e supervise.Event) {
	sign := map[supervise.Kind]string{supervise.KindStart: "+", supervise.KindCrash: "!", supervise.KindExit: "-", supervise.KindStop: "-"}[e.Kind]
	if sign == "" || e.Kind == supervise.KindStop && e.Ran == 0 && e.Run == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.words = append(d.words, sign+strings.TrimPrefix(e.Task, "root/"))
}

// take returns what was written since the last time.
func (d *diary) take() string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	words := strings.Join(d.words, " ")
	d.words = nil
	return words
}

// bed is a supervisor that runs in a bubble, with tasks that end as they are
// told.
type bed struct {
	t     *testing.T
	sup   *supervise.Supervisor
	diary diary
	ends  map[string]chan func() error
	tasks map[string]*supervise.Task
	stop  context.CancelCauseFunc
	done  chan error
}

func newBed(t *testing.T, opts ...supervise.SupervisorOption) *bed {
	b := &bed{t: t, ends: map[string]chan func() error{}, tasks: map[string]*supervise.Task{}, done: make(chan error, 1)}
	b.sup = supervise.New("root", append([]supervise.SupervisorOption{quiet, supervise.WithObserver(&b.diary), second}, opts...)...)
	return b
}

// add adds a task that runs until it is stopped, or told by end.
func (b *bed) add(name string, opts ...supervise.TaskOption) {
	b.t.Helper()
	end := make(chan func() error)
	b.ends[name] = end
	task, err := b.sup.TryAdd(name, func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case how := <-end:
			return how()
		}
	}, opts...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.tasks[name] = task
}

func (b *bed) run() {
	ctx, cancel := context.WithCancelCause(b.t.Context())
	b.stop = cancel
	go func() { b.done <- b.sup.Run(ctx) }()
	synctest.Wait()
}

// end has a run end, and returns when all has come of it that can at once.
func (b *bed) end(name string, err error) {
	b.ends[name] <- func() error { return err }
	synctest.Wait()
}

// expect compares what has happened since the last time.
func (b *bed) expect(want string) {
	b.t.Helper()
	if got := b.diary.take(); got != want {
		b.t.Errorf("got  %s\nwant %s", got, want)
	}
}

// shut stops the supervisor and returns what Run returned.
func (b *bed) shut() error {
	b.stop(errStop)
	return <-b.done
}

func TestSupervisorOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("a")
		b.add("b")
		b.run()
		synctest.Wait()
		b.add("c")
		b.expect("+a +b +c")
		if err := b.shut(); err != errStop {
			t.Error(err)
		}
		b.expect("-c -b -a")
		// Once more, with another task.
		b.add("d")
		b.run()
		b.expect("+a +b +c +d")
		_ = b.shut()
		b.expect("-d -c -b -a")
	})
}

// TestSupervisorStopsOneByOne: a task is asked to stop when the one
// after it has.
func TestSupervisorStopsOneByOne(t *testing.T) {
	for name, test := range map[string]struct {
		opts []supervise.SupervisorOption
		want time.Duration
	}{
		"ordered":   {nil, 3 * time.Minute},
		"unordered": {[]supervise.SupervisorOption{supervise.Unordered()}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := supervise.New("root", append(test.opts, quiet)...)
				for i := range 3 {
					s.Add(fmt.Sprint("t", i), func(ctx context.Context) error {
						<-ctx.Done()
						time.Sleep(time.Minute)
						return nil
					})
				}
				start := time.Now()
				if err := s.Run(bubble(t, time.Second)); err != errStop {
					t.Error(err)
				}
				if took := time.Since(start) - time.Second; took != test.want {
					t.Errorf("stopping took %v, want %v", took, test.want)
				}
			})
		})
	}
}

func TestSupervisorDropDynamic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.DropDynamic())
		b.add("a")
		b.run()
		synctest.Wait()
		b.add("b")
		b.expect("+a +b")
		_ = b.shut()
		b.run()
		b.expect("-b -a +a")
		_ = b.shut()
	})
}

func TestSupervisorRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("a")
		b.run()
		synctest.Wait()
		if err := b.sup.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `supervisor "root" is running already`) {
			t.Error(err)
		}
		slow := b.sup.Add("slow", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Minute); return nil })
		synctest.Wait()
		b.stop(errStop)
		synctest.Wait()
		if _, err := b.sup.TryAdd("late", failing); !errors.Is(err, supervise.ErrStopping) {
			t.Error(err)
		}
		slow.Restart() // comes too late
		<-b.done
		b.expect("+a +slow -slow -a")
	})
	s := supervise.New("root")
	s.Add("a", failing)
	if _, err := s.TryAdd("a", failing); !errors.Is(err, supervise.ErrDuplicate) || err.Error() != `supervise: supervisor "root": task "a" is not added: there is a task of that name; names are unique among siblings` {
		t.Error(err)
	}
	mustPanic(t, `New: the name "" is empty`, func() { supervise.New("") })
	mustPanic(t, `Add: the name "a/b" is empty or holds a slash`, func() { supervise.New("x").Add("a/b", failing) })
	mustPanic(t, "fn is nil", func() { supervise.New("x").Add("a", nil) })
	mustPanic(t, "strategy (3) is unknown", func() { supervise.WithStrategy(3) })
	mustPanic(t, "WithMaxStarts: 0 is below 1", func() { supervise.WithMaxStarts(0) })
	mustPanic(t, "WithMaxAbandoned: 0 is below 1", func() { supervise.WithMaxAbandoned(0) })
	var none context.Context
	mustPanic(t, "ctx is nil", func() { _ = supervise.New("x").Run(none) })
}

// TestStrategies crashes b of a, b, c, and looks at what is stopped and started,
// in which order.
func TestStrategies(t *testing.T) {
	for strategy, want := range map[supervise.Strategy][2]string{
		supervise.OneForOne:  {"!b", "+b"},
		supervise.OneForAll:  {"!b -c -a", "+a +b +c"},
		supervise.RestForOne: {"!b -c", "+b +c"},
	} {
		t.Run(strategy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, supervise.WithStrategy(strategy))
				b.add("a")
				b.add("b")
				b.add("c")
				b.run()
				b.expect("+a +b +c")
				b.end("b", errBoom)
				b.expect(want[0])
				time.Sleep(time.Second - 1)
				b.expect("")
				time.Sleep(time.Nanosecond)
				b.expect(want[1])
				_ = b.shut()
				b.expect("-c -b -a")
			})
		})
	}
	if got := supervise.Strategy(7).String(); got != "strategy(7)" {
		t.Error(got)
	}
}

// TestGroupJoins crashes a second task while its group is held for the first: the
// later of both ends the hold.
func TestGroupJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.RestForOne))
		b.add("a", supervise.WithPolicy(policy.Constant(10*time.Second)))
		b.add("b")
		b.add("c", supervise.WithPolicy(policy.Constant(5*time.Second)))
		b.run()
		b.expect("+a +b +c")
		b.end("c", errBoom)
		b.expect("!c")
		time.Sleep(time.Second)
		b.end("a", errBoom)
		b.expect("!a -b")
		time.Sleep(10*time.Second - 1)
		b.expect("")
		time.Sleep(time.Nanosecond)
		b.expect("+a +b +c")
		_ = b.shut()
	})
}

// TestGroupCrashWhileStopping is of a sibling that crashes by itself just before
// it would be stopped.
func TestGroupCrashWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.OneForAll))
		b.add("a", supervise.WithPolicy(policy.Constant(time.Minute)))
		b.add("b")
		_, err := b.sup.TryAdd("slow", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(10 * time.Second)
			return errBoom // what it ends with when it is stopped does not matter
		})
		if err != nil {
			t.Fatal(err)
		}
		b.run()
		b.expect("+a +b +slow")
		b.end("b", errBoom)
		b.expect("!b")
		b.end("a", errBoom) // while slow is being stopped
		b.expect("!a")
		time.Sleep(10 * time.Second)
		b.expect("-slow")
		time.Sleep(50 * time.Second)
		b.expect("+a +b +slow")
		err = b.shut()
		if !errors.Is(err, errStop) || !strings.Contains(err.Error(), "root/slow: boom") {
			t.Error(err)
		}
	})
}

// TestGroupLeavesOnce: tasks which run once are not started again with
// their group.
func TestGroupLeavesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.OneForAll))
		b.add("a")
		b.add("once", supervise.WithRestart(supervise.Never))
		b.add("done")
		b.run()
		b.end("done", nil)
		b.expect("+a +once +done -done")
		b.end("a", errBoom)
		time.Sleep(time.Second)
		b.expect("!a -once +a")
		if n := len(slices.Collect(b.sup.Tasks())); n != 2 {
			t.Errorf("%d tasks are left", n)
		}
		_ = b.shut()
	})
}

func TestGroupForceRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.OneForAll))
		b.add("a", supervise.WithPolicy(policy.Constant(1<<63-1)))
		b.add("b")
		b.run()
		b.end("a", errBoom)
		b.expect("+a +b !a -b")
		if !b.tasks["a"].Release() {
			t.Error("it was not held")
		}
		b.expect("+a +b")
		b.end("a", errBoom)
		b.expect("!a -b")
		b.tasks["a"].Restart()
		b.expect("+a +b")
		b.end("a", errBoom)
		b.expect("!a -b")
		if err := b.shut(); err != errStop { // in the hold
			t.Error(err)
		}
	})
}

// TestFairness: a task which loops holds no other under OneForOne.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, classic)
		b.sup.Add("loop", failing)
		b.add("b")
		b.run()
		time.Sleep(time.Minute)
		b.diary.take()
		b.end("b", errBoom)
		time.Sleep(500 * time.Millisecond)
		b.expect("!b +b")
		_ = b.shut()
	})
}

// TestCycle hands a supervisor its own Run, directly and by way of another.
func TestCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("root", quiet, givesUp)
		s.Add("self", s.Run)
		if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `supervisor "root" is to run as a task below itself`) {
			t.Error(err)
		}
		a, b := supervise.New("a", quiet, givesUp), supervise.New("b", quiet, givesUp)
		a.Add("b", b.Run)
		b.Add("a", a.Run)
		if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `supervisor "a" is to run as a task below itself`) {
			t.Error(err)
		}
	})
}

// TestAddWhileItStops: that is no programmer's mistake, so it does not panic. The task is
// for the next Run.
func TestAddWhileItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("s", quiet)
		var late *supervise.Task
		runs := 0
		s.Add("first", func(ctx context.Context) error {
			<-ctx.Done()
			if late == nil {
				late = s.Add("late", func(ctx context.Context) error {
					runs++
					return waits(ctx)
				})
			}
			return nil
		})
		for life := range 3 {
			if err := s.Run(bubble(t, time.Minute)); err != errStop {
				t.Error(err)
			}
			if runs != life {
				t.Errorf("in life %d it has run %d times", life, runs)
			}
		}
	})
}
