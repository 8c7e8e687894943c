package otelgate_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// looping is a policy that trips at the third crash.
func looping() policy.Policy {
	return policy.Compose(policy.Constant(time.Second), policy.CrashLoop(3, time.Minute, time.Hour))
}

// TestTask is the whole of it: a task that crashes, trips, is released by force,
// crashes again, and is stopped while it is held.
func TestTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, zero := newTelemetry(), time.Now()
		g := gate.New(looping())
		time.AfterFunc(time.Minute, func() { g.ForceRelease() })
		_ = supervise.Run(until(t, 61*time.Second+500*time.Millisecond), func(context.Context) error {
			time.Sleep(100 * time.Millisecond)
			return errBoom
		}, supervise.WithName("x"), supervise.WithGate(g), supervise.WithObserver(tel.observer()), quiet)
		check(t, "traces", tel.picture(t, zero),
			"restart x 100ms–1.1s restarted", "  crash 100ms Error: boom", "  backing off 100ms–1.1s elapsed",
			"restart x 1.2s–2.2s restarted", "  crash 1.2s Error: boom", "  backing off 1.2s–2.2s elapsed",
			"restart x 2.3s–1m0s restarted", "  crash 2.3s Error: boom", "  crash looping 2.3s–1m0s forced",
			"restart x 1m0.1s–1m1.1s restarted", "  crash 1m0.1s Error: boom", "  backing off 1m0.1s–1m1.1s elapsed",
			"restart x 1m1.2s–1m1.5s shutdown", "  crash 1m1.2s Error: boom", "  backing off 1m1.2s–1m1.5s shutdown")
		check(t, "crashes", tel.series(t, "holdfast.task.crashes"), "error.type=*errors.errorString 5")
		check(t, "restarts", tel.series(t, "holdfast.task.restarts"), "4")
		check(t, "holds", tel.series(t, "holdfast.task.holds"),
			"holdfast.gate.phase=backing_off 4", "holdfast.gate.phase=crash_looping 1")
		check(t, "hold durations", tel.series(t, "holdfast.hold.duration"),
			"holdfast.gate.phase=backing_off holdfast.hold.outcome=elapsed 3 in 3s",
			"holdfast.gate.phase=backing_off holdfast.hold.outcome=shutdown 1 in 0.3s",
			"holdfast.gate.phase=crash_looping holdfast.hold.outcome=forced 1 in 57.7s")
		check(t, "runs", tel.series(t, "holdfast.run.duration"), "error.type=*errors.errorString 5 in 0.5s")
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
		check(t, "phases", tel.series(t, "holdfast.task.phase"), "holdfast.gate.phase=backing_off 0",
			"holdfast.gate.phase=crash_looping 0", "holdfast.gate.phase=idle 0")
		check(t, "logs", tel.logs.bodies(), "WARN holdfast.task.crash *errors.errorString", "WARN holdfast.task.crash *errors.errorString",
			"ERROR holdfast.task.crash *errors.errorString", "WARN holdfast.task.crash *errors.errorString", "WARN holdfast.task.crash *errors.errorString")
	})
}

// TestAttributes holds what the spans of a crash have, and that its record is in
// the span of the crash.
func TestAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := newTelemetry()
		_ = supervise.Run(until(t, 2*time.Second), func(context.Context) error {
			time.Sleep(250 * time.Millisecond)
			panic(fmt.Errorf("poison: %w", errBoom))
		}, supervise.WithName("x"), second, supervise.WithObserver(tel.observer()), quiet)
		crash, hold, root := tel.ended(t, "crash")[0], tel.ended(t, "backing off")[0], tel.ended(t, "restart")[1]
		for key, want := range map[string]string{
			"holdfast.task.name": "x", "holdfast.run.number": "1", "holdfast.run.duration": "0.25", "holdfast.crash.streak": "1",
			"error.type": "panic", "exception.type": "*errors.errorString", "exception.message": "panic: poison: boom",
		} {
			if got := attr(crash, key); got != want {
				t.Errorf("crash: %s is %q, want %q", key, got, want)
			}
		}
		for _, key := range []string{"exception.stacktrace", "code.function.name"} {
			if got := attr(crash, key); !strings.Contains(got, "TestAttributes") {
				t.Errorf("crash: %s is %q", key, got)
			}
		}
		if attr(crash, "code.line.number") == "" || !strings.HasSuffix(attr(crash, "code.file.path"), "task_test.go") {
			t.Errorf("crash: %v", crash.Attributes())
		}
		if attr(hold, "holdfast.hold.delay") != "1" || attr(hold, "holdfast.crash.streak") != "1" || attr(hold, "holdfast.task.name") != "x" {
			t.Errorf("hold: %v", hold.Attributes())
		}
		if attr(root, "holdfast.run.number") != "2" || attr(root, "holdfast.crash.streak") != "2" || root.Status().Code != codes.Unset {
			t.Errorf("root: %v", root.Attributes())
		}
		if scope := root.InstrumentationScope(); scope.Name != otelgate.ScopeName || scope.Version != otelgate.Version || scope.SchemaURL == "" {
			t.Errorf("scope: %+v", scope)
		}
		r := tel.logs.records[0]
		if r.SpanID() != crash.SpanContext().SpanID() || r.TraceID() != crash.SpanContext().TraceID() || r.Timestamp() != crash.StartTime() {
			t.Errorf("the record is in span %v at %v", r.SpanID(), r.Timestamp())
		}
		if logAttr(r, "exception.stacktrace") == "" || logAttr(r, "holdfast.task.name") != "x" || r.Body().AsString() != "task crashed" {
			t.Errorf("the record has %v", r)
		}
	})
}

// TestErrorTypes tells how runs that end in different ways are told apart.
func TestErrorTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for want, fn := range map[string]func(context.Context) error{
			"panic string":         func(context.Context) error { panic("text") },
			"panic runtime.":       func(context.Context) error { var none []int; _ = none[len(none)]; return nil },
			"goexit *errors":       func(context.Context) error { runtime.Goexit(); return nil },
			"watchdog *errors":     waits,
			"late":                 func(context.Context) error { return lateError{} },
			"context.deadlineExce": func(context.Context) error { return fmt.Errorf("x: %w", context.DeadlineExceeded) },
		} {
			tel := newTelemetry()
			_ = supervise.Run(t.Context(), fn, supervise.WithRestart(supervise.Never), supervise.WithWatchdog(time.Second), supervise.WithObserver(tel.observer()), quiet)
			crashes := tel.ended(t, "crash")
			if len(crashes) != 1 {
				t.Fatalf("%s: %d crashes", want, len(crashes))
			}
			if got := attr(crashes[0], "error.type") + " " + attr(crashes[0], "exception.type"); !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if how := attr(tel.ended(t, "restart")[0], "holdfast.restart.outcome"); how != "ended" {
				t.Errorf("%s: the restart %s", want, how)
			}
		}
	})
}

type lateError struct{}

func (lateError) Error() string     { return "late" }
func (lateError) ErrorType() string { return "late" }

func TestNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := newTelemetry()
		_ = supervise.Run(t.Context(), waits, supervise.WithRestart(supervise.Never), supervise.WithReadyTimeout(time.Second), supervise.WithObserver(tel.observer()), quiet)
		check(t, "crashes", tel.series(t, "holdfast.task.crashes"), "error.type=not_ready 1")
	})
}

// TestLinks walks the chain of crashes back, past a clean exit.
func TestLinks(t *testing.T) {
	tel := newTelemetry()
	n := 0
	_ = supervise.Run(t.Context(), func(context.Context) error {
		if n++; n == 3 {
			return nil
		}
		return errBoom
	}, atOnce, supervise.WithRestart(supervise.Always), supervise.WithPolicy(policy.Compose(policy.Constant(0), policy.MaxCrashes(3, time.Hour))),
		supervise.WithObserver(tel.observer()), quiet)
	roots := tel.ended(t, "restart")
	if len(roots) != 4 || len(roots[0].Links()) != 0 {
		t.Fatalf("%d roots, the first with %v", len(roots), roots[0].Links())
	}
	traces := map[trace.TraceID]bool{roots[0].SpanContext().TraceID(): true}
	for i, root := range roots[1:] {
		if len(root.Links()) != 1 || root.Links()[0].SpanContext.SpanID() != roots[i].SpanContext().SpanID() {
			t.Errorf("root %d: links %v", i+1, root.Links())
		}
		traces[root.SpanContext().TraceID()] = true
	}
	if len(traces) != 4 {
		t.Errorf("%d traces", len(traces))
	}
}

// TestGiveUp is of a policy that gives up, and of a task that is run again though.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, zero := newTelemetry(), time.Now()
		obs := supervise.WithObserver(tel.observer())
		g := gate.New(policy.Compose(policy.Constant(time.Second), policy.MaxCrashes(1, time.Hour)))
		for range 2 {
			err := supervise.Run(t.Context(), failing, supervise.WithName("x"), supervise.WithGate(g), obs, quiet)
			if !errors.Is(err, supervise.ErrGaveUp) {
				t.Error(err)
			}
		}
		check(t, "traces", tel.picture(t, zero),
			"restart x 0s–1s restarted", "  crash 0s Error: boom", "  backing off 0s–1s elapsed",
			"restart x 1s gave_upError: the policy gave up", "  crash 1s Error: boom", "  gave up 1s Error: boom",
			"restart x 1s gave_upError: the policy gave up", "  gave up 1s Error: boom")
		check(t, "give ups", tel.series(t, "holdfast.task.give_ups"), "2")
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
		check(t, "logs", tel.logs.bodies(), "WARN holdfast.task.crash *errors.errorString", "ERROR holdfast.task.crash *errors.errorString",
			"ERROR holdfast.task.give_up *errors.errorString", "ERROR holdfast.task.give_up *errors.errorString")
	})
}

// TestHealthy is of tasks that do not crash: they have no traces, and are counted.
func TestHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := newTelemetry()
		obs := supervise.WithObserver(tel.observer())
		go func() { _ = supervise.Run(until(t, time.Minute), waits, obs, quiet) }()
		synctest.Wait()
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "1")
		check(t, "phases", tel.series(t, "holdfast.task.phase"), "holdfast.gate.phase=idle 1")
		n := 0
		_ = supervise.Run(t.Context(), func(context.Context) error {
			if n++; n == 2 {
				return errBoom
			}
			return nil
		}, supervise.WithRestart(supervise.Always), supervise.WithPolicy(policy.Func(func(h policy.History) policy.Decision {
			if h.Err() != nil {
				return policy.Decision{Verdict: policy.GiveUp}
			}
			return policy.Decision{Delay: time.Second}
		})), obs, quiet)
		check(t, "holds", tel.series(t, "holdfast.hold.duration"),
			"holdfast.gate.phase=backing_off holdfast.hold.outcome=elapsed 1 in 1s")
		time.Sleep(time.Minute)
		synctest.Wait()
		check(t, "tasks at the end", tel.series(t, "holdfast.task.count"), "0")
		check(t, "runs", tel.series(t, "holdfast.run.duration"), "1 in 0s", "1 in 60s", "error.type=*errors.errorString 1 in 0s")
		if n := len(tel.ended(t, "backing off")); n != 0 {
			t.Errorf("%d holds without a crash are traced", n)
		}
	})
}

// TestHoldAfterExit is of clean exits that are held, after a crash: they are
// measured, and belong to no trace.
func TestHoldAfterExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, zero := newTelemetry(), time.Now()
		_ = supervise.Run(until(t, 2500*time.Millisecond), times(1, errBoom), supervise.WithName("x"), supervise.WithRestart(supervise.Always), second,
			supervise.WithObserver(tel.observer()), quiet)
		check(t, "traces", tel.picture(t, zero), "restart x 0s–1s restarted", "  crash 0s Error: boom", "  backing off 0s–1s elapsed")
		check(t, "holds", tel.series(t, "holdfast.hold.duration"),
			"holdfast.gate.phase=backing_off holdfast.hold.outcome=elapsed 2 in 2s",
			"holdfast.gate.phase=backing_off holdfast.hold.outcome=shutdown 1 in 0.5s")
	})
}
