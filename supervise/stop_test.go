package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

func TestStopTimeoutAbandons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		start := time.Now()
		err := supervise.Run(bubble(t, time.Minute), func(context.Context) error {
			deaf(time.Hour)
			return errBoom
		}, supervise.WithName("x"), supervise.WithStopTimeout(10*time.Second), quiet, supervise.WithObserver(&j))
		if took := time.Since(start); took != 70*time.Second {
			t.Errorf("Run returned after %v", took)
		}
		var stuck *supervise.AbandonedError
		if !errors.As(err, &stuck) || stuck.Task != "x" || stuck.Run != 1 || stuck.Cause != errStop {
			t.Fatalf("%+v", stuck)
		}
		if !errors.Is(err, supervise.ErrAbandoned) || !errors.Is(err, errStop) {
			t.Errorf("%v is not ErrAbandoned and the cause", err)
		}
		stack := string(stuck.Stack)
		if !strings.Contains(stack, "supervise_test.deaf") || strings.Count(stack, "goroutine ") > 2 || strings.Contains(stack, "testing.tRunner") {
			t.Errorf("stack:\n%s", stack)
		}
		if text := fmt.Sprintf("%+v", stuck); !strings.Contains(text, `abandoned task "x", run 1`) || !strings.Contains(text, stack) {
			t.Error(text)
		}
		time.Sleep(2 * time.Hour) // the run ends after all
		synctest.Wait()
		if late := j.of(supervise.KindReturn); len(late) != 1 || late[0].Err != errBoom {
			t.Errorf("told of the late return: %+v", late)
		}
		if len(j.of(supervise.KindAbandon)) != 1 || len(j.of(supervise.KindStart)) != 1 {
			t.Errorf("told: %v", j.kinds())
		}
	})
}

// TestStopTimeoutInTime is of functions that return within it, one of them at the
// very instant.
func TestStopTimeoutInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, takes := range []time.Duration{0, time.Second, 10*time.Second - 1} {
			err := supervise.Run(bubble(t, time.Minute), func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(takes)
				return nil
			}, supervise.WithStopTimeout(10*time.Second))
			if err != errStop {
				t.Errorf("after %v: %v", takes, err)
			}
		}
		if err := supervise.Run(t.Context(), times(1, func() error { return errBoom }), supervise.WithStopTimeout(0), atOnce, quiet); err != nil {
			t.Error(err)
		}
		if err := supervise.Run(bubble(t, time.Second), failing, supervise.WithStopTimeout(0), quiet); err != errStop {
			t.Error(err)
		}
	})
}

// TestStopTimeoutAfterGoexit: the stack is that of the goroutine which
// took over.
func TestStopTimeoutAfterGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := supervise.Run(bubble(t, time.Minute), func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run == 1 {
				return exits(ctx)
			}
			deaf(time.Hour)
			return nil
		}, supervise.WithStopTimeout(0), atOnce, quiet)
		var stuck *supervise.AbandonedError
		if !errors.As(err, &stuck) || stuck.Run != 2 || !strings.Contains(string(stuck.Stack), "supervise_test.deaf") {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Hour)
	})
}
