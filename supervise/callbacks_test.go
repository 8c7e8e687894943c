package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// meddler calls all that a supervisor and its tasks offer, from callbacks. What changes
// something it calls a number of times, since each call may cause the next one.
type meddler struct {
	sup  atomic.Pointer[supervise.Supervisor]
	left atomic.Int64
}

func (m *meddler) meddle() {
	s := m.sup.Load()
	if s == nil {
		return
	}
	for task := range s.Tasks() {
		_ = task.Status()
		_ = task.Runs()
		_ = task.Done()
	}
	_ = s.Task("root/a")
	if m.left.Add(-1) < 0 {
		return
	}
	for task := range s.Tasks() {
		task.Release()
		task.Probe()
		task.Restart()
	}
	job, err := s.TryAdd(fmt.Sprint("job", m.left.Load()), func(context.Context) error { return nil }, supervise.WithRestart(supervise.Never))
	if err == nil {
		job.Remove()
	}
}

// meddling is an error each of whose methods meddles.
type meddling struct{ *meddler }

func (e meddling) Error() string { e.meddle(); return "meddling" }
func (e meddling) Unwrap() error { e.meddle(); return nil }
func (e meddling) Is(error) bool { e.meddle(); return false }
func (e meddling) As(any) bool   { e.meddle(); return false }

// Observe, Enabled and Annotate make an observer of it.
func (m *meddler) Observe(e supervise.Event)   { m.meddle(); _ = fmt.Sprint(e.Err) }
func (m *meddler) Enabled(supervise.Kind) bool { m.meddle(); return true }
func (m *meddler) Annotate(ctx context.Context, _ supervise.Event) context.Context {
	m.meddle()
	return ctx
}

// meddlingHandler is a handler of a logger.
type meddlingHandler struct{ *meddler }

func (h meddlingHandler) Enabled(context.Context, slog.Level) bool { h.meddle(); return true }
func (h meddlingHandler) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h meddlingHandler) WithGroup(string) slog.Handler            { return h }
func (h meddlingHandler) Handle(_ context.Context, r slog.Record) error {
	h.meddle()
	r.Attrs(func(a slog.Attr) bool { _ = a.String(); return true })
	return nil
}

// TestCallbacksThatCallBack has everything that a user can give call all that a
// supervisor offers, at each time of a task's life: nothing is locked then. A lock that
// is held there hangs the test.
func TestCallbacksThatCallBack(t *testing.T) {
	for _, strategy := range []supervise.Strategy{supervise.OneForOne, supervise.OneForAll, supervise.RestForOne} {
		for _, times := range []int64{1, 2, 3, 5, 8, 20, 100} {
			t.Run(fmt.Sprint(strategy, times), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { callBack(t, strategy, times) })
			})
		}
	}
}

func callBack(t *testing.T, strategy supervise.Strategy, times int64) {
	m := &meddler{}
	stop := func() error { return meddling{m} }
	shared := gate.New(policy.Constant(time.Second))
	shared.OnTransition(func(gate.Transition) { m.meddle() })
	asking := supervise.AdmissionFunc(func(context.Context) error { m.meddle(); return nil })
	fussy := policy.Func(func(h policy.History) policy.Decision {
		if h.Streak()%2 == 1 {
			panic(meddling{m})
		}
		return policy.Decision{Delay: time.Second}
	})
	s := supervise.New("root", second, supervise.WithStrategy(strategy), supervise.WithStopTimeout(time.Second),
		supervise.WithObserver(m), supervise.WithLogger(slog.New(meddlingHandler{m})), supervise.WithAdmission(asking))
	ends := func(end func() error) func(context.Context) error {
		return func(ctx context.Context) error {
			m.meddle()
			select {
			case <-time.After(time.Second):
				return end()
			case <-ctx.Done():
				return stop()
			}
		}
	}
	below := supervise.New("below", supervise.WithObserver(m))
	below.Add("c", ends(stop))
	s.Add("a", ends(stop), supervise.WithGate(shared))
	s.Add("b", ends(func() error { panic(meddling{m}) }), supervise.WithPolicy(fussy))
	s.Add("c", ends(func() error { return nil }), supervise.WithRestart(supervise.Always))
	s.Add("d", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(3 * time.Second); return stop() }, supervise.WithWatchdog(time.Second))
	s.Add("e", ends(stop), supervise.WithReadyTimeout(500*time.Millisecond))
	s.Add("below", below.Run)
	for range 2 {
		m.sup.Store(s)
		m.left.Store(times)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		for range 30 {
			time.Sleep(700 * time.Millisecond)
			m.left.Add(times)
		}
		cancel(meddling{m})
		m.left.Add(times)
		err := <-done
		m.left.Store(0)
		if _, meddled := errors.AsType[meddling](err); !meddled {
			t.Errorf("Run returned %v", err)
		}
	}
	time.Sleep(time.Minute) // for what was abandoned
}
