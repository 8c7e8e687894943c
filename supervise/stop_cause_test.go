package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

// rich is a cause that wraps another error, and cannot be compared.
type rich struct {
	details []string
	inner   error
}

func (e rich) Error() string { return "rich cause: " + e.inner.Error() }
func (e rich) Unwrap() error { return e.inner }

// several is one that wraps more than one.
type several []error

func (e several) Error() string   { return "several causes" }
func (e several) Unwrap() []error { return e }

// TestCauseIsReportedOnce has tasks return what they were stopped with, as it is and
// wrapped, at three levels of a tree: Run returns the cause, and that once.
func TestCauseIsReportedOnce(t *testing.T) {
	causes := map[string]error{
		"plain":                  errStop,
		"wraps another":          fmt.Errorf("shutting down: %w", errBoom),
		"wraps, not comparable":  rich{[]string{"a"}, errBoom},
		"wraps several":          several{errBoom, errStop},
		"joined":                 errors.Join(errBoom, errStop),
		"nothing but cancelled":  nil,
		"of another context":     context.DeadlineExceeded,
		"is the error of a task": &supervise.GaveUpError{Task: "x", Crashes: 1, Err: errBoom},
	}
	returns := map[string]func(context.Context) error{
		"nil":              func(context.Context) error { return nil },
		"the cause":        context.Cause,
		"ctx.Err":          context.Context.Err,
		"the wrapped":      func(ctx context.Context) error { return fmt.Errorf("poll: %w", context.Cause(ctx)) },
		"twice wrapped":    func(ctx context.Context) error { return fmt.Errorf("a: %w", fmt.Errorf("b: %w", context.Cause(ctx))) },
		"of a library":     func(ctx context.Context) error { return &url.Error{Op: "Get", URL: "/", Err: context.Cause(ctx)} },
		"both":             func(ctx context.Context) error { return errors.Join(ctx.Err(), context.Cause(ctx)) },
		"wraps both":       func(ctx context.Context) error { return fmt.Errorf("%w (%w)", ctx.Err(), context.Cause(ctx)) },
		"wrapped ctx.Err":  func(ctx context.Context) error { return fmt.Errorf("poll: %w", ctx.Err()) },
		"a member's":       func(ctx context.Context) error { _ = supervise.Go(ctx, context.Context.Err); return context.Cause(ctx) },
		"another deadline": func(context.Context) error { return fmt.Errorf("poll: %w", context.DeadlineExceeded) },
	}
	for name, cause := range causes {
		for how, ends := range returns {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fn := func(ctx context.Context) error { <-ctx.Done(); return ends(ctx) }
					deep := supervise.New("deep", quiet)
					deep.Add("a", fn)
					deep.Add("b", fn)
					middle := supervise.New("middle", quiet)
					middle.Add("c", fn)
					middle.Add("deep", deep.Run)
					root := supervise.New("root", quiet, supervise.Unordered())
					root.Add("middle", middle.Run)
					root.Add("wrapped", func(ctx context.Context) error { return fmt.Errorf("run: %w", supervise.Run(ctx, fn, quiet)) })
					ctx, cancel := context.WithCancelCause(t.Context())
					time.AfterFunc(time.Second, func() { cancel(cause) })
					err := root.Run(ctx)
					want := context.Cause(ctx)
					if fmt.Sprint(err) != want.Error() {
						t.Errorf("Run returned %q, not the cause %q", err, want)
					}
				})
			})
		}
	}
}

// A real error is reported once, with the path of its task, beside the cause, whatever
// that wraps.
func TestRealErrorBesideTheCause(t *testing.T) {
	for name, ends := range map[string]func(context.Context) error{
		"alone":           func(context.Context) error { return errBoom },
		"a panic":         func(context.Context) error { panic(errBoom) },
		"a panic with it": func(ctx context.Context) error { panic(fmt.Errorf("%w, as %w", errBoom, context.Cause(ctx))) },
		"a member's panic": func(ctx context.Context) error {
			_ = supervise.Go(ctx, func(context.Context) error { panic(errBoom) })
			return nil
		},
	} {
		for how, cause := range map[string]error{"plain": errStop, "wrapped": fmt.Errorf("shutting down: %w", errStop)} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					deep := supervise.New("deep", quiet)
					deep.Add("a", func(ctx context.Context) error { <-ctx.Done(); return ends(ctx) })
					middle := supervise.New("middle", quiet)
					middle.Add("deep", deep.Run)
					root := supervise.New("root", quiet)
					root.Add("middle", middle.Run)
					ctx, cancel := context.WithCancelCause(t.Context())
					time.AfterFunc(time.Second, func() { cancel(cause) })
					err := root.Run(ctx)
					text := fmt.Sprint(err)
					if !errors.Is(err, errBoom) || !errors.Is(err, errStop) || strings.Count(text, "boom") != 1 ||
						strings.Count(text, "root/middle/deep/a: ") != 1 || !strings.HasPrefix(text, cause.Error()+"; ") || strings.Contains(text, "\n") {
						t.Errorf("Run returned %q", text)
					}
				})
			})
		}
	}
}

// Who stopped a task, and why, is the cause of its context, and in the events about it.
func TestOperatorInTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		var causes []error
		s := supervise.New("s", quiet, supervise.WithObserver(&j))
		task := s.Add("a", func(ctx context.Context) error {
			<-ctx.Done()
			causes = append(causes, context.Cause(ctx))
			return nil
		})
		ann := gate.By{Who: "ann", Why: "a new certificate"}
		time.AfterFunc(1*time.Second, func() { task.Restart(ann) })
		time.AfterFunc(2*time.Second, func() { task.Pause(ann) })
		time.AfterFunc(3*time.Second, func() { task.Restart(ann) })
		time.AfterFunc(4*time.Second, func() { task.Stop(ann) })
		if err := s.Run(bubble(t, time.Minute)); err != errStop {
			t.Error(err)
		}
		stops := j.of(supervise.KindStop)
		if len(stops) != 3 || len(causes) != 3 {
			t.Fatalf("%d stops, %d causes", len(stops), len(causes))
		}
		for i, e := range stops {
			if e.By != ann || !strings.Contains(causes[i].Error(), "ann") {
				t.Errorf("stop %d is by %+v, its cause is %v", i, e.By, causes[i])
			}
		}
		if !errors.Is(causes[2], supervise.ErrStopped) || errors.Is(causes[0], supervise.ErrStopped) {
			t.Errorf("%v", causes)
		}
	})
}
