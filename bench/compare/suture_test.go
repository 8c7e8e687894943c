package compare_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/thejerf/suture/v4"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/suturecompat"
)

// The tests of suture*_test.go are the rows of supervise/MIGRATING.md: the same services
// under suture and under this module, in virtual time. A change of suture's that makes the
// table wrong fails here.

var (
	errStop = errors.New("the operator stops it")
	silent  = supervise.WithLogger(slog.New(slog.DiscardHandler))
	atOnce  = supervise.WithPolicy(policy.Constant(0))
)

func newCompat() *suturecompat.Adapter {
	return &suturecompat.Adapter{
		DoNotRestart: suture.ErrDoNotRestart,
		Terminate:    suture.ErrTerminateSupervisorTree,
	}
}

// steady is a policy that restarts at once, and ends the tree when it is to.
func steady() supervise.Option {
	return supervise.WithPolicy(newCompat().Policy(policy.Constant(0)))
}

// scripted is a service whose first runs do what a list says; the next one lasts until
// its context is done.
type scripted struct {
	name  string
	steps []func(context.Context) error

	mu     sync.Mutex
	starts []time.Time
}

func returns(errs ...error) (steps []func(context.Context) error) {
	for _, err := range errs {
		steps = append(steps, func(context.Context) error { return err })
	}
	return steps
}

func (s *scripted) Serve(ctx context.Context) error {
	s.mu.Lock()
	run := len(s.starts)
	s.starts = append(s.starts, time.Now())
	s.mu.Unlock()
	if run < len(s.steps) {
		return s.steps[run](ctx)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *scripted) String() string { return s.name }

func (s *scripted) runs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.starts)
}

// sutureEvents is a hook that keeps what it gets.
type sutureEvents struct {
	mu    sync.Mutex
	types []suture.EventType
}

func (e *sutureEvents) hook(ev suture.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.types = append(e.types, ev.Type())
}

// newSuture returns a supervisor that never pauses, unless the spec says so.
func newSuture(spec suture.Spec) *suture.Supervisor {
	if spec.EventHook == nil {
		spec.EventHook = func(suture.Event) {}
	}
	if spec.FailureThreshold == 0 {
		spec.FailureThreshold = 1e9
	}
	return suture.New("root", spec)
}

// startedSuture runs a supervisor in the background.
func startedSuture(s *suture.Supervisor) (result <-chan error, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	result = s.ServeBackground(ctx)
	synctest.Wait()
	return result, cancel
}

// started is that for this module: what ServeBackground is.
func started(t *testing.T, s *supervise.Supervisor) (result <-chan error, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c := make(chan error, 1)
	go func() { c <- s.Run(ctx) }()
	if err := s.WaitReady(ctx); err != nil {
		t.Error(err)
	}
	synctest.Wait()
	return c, func() { cancel(errStop) }
}

func add(t *testing.T, s *supervise.Supervisor, svc suturecompat.Service, opts ...supervise.TaskOption) *supervise.Task {
	t.Helper()
	task, err := newCompat().Add(s, svc, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func taskNames(s *supervise.Supervisor) (names []string) {
	for task := range s.Tasks() {
		names = append(names, task.Name())
	}
	return names
}

// TestSutureEnds runs services that end in all ways.
func TestSutureEnds(t *testing.T) {
	foreign, cancel := context.WithCancel(context.Background())
	cancel()
	panics := func(context.Context) error { panic("boom") }
	tests := map[string]struct {
		steps []func(context.Context) error
		runs  int
		stays bool
	}{
		"lasts":                 {nil, 1, true},
		"nil":                   {returns(nil, nil), 3, true},
		"an error":              {returns(errCrash), 2, true},
		"a panic":               {[]func(context.Context) error{panics}, 2, true},
		"another context's end": {returns(foreign.Err()), 2, true},
		"ErrDoNotRestart":       {returns(nil, suture.ErrDoNotRestart), 2, false},
		"wrapped":               {returns(fmt.Errorf("done: %w", suture.ErrDoNotRestart)), 1, false},
		"both":                  {returns(errors.Join(suture.ErrTerminateSupervisorTree, suture.ErrDoNotRestart)), 1, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				there, here := &scripted{steps: tt.steps}, &scripted{steps: tt.steps}

				s := newSuture(suture.Spec{})
				s.Add(there)
				result, stop := startedSuture(s)
				if got := there.runs(); got != tt.runs {
					t.Errorf("suture: %d runs, want %d", got, tt.runs)
				}
				if got := len(s.Services()); (got == 1) != tt.stays {
					t.Errorf("suture: %d services", got)
				}
				stop()
				if err := <-result; err != context.Canceled {
					t.Errorf("suture: %v", err)
				}

				h := supervise.New("root", silent, steady())
				add(t, h, here)
				result, stop = started(t, h)
				if got := here.runs(); got != tt.runs {
					t.Errorf("holdfast: %d runs, want %d", got, tt.runs)
				}
				if got := len(taskNames(h)); (got == 1) != tt.stays {
					t.Errorf("holdfast: %d tasks", got)
				}
				stop()
				if err := <-result; err != errStop {
					t.Errorf("holdfast: %v", err)
				}
			})
		})
	}
}

// TestSutureServeAsItIs gives the method to a Supervisor without the adapter: the rows of
// the table that differ.
func TestSutureServeAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		once, always, done := &scripted{steps: returns(nil)}, &scripted{steps: returns(nil)}, &scripted{steps: returns(suture.ErrDoNotRestart)}
		h := supervise.New("root", silent, atOnce)
		ended := h.Add("once", once.Serve)
		h.Add("always", always.Serve, supervise.WithRestart(supervise.Always))
		h.Add("done", done.Serve)
		result, stop := started(t, h)
		if once.runs() != 1 || always.runs() != 2 || done.runs() != 2 {
			t.Errorf("runs: %d %d %d, want 1 2 2", once.runs(), always.runs(), done.runs())
		}
		if got := ended.Status().State; got != supervise.Ended {
			t.Errorf("a task that returned nil: %v", got)
		}
		stop()
		<-result
	})
}

// TestSutureTerminate ends the tree from a service of a nested supervisor.
func TestSutureTerminate(t *testing.T) {
	terminates := returns(fmt.Errorf("no licence: %w", suture.ErrTerminateSupervisorTree))
	for _, propagate := range []bool{true, false} {
		t.Run(fmt.Sprint("propagate=", propagate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				there := newSuture(suture.Spec{})
				branch := newSuture(suture.Spec{DontPropagateTermination: !propagate})
				above, beside := &scripted{}, &scripted{}
				branch.Add(beside)
				branch.Add(&scripted{steps: terminates})
				there.Add(above)
				there.Add(branch)
				result, stop := startedSuture(there)
				check(t, "suture", propagate, result, stop, above, beside)

				here := supervise.New("root", silent, steady())
				db := supervise.New("db")
				above, beside = &scripted{name: "above"}, &scripted{name: "beside"}
				add(t, db, beside)
				add(t, db, &scripted{name: "bottom", steps: terminates})
				add(t, here, above)
				var opts []supervise.TaskOption
				if !propagate {
					opts = append(opts, supervise.Optional())
				}
				here.Add("db", db.Run, opts...)
				ctx, cancel := context.WithCancel(context.Background())
				c := make(chan error, 1)
				go func() { c <- here.Run(ctx) }()
				synctest.Wait()
				check(t, "holdfast", propagate, c, cancel, above, beside)
			})
		})
	}
}

// check that the tree has ended, or else its root is still up.
func check(t *testing.T, who string, ended bool, result <-chan error, stop func(), once ...*scripted) {
	t.Helper()
	select {
	case err := <-result:
		if !ended || !errors.Is(err, suture.ErrTerminateSupervisorTree) {
			t.Errorf("%s: the root ended with %v", who, err)
		}
		stop()
	default:
		if ended {
			t.Errorf("%s: the root is up", who)
		}
		stop()
		if err := <-result; !errors.Is(err, context.Canceled) || errors.Is(err, suture.ErrTerminateSupervisorTree) {
			t.Errorf("%s: %v", who, err)
		}
	}
	for i, svc := range once {
		if got := svc.runs(); got != 1 {
			t.Errorf("%s: service %d ran %d times", who, i, got)
		}
	}
}

// TestSutureNames compares what a service without a String method is called.
func TestSutureNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := &unnamed{password: "secret"}
		var there string
		s := newSuture(suture.Spec{EventHook: func(e suture.Event) {
			if e, ok := e.(suture.EventServiceTerminate); ok {
				there = e.ServiceName
			}
		}})
		s.Add(svc)
		result, stop := startedSuture(s)
		stop()
		<-result
		if want := `&compare_test.unnamed{password:"secret", ran:false}`; there != want {
			t.Errorf("suture: %s, want %s", there, want)
		}
		if got, want := suturecompat.Name(svc), "compare_test.unnamed"; got != want {
			t.Errorf("holdfast: %s, want %s", got, want)
		}

		h := supervise.New("root", silent)
		for range 2 {
			add(t, h, &scripted{name: "same"})
		}
		if got, want := taskNames(h), []string{"root/same", "root/same#2"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

type unnamed struct {
	password string
	ran      bool
}

func (u *unnamed) Serve(ctx context.Context) error {
	if !u.ran {
		u.ran = true
		return errCrash
	}
	<-ctx.Done()
	return nil
}
