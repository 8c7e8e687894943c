package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// runToEnd runs a supervisor, and fails the test if that ends the goroutine, or does not
// return once ctx is done.
func runToEnd(t *testing.T, ctx context.Context, s *supervise.Supervisor) (err error) {
	t.Helper()
	returned, ended := false, make(chan struct{})
	go func() {
		defer close(ended)
		err = s.Run(ctx)
		returned = true
	}()
	<-ended
	if !returned {
		t.Fatal("the goroutine of Run has ended, and Run has not returned")
	}
	return err
}

// quitter is an observer that calls Goexit when it is asked about some kinds, or in each
// Annotate.
type quitter struct {
	journal
	enabled  map[supervise.Kind]bool
	annotate bool
}

func (q *quitter) Enabled(k supervise.Kind) bool {
	if q.enabled[k] {
		runtime.Goexit()
	}
	return true
}

func (q *quitter) Annotate(context.Context, supervise.Event) context.Context {
	if q.annotate {
		runtime.Goexit()
	}
	return nil
}

// goexits is an error all of whose methods call Goexit.
type goexits struct{}

func (goexits) Error() string { runtime.Goexit(); return "" }
func (goexits) Unwrap() error { runtime.Goexit(); return nil }
func (goexits) Is(error) bool { runtime.Goexit(); return false }
func (goexits) As(any) bool   { runtime.Goexit(); return false }

// admission admits, or not, and has a name.
type admission struct{ admit func() error }

func (a admission) Admit(context.Context) error { return a.admit() }
func (a admission) String() string              { runtime.Goexit(); return "" }

// thrice is a task that ends three times, and then runs until it is stopped.
func thrice(runs *atomic.Int64, end, stop func() error) func(context.Context) error {
	return func(ctx context.Context) error {
		if runs.Add(1) <= 3 {
			time.Sleep(time.Second)
			return end()
		}
		<-ctx.Done()
		return stop()
	}
}

// TestGoexitInCallbacks has what a user can give call runtime.Goexit, which nothing can
// stop: tasks go on, and Run returns.
func TestGoexitInCallbacks(t *testing.T) {
	fails, ends := func() error { return errBoom }, func() error { return nil }
	goexit := func() error { runtime.Goexit(); return nil }
	hostile := func() error { return goexits{} }
	type options = []supervise.TaskOption
	exits := policy.Func(func(policy.History) policy.Decision { runtime.Goexit(); return policy.Decision{} })
	observed := func() options {
		return options{supervise.WithGate(gate.New(policy.Constant(time.Second), gate.OnTransition(func(gate.Transition) { runtime.Goexit() })))}
	}
	given := func(opts ...supervise.TaskOption) func() options { return func() options { return opts } }
	type test struct {
		end, stop func() error
		opts      func() options
	}
	tests := map[string]test{
		"Annotate":                {fails, ends, given(supervise.WithObserver(&quitter{annotate: true}))},
		"policy, after a crash":   {fails, ends, given(supervise.WithPolicy(exits))},
		"policy, after an exit":   {ends, ends, given(supervise.WithRestart(supervise.Always), supervise.WithPolicy(exits))},
		"name of the admission":   {fails, ends, given(supervise.WithAdmission(admission{ends}))},
		"the function":            {goexit, goexit, given()},
		"error of a crash":        {hostile, ends, given()},
		"error of a stop":         {fails, hostile, given()},
		"errors and an observer":  {hostile, hostile, given(supervise.WithObserver(&quitter{annotate: true}))},
		"value of a panic":        {func() error { panic(goexits{}) }, func() error { panic(goexits{}) }, given()},
		"an observer of the gate": {fails, ends, observed},
	}
	for k := supervise.KindStart; k <= supervise.KindStore; k++ {
		q := &quitter{enabled: map[supervise.Kind]bool{k: true}}
		tests[fmt.Sprint("Enabled of ", k)] = test{fails, ends, given(supervise.WithObserver(q))}
	}
	for name, test := range tests {
		for _, strategy := range []supervise.Strategy{supervise.OneForOne, supervise.OneForAll} {
			t.Run(fmt.Sprint(name, ", ", strategy), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var runs, others atomic.Int64
					s := supervise.New("s", quiet, second, supervise.WithStrategy(strategy))
					s.Add("before", thrice(&others, ends, ends))
					task := s.Add("it", thrice(&runs, test.end, test.stop), test.opts()...)
					s.Add("after", func(ctx context.Context) error { <-ctx.Done(); return nil })
					time.AfterFunc(time.Hour, func() { task.Restart() })
					time.AfterFunc(2*time.Hour, func() { task.Pause() })
					time.AfterFunc(2*time.Hour+time.Second, func() { task.Restart() })
					if err := runToEnd(t, bubble(t, 3*time.Hour), s); !errors.Is(err, errStop) {
						t.Error(err)
					}
					if runs.Load() != 6 {
						t.Errorf("%d runs, not 6", runs.Load())
					}
				})
			})
		}
	}
}

// An observer that ends the goroutine between the refusal of a run and its end does not
// make it a clean exit.
func TestGoexitAfterRefusal(t *testing.T) {
	for name, refuse := range map[string]func() error{
		"an error": func() error { return errBoom },
		"Goexit":   func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				refusals := 0
				refusing := supervise.AdmissionFunc(func(context.Context) error {
					if refusals++; refusals <= 3 {
						return refuse()
					}
					return nil
				})
				s := supervise.New("s", quiet, second, supervise.WithObserver(&j))
				task := s.Add("it", func(ctx context.Context) error { <-ctx.Done(); return nil }, supervise.WithAdmission(refusing),
					supervise.WithObserver(&quitter{enabled: map[supervise.Kind]bool{supervise.KindStart: true}}))
				if err := runToEnd(t, bubble(t, time.Hour), s); err != errStop {
					t.Error(err)
				}
				if status := task.Status(); status.Crashes != 3 || refusals != 4 || len(j.of(supervise.KindExit)) > 0 {
					t.Errorf("%d crashes, %d refusals, %v", status.Crashes, refusals, j.kinds())
				}
			})
		})
	}
}

// A gate's observers run where something happens to the gate. That is never the goroutine
// of Run: neither one that ends its goroutine nor one that blocks harms other tasks.
func TestGateObserverMisbehaves(t *testing.T) {
	for _, how := range []string{"goexit", "blocks"} {
		for _, where := range []string{"restart of a held task", "restart after it gave up", "another Run"} {
			t.Run(fmt.Sprint(how, ", ", where), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { gateObserver(t, how, where) })
			})
		}
	}
}

func gateObserver(t *testing.T, how, where string) {
	free := make(chan struct{})
	defer close(free)
	misbehave := func(tr gate.Transition) {
		switch {
		case tr.Cause != gate.CauseForce:
		case how == "goexit":
			runtime.Goexit()
		default:
			<-free
		}
	}
	rule := policy.Constant(time.Hour)
	if where != "restart of a held task" {
		rule = policy.Compose(rule, policy.MaxCrashes(0, time.Hour))
	}
	g := gate.New(rule, gate.OnTransition(misbehave))
	s := supervise.New("s", quiet, supervise.Optional(), supervise.WithStopTimeout(time.Minute))
	var runs atomic.Int64
	a := s.Add("a", func(ctx context.Context) error {
		if runs.Add(1) == 1 {
			return errBoom
		}
		<-ctx.Done()
		return nil
	}, supervise.WithGate(g))
	b := s.Add("b", func(ctx context.Context) error { <-ctx.Done(); return nil })
	if where == "another Run" {
		if err := runToEnd(t, bubble(t, time.Second), s); err != errStop {
			t.Error(err)
		}
	}
	var states []supervise.State
	time.AfterFunc(time.Second, func() {
		go func() { // a gate's observer may hold up whoever opens the gate
			defer b.Stop()
			if where != "another Run" {
				a.Restart()
			}
		}()
		b.Stop()
	})
	time.AfterFunc(2*time.Second, func() {
		s.Add("c", func(ctx context.Context) error { <-ctx.Done(); return nil })
	})
	time.AfterFunc(3*time.Second, func() {
		for task := range s.Tasks() {
			states = append(states, task.Status().State)
		}
	})
	if err := runToEnd(t, bubble(t, time.Minute), s); !errors.Is(err, errStop) {
		t.Error(err)
	}
	synctest.Wait()
	want := []supervise.State{supervise.Running, supervise.Stopped, supervise.Running}
	if !slices.Equal(states, want) {
		t.Errorf("%v, not %v", states, want)
	}
}
