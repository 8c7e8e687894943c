package otelgate_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// TestWatch is of a reconcile loop's gate: all the ways in which a hold ends.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, zero := newTelemetry(), time.Now()
		g := gate.New(looping())
		stop := tel.observer().Watch(g, "web")
		crash := func() { g.ObserveCrash(time.Now(), errBoom) }
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "1")
		g.ObserveStart(time.Now())
		time.Sleep(250 * time.Millisecond)
		crash() // ran 250 ms
		time.Sleep(time.Second)
		g.MaybeRelease(time.Now())
		crash()
		time.Sleep(500 * time.Millisecond)
		g.ObserveStart(time.Now()) // before its time
		crash()                    // trips
		check(t, "phases", tel.series(t, "holdfast.task.phase"), "holdfast.gate.phase=backing_off 0",
			"holdfast.gate.phase=crash_looping 1", "holdfast.gate.phase=idle 0")
		time.Sleep(time.Second)
		crash() // while it is held
		saved := g.Snapshot()
		time.Sleep(time.Second)
		g.ForceRelease()
		time.Sleep(time.Second)
		if err := g.Restore(saved); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		g.ObserveCleanExit(time.Now())
		g.ObserveCrash(time.Now(), nil)
		time.Sleep(time.Second)
		stop()
		stop()
		crash()
		check(t, "traces", tel.picture(t, zero),
			"restart web 250ms–1.25s released", "  crash 250ms Error: boom", "  backing off 250ms–1.25s elapsed",
			"restart web 1.25s–1.75s released", "  crash 1.25s Error: boom", "  backing off 1.25s–1.75s restarted",
			"restart web 1.75s–2.75s crashed", "  crash 1.75s Error: boom", "  crash looping 1.75s–2.75s crashed",
			"restart web 2.75s–3.75s released", "  crash 2.75s Error: boom", "  crash looping 2.75s–3.75s forced",
			"restart web 4.75s–5.75s released", "  crash looping 4.75s–5.75s restarted",
			"restart web 5.75s–6.75s shutdown", "  crash 5.75s Error: gate: crashed, with a nil error", "  crash looping 5.75s–6.75s shutdown")
		check(t, "crashes", tel.series(t, "holdfast.task.crashes"), "error.type=*errors.errorString 5")
		check(t, "runs", tel.series(t, "holdfast.run.duration"), "error.type=*errors.errorString 1 in 0.25s")
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
	})
}

// TestWatchGiveUp is of a gate that gives up, is restored so, and watched late.
func TestWatchGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, zero := newTelemetry(), time.Now()
		p := policy.Compose(policy.Constant(time.Second), policy.MaxCrashes(0, time.Hour))
		g := gate.New(p)
		defer tel.observer().Watch(g, "web")()
		g.ObserveCrash(time.Now(), errBoom)
		check(t, "traces", tel.picture(t, zero),
			"restart web 0s gave_upError: the policy gave up", "  crash 0s Error: boom", "  gave up 0s Error: boom")
		check(t, "give ups", tel.series(t, "holdfast.task.give_ups"), "1")

		tel = newTelemetry()
		stop := tel.observer().Watch(g, "web")
		check(t, "phases", tel.series(t, "holdfast.task.phase"), "holdfast.gate.phase=gave_up 1", "holdfast.gate.phase=idle 0")
		g.ForceRelease()
		stop()
		check(t, "phases", tel.series(t, "holdfast.task.phase"), "holdfast.gate.phase=gave_up 0", "holdfast.gate.phase=idle 0")
		check(t, "traces", tel.picture(t, zero))
	})
}

func TestWatchNil(t *testing.T) {
	defer func() {
		if v := recover(); v != "otelgate: Watch: g is nil; give the gate to watch" {
			t.Errorf("panics with %v", v)
		}
	}()
	newTelemetry().observer().Watch(nil, "web")
}

// TestWatchRestart is of a clean exit that holds the gate: measured, not traced.
func TestWatchRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := newTelemetry()
		g := gate.New(policy.Constant(time.Second))
		defer tel.observer().Watch(g, "web")()
		g.ObserveRestart(time.Now())
		time.Sleep(time.Second)
		if !g.MaybeRelease(time.Now()) {
			t.Fatal(errors.New("it is not held"))
		}
		check(t, "holds", tel.series(t, "holdfast.hold.duration"),
			"holdfast.gate.phase=backing_off holdfast.hold.outcome=elapsed 1 in 1s")
		check(t, "traces", tel.picture(t, time.Now()))
	})
}
