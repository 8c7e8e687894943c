package gate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func TestOpenedBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := gate.By{Who: "ann", Why: "the database is back"}
		g := gate.New(policy.Constant(time.Hour))
		if _, _, ok := g.OpenedBy(); ok {
			t.Error("a gate that was never held was opened")
		}
		g.ObserveCrash(time.Now(), errCrash)
		g.ForceRelease(ann)
		if cause, by, ok := g.OpenedBy(); !ok || cause != gate.CauseForce || by != ann {
			t.Errorf("after a force release: %v, %v, %v", cause, by, ok)
		}
		g.ObserveCrash(time.Now(), errCrash)
		if _, _, ok := g.OpenedBy(); ok {
			t.Error("a gate that is held was opened")
		}
		g.Probe(ann)
		if cause, by, ok := g.OpenedBy(); !ok || cause != gate.CauseProbe || by != ann {
			t.Errorf("after a probe: %v, %v, %v", cause, by, ok)
		}
		now := time.Now()
		g.ObserveCrash(now, errCrash)
		g.MaybeRelease(now.Add(time.Hour))
		if cause, by, ok := g.OpenedBy(); !ok || cause != gate.CauseElapsed || by != (gate.By{}) {
			t.Errorf("after its time: %v, %v, %v", cause, by, ok)
		}
	})
}
