package supervise_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// A policy sees how long each run has lasted, the first one too, before which the task
// had no gate.
func TestPolicySeesTheFirstRun(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(context.Context) error
		want time.Duration
		opts []supervise.TaskOption
	}{
		"a crash":      {failing, time.Minute, nil},
		"a clean exit": {func(context.Context) error { return nil }, time.Minute, []supervise.TaskOption{supervise.WithRestart(supervise.Always)}},
		"a hang": {func(context.Context) error { time.Sleep(time.Hour); return nil }, 2*time.Minute + time.Second,
			[]supervise.TaskOption{supervise.WithWatchdog(2 * time.Minute), supervise.WithStopTimeout(time.Second)}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var saw []time.Duration
				var crashes atomic.Int64
				rule := policy.Func(func(h policy.History) policy.Decision {
					crashes.Add(1)
					saw = append(saw, h.Ran())
					return policy.Decision{Delay: time.Second}
				})
				s := supervise.New("s", quiet, supervise.WithPolicy(rule))
				s.Add("a", func(ctx context.Context) error {
					if crashes.Load() == 2 {
						return supervise.Sleep(ctx, 24*time.Hour)
					}
					time.Sleep(time.Minute)
					return test.end(ctx)
				}, test.opts...)
				if err := s.Run(bubble(t, 5*time.Hour)); err != errStop {
					t.Error(err)
				}
				if got, want := fmt.Sprint(saw[:2]), fmt.Sprint([]time.Duration{test.want, test.want}); got != want {
					t.Errorf("the policy saw runs of %v, not %v", got, want)
				}
			})
		})
	}
}
