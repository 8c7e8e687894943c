package compare_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/thejerf/suture/v4"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// lingers is a service that takes so long to stop.
func lingers(d time.Duration) *scripted {
	return &scripted{name: "lingers", steps: []func(context.Context) error{func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(d)
		return nil
	}}}
}

// TestSutureRemove adds and removes services of a supervisor that runs.
func TestSutureRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSuture(suture.Spec{})
		result, stop := startedSuture(s)
		token := s.Add(lingers(time.Second))
		synctest.Wait()
		if err := s.RemoveAndWait(token, time.Minute); err != nil {
			t.Errorf("suture: %v", err)
		}
		token = s.Add(lingers(time.Second))
		synctest.Wait()
		begin := time.Now()
		if err := s.Remove(token); err != nil || time.Since(begin) != 0 {
			t.Errorf("suture: %v after %v", err, time.Since(begin))
		}
		if got := len(s.Services()); got != 0 {
			t.Errorf("suture: %d services", got)
		}
		time.Sleep(time.Second)
		stop()
		<-result

		h := supervise.New("root", silent)
		result, stop = started(t, h)
		task := add(t, h, lingers(time.Second))
		synctest.Wait()
		task.Remove()
		if err := task.Wait(t.Context()); !errors.Is(err, supervise.ErrStopped) {
			t.Errorf("holdfast: %v", err)
		}
		if got := len(taskNames(h)); got != 0 {
			t.Errorf("holdfast: %d tasks", got)
		}
		task = add(t, h, lingers(time.Second))
		synctest.Wait()
		begin = time.Now()
		if task.Remove(); time.Since(begin) != 0 {
			t.Errorf("holdfast: Remove took %v", time.Since(begin))
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := task.Wait(soon); !errors.Is(err, context.DeadlineExceeded) { // suture.ErrTimeout
			t.Errorf("holdfast: %v", err)
		}
		stop()
		<-result
	})
}

// TestSutureRemoveTimeout has the wait time out. It is suture's side alone: there the
// goroutine that would report the end is left behind, which a bubble would not end with.
func TestSutureRemoveTimeout(t *testing.T) {
	s := newSuture(suture.Spec{Timeout: time.Hour})
	up, end := make(chan struct{}), make(chan struct{})
	token := s.Add(&scripted{name: "stuck", steps: []func(context.Context) error{func(context.Context) error {
		close(up)
		<-end
		return nil
	}}})
	ctx, cancel := context.WithCancel(t.Context())
	result := s.ServeBackground(ctx)
	<-up
	if err := s.RemoveAndWait(token, time.Nanosecond); err != suture.ErrTimeout {
		t.Errorf("got %v", err)
	}
	close(end)
	cancel()
	<-result
}

// TestSutureUnstopped has a service outlast the timeout of the supervisor.
func TestSutureUnstopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := newSuture(suture.Spec{}) // 10 s by default
		s.Add(lingers(time.Minute))
		result, stop := startedSuture(s)
		stop()
		if err := <-result; err != context.Canceled || time.Since(begin) != 10*time.Second {
			t.Errorf("suture: %v after %v", err, time.Since(begin))
		}
		if report, _ := s.UnstoppedServiceReport(); len(report) != 1 || report[0].Name != "lingers" {
			t.Errorf("suture: %+v", report)
		}

		for _, bounded := range []bool{true, false} {
			begin = time.Now()
			want := time.Minute
			h := supervise.New("root", silent)
			if bounded {
				want = 10 * time.Second
				h = supervise.New("root", silent, supervise.WithStopTimeout(want))
			}
			add(t, h, lingers(time.Minute))
			result, stop = started(t, h)
			stop()
			err := <-result
			if !errors.Is(err, errStop) || time.Since(begin) != want {
				t.Errorf("holdfast: %v after %v, want %v", err, time.Since(begin), want)
			}
			var left *supervise.AbandonedError
			if errors.As(err, &left) != bounded {
				t.Errorf("holdfast: %v", err)
			}
			if bounded && (left.Task != "root/lingers" || !strings.Contains(string(left.Stack), "lingers")) {
				t.Errorf("holdfast: %+v", left)
			}
		}
		time.Sleep(time.Minute) // for all that were left behind
	})
}

// TestSutureServeAgain runs a supervisor a second time.
func TestSutureServeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSuture(suture.Spec{})
		result, stop := startedSuture(s)
		stop()
		<-result
		func() {
			defer func() {
				if recover() == nil {
					t.Error("suture: a second Serve did not panic when it stopped")
				}
			}()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = s.Serve(ctx)
		}()

		svc := &scripted{name: "svc"}
		h := supervise.New("root", silent)
		add(t, h, svc)
		for range 2 {
			result, stop = started(t, h)
			stop()
			<-result
		}
		if svc.runs() != 2 {
			t.Errorf("holdfast: %d runs, want 2", svc.runs())
		}
	})
}

// serving is a function as a suture.Service: a branch of this module under suture.
type serving func(context.Context) error

func (f serving) Serve(ctx context.Context) error { return f(ctx) }

// TestSutureBranches has a supervisor of the one under one of the other.
func TestSutureBranches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := returns(errCrash)
		below := &scripted{name: "below", steps: steps}
		h := supervise.New("branch", silent, atOnce)
		add(t, h, below)
		s := newSuture(suture.Spec{})
		s.Add(serving(h.Run))
		result, stop := startedSuture(s)
		if below.runs() != 2 {
			t.Errorf("under suture: %d runs", below.runs())
		}
		ended := h.Task("branch/below").Done()
		stop()
		<-result
		<-ended

		// A suture.Supervisor serves once, so each run makes one.
		below = &scripted{name: "below", steps: slices.Concat(steps, returns(suture.ErrTerminateSupervisorTree))}
		made := 0
		h = supervise.New("root", silent, atOnce)
		h.Add("branch", func(ctx context.Context) error {
			made++
			s := newSuture(suture.Spec{})
			s.Add(below)
			return s.Serve(ctx)
		})
		result, stop = started(t, h)
		if below.runs() != 3 || made != 2 {
			t.Errorf("under holdfast: %d runs of %d branches", below.runs(), made)
		}
		stop()
		if err := <-result; err != errStop {
			t.Error(err)
		}
	})
}

// TestSutureEvents compares what is reported of one story: an error, a panic, a hold and
// its end, and a service that does not stop.
func TestSutureEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := slices.Concat(returns(errCrash),
			[]func(context.Context) error{func(context.Context) error { panic("boom") }},
			lingers(time.Minute).steps)

		var events sutureEvents
		s := newSuture(suture.Spec{EventHook: events.hook, FailureThreshold: 1.5})
		s.Add(&scripted{name: "svc", steps: steps})
		result, stop := startedSuture(s)
		time.Sleep(time.Minute)
		stop()
		<-result
		want := []suture.EventType{
			suture.EventTypeServiceTerminate, suture.EventTypeBackoff, suture.EventTypeServicePanic,
			suture.EventTypeResume, suture.EventTypeStopTimeout,
		}
		if !slices.Equal(events.types, want) {
			t.Errorf("suture: %v, want %v", events.types, want)
		}

		var mu sync.Mutex
		var got []string
		obs := supervise.ObserverFunc(func(e supervise.Event) {
			mu.Lock()
			defer mu.Unlock()
			kind := e.Kind.String()
			var panicked *supervise.PanicError
			if errors.As(e.Err, &panicked) && strings.Contains(panicked.Stack(), "TestSutureEvents") {
				kind += ", a panic"
			}
			if e.Kind == supervise.KindCrash && e.State.Phase() == gate.CrashLooping {
				kind += ", held"
			}
			got = append(got, kind)
		})
		h := supervise.New("root", silent, supervise.WithObserver(obs), supervise.WithStopTimeout(10*time.Second),
			supervise.WithPolicy(policy.Compose(policy.Constant(0), policy.CrashLoop(2, time.Minute, 15*time.Second))))
		add(t, h, &scripted{name: "svc", steps: steps})
		result, stop = started(t, h)
		time.Sleep(time.Minute)
		stop()
		<-result
		time.Sleep(time.Minute) // for the run that was left behind
		synctest.Wait()
		story := []string{"start", "crash", "start", "crash, a panic, held", "release", "start", "abandon", "return"}
		mu.Lock()
		defer mu.Unlock()
		got = slices.DeleteFunc(got, func(kind string) bool { return kind == "stop" || kind == "wait" })
		if !slices.Equal(got, story) {
			t.Errorf("holdfast: %q, want %q", got, story)
		}
	})
}

// TestSutureStopOrder stops services that depend on each other.
func TestSutureStopOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var stopped []string
		h := supervise.New("root", silent)
		for _, name := range []string{"a", "b", "c"} {
			add(t, h, &scripted{name: name, steps: []func(context.Context) error{func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				stopped = append(stopped, name)
				return nil
			}}})
		}
		result, stop := started(t, h)
		begin := time.Now()
		stop()
		<-result
		if !slices.Equal(stopped, []string{"c", "b", "a"}) || time.Since(begin) != 3*time.Second {
			t.Errorf("holdfast: %v in %v", stopped, time.Since(begin))
		}

		for _, unordered := range []func() time.Duration{
			func() time.Duration {
				s := newSuture(suture.Spec{})
				for range 3 {
					s.Add(lingers(time.Second))
				}
				result, stop := startedSuture(s)
				begin := time.Now()
				stop()
				<-result
				return time.Since(begin)
			},
			func() time.Duration {
				h := supervise.New("root", silent, supervise.Unordered())
				for range 3 {
					add(t, h, lingers(time.Second))
				}
				result, stop := started(t, h)
				begin := time.Now()
				stop()
				<-result
				return time.Since(begin)
			},
		} {
			if got := unordered(); got != time.Second {
				t.Errorf("all at once took %v", got)
			}
		}
	})
}

// TestSuturePassThroughPanics lets a panic end a process of its own.
func TestSuturePassThroughPanics(t *testing.T) {
	const inChild = "COMPARE_TEST_PANICS_UNDER"
	svc := &scripted{name: "svc", steps: []func(context.Context) error{func(context.Context) error { panic("let it go") }}}
	switch os.Getenv(inChild) {
	case "suture":
		s := newSuture(suture.Spec{PassThroughPanics: true})
		s.Add(svc)
		_ = s.Serve(t.Context())
		return
	case "holdfast":
		h := supervise.New("root", silent, supervise.LetPanic())
		add(t, h, svc)
		_ = h.Run(t.Context())
		return
	}
	for _, who := range []string{"suture", "holdfast"} {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestSuturePassThroughPanics$")
		cmd.Env = append(os.Environ(), inChild+"="+who)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "panic: let it go") {
			t.Errorf("%s: %v\n%s", who, err, out)
		}
	}
}
