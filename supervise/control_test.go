package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("a", supervise.WithPolicy(policy.Constant(time.Minute)))
		a := b.tasks["a"]
		if s := a.Status(); s != (supervise.Status{Task: "root/a"}) {
			t.Errorf("before Run: %+v", s)
		}
		if a.Release() {
			t.Error("it was held before it ran")
		}
		start := time.Now()
		b.run()
		synctest.Wait()
		if s := a.Status(); s != (supervise.Status{Task: "root/a", State: supervise.Running, Since: start, Ready: true, Run: 1, Started: start}) {
			t.Errorf("running: %+v", s)
		}
		b.end("a", errBoom)
		synctest.Wait()
		held := gate.Held(gate.BackingOff, start.Add(time.Minute))
		s := a.Status()
		if !s.Gate.Equal(held) {
			t.Errorf("held: %v", s.Gate)
		}
		if s.Gate = held; s != (supervise.Status{Task: "root/a", State: supervise.Held, Since: start, Until: start.Add(time.Minute),
			Gate: held, Run: 1, Started: start, Crashes: 1, Streak: 1, LastErr: errBoom, LastEnd: start}) {
			t.Errorf("held: %+v", s)
		}
		if !a.Release() || a.Name() != "root/a" {
			t.Error("it was not held")
		}
		synctest.Wait()
		if s := a.Status(); s.State != supervise.Running || s.Run != 2 || !s.Ready {
			t.Errorf("released: %+v", s)
		}
		_ = b.shut()
	})
}

func TestStopAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("a")
		b.add("b")
		b.tasks["b"].Stop() // before Run: it is not started
		b.run()
		b.expect("+a")
		b.tasks["b"].Restart()
		b.expect("+b")
		b.tasks["a"].Stop()
		b.tasks["a"].Stop()
		b.expect("-a")
		time.Sleep(time.Hour)
		b.expect("")
		b.tasks["a"].Restart()
		b.expect("+a")
		b.tasks["a"].Restart() // no crash, so no hold
		b.expect("-a +a")
		b.end("a", errBoom)
		b.expect("!a")
		b.tasks["a"].Restart() // ends the hold
		b.expect("+a")
		b.end("a", errBoom)
		b.expect("!a")
		b.tasks["a"].Stop() // in the hold
		time.Sleep(time.Hour)
		b.expect("-a")
		_ = b.shut()
	})
}

// TestControlFromInside has tasks and observers call all there is, also of their
// own tasks and of their supervisor.
func TestControlFromInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("root", quiet, second)
		var self *supervise.Task
		all := func() {
			for task := range s.Tasks() {
				_ = task.Status()
				_ = task.Release()
			}
		}
		var kinds []string
		self = s.Add("self", func(ctx context.Context) error {
			all()
			info, _ := supervise.FromContext(ctx)
			switch info.Run {
			case 1:
				self.Restart()
				<-ctx.Done()
				return nil
			case 2:
				return errBoom
			}
			_, err := s.TryAdd("more", func(context.Context) error { return nil })
			self.Stop()
			<-ctx.Done()
			return err
		}, supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
			all()
			self.Release()
		})))
		root := supervise.New("top", quiet, supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
			all()
			kinds = append(kinds, fmt.Sprint(e.Task, " ", e.Kind))
		})))
		root.Add("root", s.Run)
		if err := root.Run(bubble(t, time.Hour)); err != errStop {
			t.Error(err)
		}
		got := strings.Join(kinds, ", ")
		if !strings.Contains(got, "top/root/self crash") || !strings.Contains(got, "top/root/more exit") {
			t.Error(got)
		}
	})
}

// TestTreeAbandons is of a task that does not stop: it is named, with its stack,
// whatever the level it is at, and its late end is reported.
func TestTreeAbandons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		inner := supervise.New("inner")
		inner.Add("deaf", func(context.Context) error { deaf(time.Hour); return errBoom }, supervise.WithStopTimeout(time.Second))
		inner.Add("good", func(ctx context.Context) error { <-ctx.Done(); return nil }, supervise.WithStopTimeout(time.Second))
		root := supervise.New("root", quiet, supervise.WithObserver(&j))
		root.Add("inner", inner.Run)
		start := time.Now()
		err := root.Run(bubble(t, time.Minute))
		if took := time.Since(start); took != 61*time.Second {
			t.Errorf("Run took %v", took)
		}
		var stuck *supervise.AbandonedError
		if !errors.Is(err, errStop) || !errors.As(err, &stuck) || stuck.Task != "root/inner/deaf" || !strings.Contains(string(stuck.Stack), "supervise_test.deaf") {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if late := j.of(supervise.KindReturn); len(late) != 1 || late[0].Task != "root/inner/deaf" || late[0].Err != errBoom {
			t.Errorf("told of the late return: %+v", late)
		}
	})
}

// TestHungInTree is of a run that the watchdog cancels and that does not end: the
// task waits for it, or does not, if its runs may overlap.
func TestHungInTree(t *testing.T) {
	for name, test := range map[string]struct {
		opts []supervise.TaskOption
		want time.Duration // of the second start
	}{
		"waits":    {nil, time.Hour},
		"overlaps": {[]supervise.TaskOption{supervise.Overlap()}, time.Minute + 2*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				s := supervise.New("root", quiet, second, supervise.WithObserver(&j))
				task := s.Add("x", func(ctx context.Context) error {
					if info, _ := supervise.FromContext(ctx); info.Run == 1 {
						deaf(time.Hour)
						supervise.Ready(ctx) // comes too late, and changes nothing
						return nil
					}
					for ctx.Err() == nil {
						supervise.Alive(ctx)
						time.Sleep(time.Second)
					}
					return nil
				}, append(test.opts, supervise.WithWatchdog(time.Minute), supervise.WithStopTimeout(time.Second))...)
				start := time.Now()
				if err := s.Run(bubble(t, 2*time.Hour+1)); err != errStop {
					t.Error(err)
				}
				starts := j.of(supervise.KindStart)
				if len(starts) != 2 || starts[1].At.Sub(start) != test.want || starts[1].Run != 2 {
					t.Errorf("starts: %+v", starts)
				}
				crash := j.of(supervise.KindCrash)
				if len(crash) != 1 || crash[0].Err != supervise.ErrWatchdog || crash[0].Ran != 61*time.Second {
					t.Errorf("crashes: %+v", crash)
				}
				if len(j.of(supervise.KindAbandon)) != 1 || len(j.of(supervise.KindReturn)) != 1 {
					t.Errorf("told: %v", j.kinds())
				}
				if st := task.Status(); st.Crashes != 1 || st.Run != 2 || st.Ready {
					t.Errorf("status %+v", st)
				}
			})
		})
	}
}

// TestHungGivesUp is of a policy that gives up on a run that hangs.
func TestHungGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("root", quiet)
		s.Add("x", func(context.Context) error { deaf(time.Hour); return nil },
			supervise.WithWatchdog(time.Minute), supervise.WithStopTimeout(time.Second), givesUp)
		err := s.Run(t.Context())
		var gave *supervise.GaveUpError
		if !errors.As(err, &gave) || gave.Err != supervise.ErrWatchdog || !errors.Is(err, supervise.ErrAbandoned) {
			t.Error(err)
		}
		time.Sleep(time.Hour)
	})
}

// TestHungInGroup is of a hung task whose siblings are restarted with it.
func TestHungInGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.OneForAll))
		b.add("a")
		hang := true
		b.sup.Add("x", func(ctx context.Context) error {
			if hang {
				hang = false
				deaf(time.Hour)
				return nil
			}
			<-ctx.Done()
			return nil
		}, supervise.WithWatchdog(24*time.Hour), supervise.WithStopTimeout(time.Second))
		b.run()
		b.expect("+a +x")
		b.end("a", errBoom)
		time.Sleep(2 * time.Second) // x does not stop; a goes on without it
		b.expect("!a -x +a")
		time.Sleep(time.Hour)
		b.expect("+x")
		_ = b.shut()
	})
}

func TestMaxAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("root", quiet, atOnce, supervise.WithMaxAbandoned(2))
		s.Add("x", func(context.Context) error { deaf(24 * time.Hour); return nil },
			supervise.WithWatchdog(time.Minute), supervise.WithStopTimeout(0), supervise.Overlap())
		start := time.Now()
		err := s.Run(t.Context())
		if took := time.Since(start); took != 3*time.Minute {
			t.Errorf("it took %v", took)
		}
		if !errors.Is(err, supervise.ErrAbandoned) || strings.Count(err.Error(), `abandoned task "root/x"`) < 3 {
			t.Error(err)
		}
		time.Sleep(24 * time.Hour)
	})
}
