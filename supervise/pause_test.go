package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// Whatever a task does when it is paused and restarted: what was asked last is so.
func TestPauseAndRestart(t *testing.T) {
	pause := func(task *supervise.Task) { task.Pause() }
	restart := func(task *supervise.Task) { task.Restart() }
	stop := func(task *supervise.Task) { task.Stop() }
	release := func(task *supervise.Task) { task.Release() }
	probe := func(task *supervise.Task) { task.Probe() }
	type ask = func(*supervise.Task)
	for name, asks := range map[string]struct {
		asks []ask
		want supervise.State
	}{
		"pause":                         {[]ask{pause}, supervise.Paused},
		"pause, restart":                {[]ask{pause, restart}, supervise.Running},
		"pause, release":                {[]ask{pause, release}, supervise.Running},
		"pause, probe":                  {[]ask{pause, probe}, supervise.Running},
		"restart, pause":                {[]ask{restart, pause}, supervise.Paused},
		"pause, restart, pause":         {[]ask{pause, restart, pause}, supervise.Paused},
		"stop, pause":                   {[]ask{stop, pause}, supervise.Stopped},
		"pause, stop":                   {[]ask{pause, stop}, supervise.Stopped},
		"pause, stop, restart":          {[]ask{pause, stop, restart}, supervise.Running},
		"stop, pause, restart":          {[]ask{stop, pause, restart}, supervise.Running},
		"stop, restart, pause":          {[]ask{stop, restart, pause}, supervise.Paused},
		"stop, pause, release":          {[]ask{stop, pause, release}, supervise.Stopped},
		"pause, stop, restart, pause":   {[]ask{pause, stop, restart, pause}, supervise.Paused},
		"restart, stop, pause, restart": {[]ask{restart, stop, pause, restart}, supervise.Running},
	} {
		for _, strategy := range []supervise.Strategy{supervise.OneForOne, supervise.OneForAll} {
			for _, between := range []time.Duration{0, 300 * time.Millisecond, time.Minute} {
				for _, slow := range []time.Duration{0, time.Second} {
					t.Run(fmt.Sprint(name, ", ", strategy, ", ", between, ", ", slow), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							s := supervise.New("s", quiet, second, supervise.WithStrategy(strategy))
							task := s.Add("a", func(ctx context.Context) error {
								<-ctx.Done()
								time.Sleep(slow)
								return nil
							})
							s.Add("b", func(ctx context.Context) error { <-ctx.Done(); return nil })
							time.AfterFunc(time.Second, func() {
								for _, ask := range asks.asks {
									ask(task)
									time.Sleep(between)
								}
							})
							time.AfterFunc(time.Hour, func() {
								if state := task.Status().State; state != asks.want {
									t.Errorf("%v, not %v", state, asks.want)
								}
							})
							if err := s.Run(bubble(t, 2*time.Hour)); err != errStop {
								t.Error(err)
							}
						})
					})
				}
			}
		}
	}
}

// A task that is paused while it waits for something else than its gate does not run.
func TestPauseWhileWaiting(t *testing.T) {
	for _, refuses := range []error{nil, errBoom} {
		t.Run(fmt.Sprint("refuses: ", refuses), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var runs atomic.Int64
				asked := 0
				admission := supervise.AdmissionFunc(func(ctx context.Context) error {
					if asked++; asked > 1 {
						return nil
					}
					select {
					case <-time.After(time.Minute):
						return refuses
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				})
				s := supervise.New("s", quiet, second)
				task := s.Add("a", func(ctx context.Context) error {
					runs.Add(1)
					<-ctx.Done()
					return nil
				}, supervise.WithAdmission(admission))
				time.AfterFunc(time.Second, func() { task.Pause() })
				time.AfterFunc(time.Hour, func() {
					if status := task.Status(); runs.Load() > 0 || status.State != supervise.Paused || status.Crashes > 0 {
						t.Errorf("%d runs of a task that is paused; %+v", runs.Load(), status)
					}
					task.Release()
				})
				err := s.Run(bubble(t, 2*time.Hour))
				synctest.Wait()
				if !errors.Is(err, errStop) || runs.Load() != 1 || asked != 2 {
					t.Errorf("%v after %d runs; the admission was asked %d times", err, runs.Load(), asked)
				}
			})
		})
	}
}
