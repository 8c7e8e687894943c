package supervise

import (
	"context"
	"errors"
	"testing"
)

// newRun returns the context of a run that nobody has looked at.
func newRun() *runContext {
	w := &worker{task: &Task{opts: &options{}}, env: &env{ctx: context.Background()}}
	w.first.worker = w
	return &w.first
}

// A goroutine that is started in the instant in which its run ends either belongs to the
// run, which waits for it, or is refused.
func TestGoInTheInstantOfTheEnd(t *testing.T) {
	never := func(context.Context) error {
		t.Error("it was called after the end of its run")
		return nil
	}
	for name, look := range map[string]func(context.Context){
		"nobody looked at the context": func(context.Context) {},
		"somebody did":                 func(ctx context.Context) { ctx.Done() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newRun()
			look(c)
			if err := c.wait(nil); err != nil {
				t.Error(err)
			}
			// The function has returned, and the run is about to end.
			if err := Go(c, never); err != ErrRunEnded {
				t.Errorf("Go returned %v", err)
			}
			c.end()
			if err := Go(c, never); err != ErrRunEnded || context.Cause(c) != ErrRunEnded {
				t.Errorf("after the end Go returned %v; the cause is %v", err, context.Cause(c))
			}
		})
	}
}

// What one run ended with is not taken for what another one did, even if it is waited for
// twice.
func TestEndOfARunTwice(t *testing.T) {
	boom := errors.New("boom")
	for _, look := range []bool{false, true} {
		c := newRun()
		if look {
			c.Done()
		}
		for range 2 {
			if err := c.wait(boom); err != boom {
				t.Error(err)
			}
		}
		if err := newRun().wait(nil); err != nil {
			t.Errorf("another run ended with %v", err)
		}
		other := newRun()
		other.Done()
		for range 2 {
			if err := other.wait(nil); err != nil {
				t.Errorf("another run ended with %v", err)
			}
		}
	}
}
