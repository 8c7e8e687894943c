package supervise_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// hangs is a task that does not return for a minute, whatever its context says, in its
// first run, and is healthy in others.
func hangs(runs *atomic.Int64) func(context.Context) error {
	return func(ctx context.Context) error {
		if runs.Add(1) == 1 {
			time.Sleep(time.Minute)
			return errBoom
		}
		return supervise.Sleep(ctx, 24*time.Hour)
	}
}

// TestOperateOnAHungTask asks for something at each stage of a hang: the watchdog bites
// after a second, the run is abandoned after two, the hold is over after four, and the
// run returns after a minute.
func TestOperateOnAHungTask(t *testing.T) {
	stop := func(task *supervise.Task) { task.Stop() }
	remove := func(task *supervise.Task) { task.Remove() }
	restart := func(task *supervise.Task) { task.Restart() }
	pause := func(task *supervise.Task) { task.Pause() }
	for name, test := range map[string]struct {
		ask   func(*supervise.Task)
		never bool
		runs  int64
		state supervise.State
		gone  bool
	}{
		"stop":              {ask: stop, runs: 1, state: supervise.Stopped},
		"remove":            {ask: remove, runs: 1, state: supervise.Stopped, gone: true},
		"restart":           {ask: restart, runs: 2, state: supervise.Running},
		"pause":             {ask: pause, runs: 1, state: supervise.Paused},
		"nothing":           {ask: func(*supervise.Task) {}, runs: 2, state: supervise.Running},
		"stop of Never":     {ask: stop, never: true, runs: 1, gone: true},
		"Never":             {ask: func(*supervise.Task) {}, never: true, runs: 1, gone: true},
		"restart of Never":  {ask: restart, never: true, runs: 2, state: supervise.Running},
		"stop and restart":  {ask: func(task *supervise.Task) { task.Stop(); task.Restart() }, runs: 2, state: supervise.Running},
		"restart and stop":  {ask: func(task *supervise.Task) { task.Restart(); task.Stop() }, runs: 1, state: supervise.Stopped},
		"pause and restart": {ask: func(task *supervise.Task) { task.Pause(); task.Restart() }, runs: 2, state: supervise.Running},
	} {
		for _, overlap := range []supervise.TaskOption{nil, supervise.Overlap()} {
			for _, strategy := range []supervise.Strategy{supervise.OneForOne, supervise.OneForAll} {
				for _, at := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond, 30 * time.Second} {
					if overlap != nil && at == 30*time.Second || test.never && at > time.Second && name == "restart of Never" {
						continue // by then another run is under way, or the task has ended
					}
					t.Run(name, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							var runs atomic.Int64
							var j journal
							opts := []supervise.TaskOption{supervise.WithWatchdog(time.Second + 1), supervise.WithStopTimeout(time.Second), overlap}
							if test.never {
								opts = append(opts, supervise.WithRestart(supervise.Never))
							}
							s := supervise.New("s", quiet, supervise.WithPolicy(policy.Constant(2*time.Second)),
								supervise.WithStrategy(strategy), supervise.WithObserver(&j))
							task := s.Add("a", hangs(&runs), opts...)
							time.AfterFunc(at, func() { test.ask(task) })
							time.AfterFunc(time.Hour, func() {
								there, ran := slices.Contains(paths(s), "s/a"), runs.Load()
								if name == "restart and stop" { // another run may have begun between the two
									ran = min(ran, test.runs)
								}
								if got := task.Status(); ran != test.runs || there == test.gone || !test.gone && got.State != test.state {
									t.Errorf("asked after %v: %d runs; it is there: %v; %+v", at, runs.Load(), there, got)
								}
								if test.gone {
									if _, err := s.TryAdd("a", waits); err != nil {
										t.Errorf("its name is not free: %v", err)
									}
								}
							})
							if err := s.Run(bubble(t, 2*time.Hour)); err != errStop {
								t.Error(err)
							}
							for _, wrong := range wrongs(j.all()) {
								t.Error(wrong)
							}
						})
					})
				}
			}
		}
	}
}

// enabling is an observer that is called before each event, where it happens.
type enabling struct{ before func(supervise.Kind) }

func (*enabling) Observe(supervise.Event)         {}
func (e *enabling) Enabled(k supervise.Kind) bool { e.before(k); return true }

// A policy that gives up on a task which an operator has stopped meanwhile ends nothing.
func TestGiveUpOfAStoppedTask(t *testing.T) {
	for _, strategy := range []supervise.Strategy{supervise.OneForOne, supervise.OneForAll} {
		for _, at := range []supervise.Kind{supervise.KindCrash, supervise.KindGiveUp} {
			synctest.Test(t, func(t *testing.T) {
				var task *supervise.Task
				var once sync.Once
				observer := &enabling{func(kind supervise.Kind) {
					if kind == at {
						once.Do(func() { task.Stop(); time.Sleep(time.Second) })
					}
				}}
				s := supervise.New("s", quiet, givesUp, supervise.WithStrategy(strategy), supervise.WithObserver(observer))
				task = s.Add("a", failing)
				s.Add("b", waits)
				if err := s.Run(bubble(t, time.Minute)); err != errStop {
					t.Errorf("%v, stopped at %v: Run returned %v", strategy, at, err)
				}
			})
		}
	}
}

// A run that an operator stopped, and that was abandoned, counts as stopped: its error
// is that.
func TestWaitForAHungTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		s := supervise.New("s", quiet)
		task := s.Add("a", hangs(&runs), supervise.WithStopTimeout(time.Second))
		time.AfterFunc(time.Second, func() { task.Stop() })
		var err error
		go func() { err = task.Wait(t.Context()) }()
		if err := s.Run(bubble(t, 10*time.Second)); !errors.Is(err, errStop) || !errors.Is(err, supervise.ErrAbandoned) {
			t.Error(err)
		}
		synctest.Wait()
		if !errors.Is(err, supervise.ErrAbandoned) || !errors.Is(err, supervise.ErrStopped) {
			t.Error(err)
		}
		time.Sleep(time.Hour)
	})
}
