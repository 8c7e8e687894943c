package supervise_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// TestStorm has thousands of tasks crash at one instant, again and again: none is
// lost, none runs before its gate opens, none is held for the crashes of others,
// and no event is dropped.
func TestStorm(t *testing.T) {
	const crashes = 4
	for tasks, opts := range map[int][]supervise.SupervisorOption{
		10_000: {supervise.Unordered()},
		1000:   {supervise.Unordered(), supervise.WithMaxStarts(100)},
	} {
		t.Run(fmt.Sprint(tasks), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				s := supervise.New("root", append(opts, quiet, supervise.WithObserver(&j), classic)...)
				starts := make([][]time.Duration, tasks)
				crash := make(chan struct{})
				begun := time.Now()
				for i := range tasks {
					_, err := s.TryAdd(fmt.Sprint(i), func(ctx context.Context) error {
						starts[i] = append(starts[i], time.Since(begun))
						if len(starts[i]) == 1 {
							<-crash
						}
						if len(starts[i]) <= crashes {
							return errBoom
						}
						<-ctx.Done()
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				time.AfterFunc(time.Second, func() { close(crash) })
				if err := s.Run(bubble(t, time.Minute)); err != errStop {
					t.Error(err)
				}
				// The default delays, after the crash at 1 s.
				want := fmt.Sprint([]time.Duration{0, 1500 * time.Millisecond, 2500 * time.Millisecond, 4500 * time.Millisecond, 8500 * time.Millisecond})
				for i := range starts {
					if got := fmt.Sprint(starts[i]); got != want {
						t.Fatalf("task %d ran at %v, want %v", i, got, want)
					}
				}
				if got := len(j.of(supervise.KindCrash)); got != tasks*crashes {
					t.Errorf("%d crashes told, want %d", got, tasks*crashes)
				}
			})
		})
	}
}
