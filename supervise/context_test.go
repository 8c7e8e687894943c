package supervise_test

import (
	"context"
	"errors"
	"runtime/pprof"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

type key struct{}

// ended runs a function once and returns its context, whose run has ended.
func ended(t *testing.T, parent context.Context, fn func(context.Context)) (kept context.Context) {
	t.Helper()
	err := supervise.Run(parent, func(ctx context.Context) error {
		kept = ctx
		if fn != nil {
			fn(ctx)
		}
		return nil
	}, supervise.WithName("x"))
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// TestContextEnds: a run's context is cancelled when the run ends,
// whatever was done with it before.
func TestContextEnds(t *testing.T) {
	parent := context.WithValue(t.Context(), key{}, "value")
	for name, touch := range map[string]func(context.Context){
		"nothing":   nil,
		"Done":      func(ctx context.Context) { ctx.Done() },
		"Err":       func(ctx context.Context) { _ = ctx.Err() },
		"Value":     func(ctx context.Context) { ctx.Value(key{}) },
		"Cause":     func(ctx context.Context) { _ = context.Cause(ctx) },
		"Deadline":  func(ctx context.Context) { ctx.Deadline() },
		"WithValue": func(ctx context.Context) { context.WithValue(ctx, key{}, 1).Done() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := ended(t, parent, func(ctx context.Context) {
				if touch != nil {
					touch(ctx)
				}
				if ctx.Err() != nil || context.Cause(ctx) != nil {
					t.Error("it is cancelled while its run goes on")
				}
			})
			if ctx.Err() != context.Canceled || context.Cause(ctx) != supervise.ErrRunEnded {
				t.Errorf("Err %v, Cause %v", ctx.Err(), context.Cause(ctx))
			}
			select {
			case <-ctx.Done():
			default:
				t.Error("Done is not closed")
			}
			if ctx.Value(key{}) != "value" {
				t.Error("the parent's value is lost")
			}
		})
	}
}

// TestContextChildren: contexts derived from a run's end with it, those
// derived after its end included.
func TestContextChildren(t *testing.T) {
	var children []context.Context
	derive := func(ctx context.Context) {
		child, cancel := context.WithCancel(ctx)
		t.Cleanup(cancel)
		timed, cancel := context.WithTimeout(context.WithValue(ctx, key{}, 1), time.Hour)
		t.Cleanup(cancel)
		children = append(children, child, timed)
	}
	called := make(chan struct{})
	ctx := ended(t, t.Context(), func(ctx context.Context) {
		derive(ctx)
		context.AfterFunc(ctx, func() { close(called) })
	})
	derive(ctx)
	<-called
	for i, child := range children {
		<-child.Done()
		if child.Err() != context.Canceled || context.Cause(child) != supervise.ErrRunEnded {
			t.Errorf("child %d: Err %v, Cause %v", i, child.Err(), context.Cause(child))
		}
	}
	if free := context.WithoutCancel(ctx); free.Err() != nil {
		t.Errorf("WithoutCancel: %v", free.Err())
	}
}

// TestContextParent: a cancellation of the parent comes through, with
// its cause.
func TestContextParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_ = supervise.Run(bubble(t, time.Second), func(ctx context.Context) error {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			time.Sleep(time.Minute)
			for _, c := range []context.Context{ctx, child} {
				if c.Err() != context.Canceled || context.Cause(c) != errStop {
					t.Errorf("Err %v, Cause %v", c.Err(), context.Cause(c))
				}
			}
			return nil
		})
	})
}

// TestContextParentUntouched is of a run that looks at its context for the first
// time when the parent is done.
func TestContextParentUntouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_ = supervise.Run(bubble(t, time.Second), func(ctx context.Context) error {
			time.Sleep(time.Minute)
			if ctx.Err() != context.Canceled {
				t.Errorf("Err %v", ctx.Err())
			}
			<-ctx.Done()
			return nil
		})
	})
}

func TestContextConcurrentTouch(t *testing.T) {
	ctx := ended(t, t.Context(), func(ctx context.Context) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		channels := map[<-chan struct{}]bool{}
		for range 16 {
			wg.Go(func() {
				done := ctx.Done()
				mu.Lock()
				defer mu.Unlock()
				channels[done] = true
			})
		}
		wg.Wait()
		if len(channels) != 1 {
			t.Errorf("%d channels of one context", len(channels))
		}
	})
	<-ctx.Done()
}

// TestFromContext is of runs, of one that is over too: the number a goroutine
// has that outlived its run stays that of its run.
func TestFromContext(t *testing.T) {
	if _, ok := supervise.FromContext(t.Context()); ok {
		t.Error("a context of no run tells of one")
	}
	var kept []context.Context
	fail := times(70, func() error { return errBoom })
	err := supervise.Run(t.Context(), func(ctx context.Context) error {
		kept = append(kept, ctx)
		return fail(ctx)
	}, atOnce, quiet, supervise.WithName("x"))
	if err != nil || len(kept) != 71 {
		t.Fatal(err, len(kept))
	}
	for i, ctx := range kept {
		info, ok := supervise.FromContext(context.WithValue(ctx, key{}, 1))
		if !ok || info.Task != "x" || info.Run != uint64(i+1) {
			t.Errorf("context %d: %+v", i, info)
		}
		if want := i > 0; errors.Is(info.LastErr, errBoom) != want {
			t.Errorf("context %d: last error %v", i, info.LastErr)
		}
		if context.Cause(ctx) != supervise.ErrRunEnded {
			t.Errorf("context %d is not cancelled", i)
		}
	}
}

func TestContextLabels(t *testing.T) {
	ended(t, t.Context(), func(ctx context.Context) {
		if task, _ := pprof.Label(ctx, "task"); task != "x" {
			t.Errorf("label %q", task)
		}
	})
}

func TestContextString(t *testing.T) {
	ended(t, t.Context(), func(ctx context.Context) {
		child, cancel := context.WithCancel(ctx)
		defer cancel()
		if got := child.(interface{ String() string }).String(); got != "supervise.run(x).WithCancel" {
			t.Error(got)
		}
	})
}
