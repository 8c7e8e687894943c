package supervise_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

var errMember = errors.New("a member failed")

// firstRun runs fn once and returns what it counted as, and the context's cause
// when it had ended.
func firstRun(t *testing.T, fn func(context.Context) error) (err, cause error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var runCtx context.Context
		err = supervise.Run(t.Context(), func(ctx context.Context) error {
			runCtx = ctx
			return fn(ctx)
		}, supervise.WithRestart(supervise.Never), supervise.WithLogger(slog.New(slog.DiscardHandler)))
		cause = context.Cause(runCtx)
	})
	return err, cause
}

func TestGoEndings(t *testing.T) {
	boom := func(context.Context) error { panic("boom") }
	for name, test := range map[string]struct {
		member, fn func(context.Context) error
		check      func(error) bool
	}{
		"error":              {fails, waits, func(err error) bool { return err == errMember }},
		"error after nil":    {fails, succeeds, func(err error) bool { return err == errMember }},
		"panic":              {boom, waits, func(err error) bool { return strings.Contains(err.Error(), "boom") }},
		"goexit":             {exits, waits, func(err error) bool { return errors.Is(err, supervise.ErrGoexit) }},
		"nil":                {succeeds, succeeds, func(err error) bool { return err == nil }},
		"function fails":     {waits, fails, func(err error) bool { return err == errMember }},
		"function panics":    {waits, boom, func(err error) bool { return strings.Contains(err.Error(), "boom") }},
		"function by goexit": {waits, exits, func(err error) bool { return errors.Is(err, supervise.ErrGoexit) }},
	} {
		t.Run(name, func(t *testing.T) {
			err, _ := firstRun(t, func(ctx context.Context) error {
				if err := supervise.Go(ctx, test.member); err != nil {
					return err
				}
				return test.fn(ctx)
			})
			if !test.check(err) {
				t.Errorf("the run ended with %v", err)
			}
		})
	}
}

func fails(context.Context) error    { time.Sleep(time.Second); return errMember }
func succeeds(context.Context) error { return nil }
func exits(context.Context) error    { runtime.Goexit(); return nil }
func waits(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestGoCancels: an error of a member is the cause with which all
// others are asked to stop.
func TestGoCancels(t *testing.T) {
	_, cause := firstRun(t, func(ctx context.Context) error {
		if err := supervise.Go(ctx, fails); err != nil {
			return err
		}
		return waits(ctx)
	})
	if !errors.Is(cause, errMember) {
		t.Errorf("cause %v", cause)
	}
}

// TestGoRunEndsWithLast: the run lasts as long as its last member,
// also one that a member started.
func TestGoRunEndsWithLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hour := func(context.Context) error { time.Sleep(time.Hour); return nil }
		err := supervise.Run(t.Context(), func(ctx context.Context) error {
			return supervise.Go(ctx, func(ctx context.Context) error {
				time.Sleep(time.Hour)
				return supervise.Go(ctx, hour)
			})
		})
		if ran := time.Since(start); err != nil || ran != 2*time.Hour {
			t.Errorf("ended after %v with %v", ran, err)
		}
	})
}

// TestGoTooLate: a goroutine which has outlived its run cannot start
// others in it, nor in the run that follows.
func TestGoTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := make(chan error, 1)
		err := supervise.Run(t.Context(), func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run == 2 {
				time.Sleep(time.Hour)
				return nil
			}
			go func() {
				time.Sleep(time.Minute)
				late <- supervise.Go(ctx, fails)
			}()
			return errMember
		}, supervise.WithPolicy(policy.Constant(0)), supervise.WithLogger(slog.New(slog.DiscardHandler)))
		if got := <-late; err != nil || !errors.Is(got, supervise.ErrRunEnded) {
			t.Errorf("Go returned %v, Run %v", got, err)
		}
	})
}

func TestGoStack(t *testing.T) {
	err, _ := firstRun(t, func(ctx context.Context) error {
		return supervise.Go(ctx, func(context.Context) error { panic("boom") })
	})
	var panicked *supervise.PanicError
	if !errors.As(err, &panicked) {
		t.Fatal(err)
	}
	frames := panicked.Frames()
	if len(frames) != 1 || !strings.Contains(frames[0].Function, "TestGoStack") {
		t.Errorf("stack:\n%s", panicked.Stack())
	}
}

func TestGoPanics(t *testing.T) {
	for want, call := range map[string]func(){
		"f is nil":           func() { _ = supervise.Go(t.Context(), nil) },
		"belongs to no run;": func() { _ = supervise.Go(t.Context(), succeeds) },
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, want) {
					t.Errorf("panicked with %q, want %q in it", got, want)
				}
			}()
			call()
		}()
	}
}
