package supervise_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

type crashKey struct{}

// annotator is an observer that numbers crashes in the contexts it makes.
type annotator struct {
	journal
	prefix string
	before []any // what the crash before was called
}

func called(ctx context.Context) any { return ctx.Value(crashKey{}) }

func (a *annotator) Annotate(ctx context.Context, e supervise.Event) context.Context {
	a.before = append(a.before, called(e.Context()))
	name := fmt.Sprint(a.prefix, e.Run)
	if outer := called(ctx); outer != nil {
		name = fmt.Sprint(outer, "+", name)
	}
	return context.WithValue(ctx, crashKey{}, name)
}

type valueHandler struct {
	slog.Handler
	mu    sync.Mutex
	lines []string
}

func (h *valueHandler) Handle(ctx context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprint(r.Message, ": ", called(ctx)))
	return nil
}

func (h *valueHandler) Enabled(context.Context, slog.Level) bool { return true }

func TestAnnotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a, b annotator
		a.prefix, b.prefix = "a", "b"
		h := &valueHandler{}
		var seen, outside []any
		_ = supervise.Run(t.Context(), func(ctx context.Context) error {
			info, _ := supervise.FromContext(ctx)
			seen = append(seen, called(info.Context()))
			outside = append(outside, called(ctx))
			if info.Run == 3 {
				return nil
			}
			return errBoom
		}, second, supervise.WithObserver(&a), supervise.WithObserver(&b), supervise.WithLogger(slog.New(h)))
		if want := []any{nil, "a1+b1", "a2+b2"}; !slices.Equal(seen, want) || !slices.Equal(a.before, want[:2]) {
			t.Errorf("runs see %v; annotators %v", seen, a.before)
		}
		if !slices.Equal(outside, []any{nil, nil, nil}) {
			t.Errorf("the contexts of the runs have %v", outside)
		}
		var told []any
		for _, e := range a.all() {
			told = append(told, e.Kind.String(), called(e.Context()))
		}
		if want := []any{"start", nil, "crash", "a1+b1", "release", "a1+b1", "start", "a1+b1",
			"crash", "a2+b2", "release", "a2+b2", "start", "a2+b2", "exit", "a2+b2"}; !slices.Equal(told, want) {
			t.Errorf("told %v", told)
		}
		if want := []string{"task started: <nil>", "task crashed: a1+b1", "hold ended: a1+b1", "task started: <nil>",
			"task crashed again: a2+b2", "hold ended: a2+b2", "task started: <nil>", "task ended: <nil>"}; !slices.Equal(h.lines, want) {
			t.Errorf("logged %q", h.lines)
		}
	})
}

// fickle wants crashes of some runs only, and makes a context of its own of the
// first, of another nil, and panics at the rest.
type fickle struct {
	annotator
	unwanted bool
}

func (f *fickle) Enabled(k supervise.Kind) bool { return k != supervise.KindCrash || !f.unwanted }

func (f *fickle) Annotate(ctx context.Context, e supervise.Event) context.Context {
	switch e.Run {
	case 1:
		return f.annotator.Annotate(ctx, e)
	case 2:
		return nil
	}
	panic("annotate")
}

func TestAnnotateBadly(t *testing.T) {
	f := &fickle{}
	c := &capture{least: slog.LevelError}
	var seen []any
	err := supervise.Run(t.Context(), func(ctx context.Context) error {
		info, _ := supervise.FromContext(ctx)
		seen = append(seen, called(info.Context()))
		if info.Run == 6 {
			return nil
		}
		f.unwanted = info.Run == 5
		return errBoom
	}, atOnce, supervise.WithObserver(f), supervise.WithLogger(slog.New(c)))
	if want := []any{nil, "1", nil, nil, nil, nil}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("%v; the runs see %v", err, seen)
	}
	if len(c.lines) != 1 {
		t.Errorf("logged %q", c.lines)
	}
}

// TestAnnotateHungRun is of a crash that the supervisor records, as the run does
// not end.
func TestAnnotateHungRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a annotator
		s := supervise.New("s", quiet, supervise.WithObserver(&a))
		free := make(chan struct{})
		s.Add("x", func(ctx context.Context) error {
			info, _ := supervise.FromContext(ctx)
			if info.Run == 1 {
				<-free
				return nil
			}
			if called(info.Context()) != "1" {
				t.Errorf("run 2 sees %v", called(info.Context()))
			}
			return nil
		}, supervise.WithWatchdog(time.Second), supervise.WithStopTimeout(time.Second), supervise.Significant(),
			supervise.Overlap(), supervise.WithPolicy(policy.Constant(time.Second)))
		if err := s.Run(t.Context()); err == nil {
			t.Error("the first run was not abandoned")
		}
		close(free)
		synctest.Wait()
	})
}

// attributing is an observer that has crashes logged with an attribute.
type attributing struct{ key string }

func (attributing) Observe(supervise.Event) {}

func (a attributing) Annotate(ctx context.Context, e supervise.Event) context.Context {
	return supervise.WithLogAttrs(ctx, slog.Uint64(a.key, e.Run))
}

// TestWithLogAttrs: each observer's attributes are logged.
func TestWithLogAttrs(t *testing.T) {
	var out strings.Builder
	h := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "a" || a.Key == "b" || a.Key == slog.MessageKey {
			return a
		}
		return slog.Attr{}
	}})
	_ = supervise.Run(t.Context(), times(2, func() error { return errBoom }), atOnce, supervise.WithLogger(slog.New(h)),
		supervise.WithObserver(attributing{"a"}), supervise.WithObserver(attributing{"b"}))
	if want := "msg=\"task crashed\" a=1 b=1\nmsg=\"task crashed again\" a=2 b=2\nmsg=\"task ended\"\n"; out.String() != want {
		t.Errorf("logged %s", &out)
	}
}
