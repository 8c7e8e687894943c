package otelgate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// TestProcessDied tells that the death of the process is a crash, traced up to the
// first start in the next one, which can link to it.
func TestProcessDied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		died := gate.New(policy.Default())
		died.ObserveStart(time.Now())
		if _, err := store.Save(t.Context(), "x", died.Snapshot(), 0); err != nil {
			t.Fatal(err)
		}
		tel := newTelemetry()
		err := supervise.Run(t.Context(), func(ctx context.Context) error {
			if !otelgate.RestartSpanContext(ctx).IsValid() {
				t.Error("the first run does not know of the restart that began it")
			}
			return nil
		}, supervise.WithName("x"), supervise.WithPolicy(policy.Classic()), supervise.WithStore(store), supervise.WithObserver(tel.observer()), quiet)
		if err != nil {
			t.Error(err)
		}
		check(t, "crashes", tel.series(t, "holdfast.task.crashes"), "error.type=process_died 1")
		restarts := tel.ended(t, "restart")
		if len(restarts) != 1 || restarts[0].EndTime().Sub(restarts[0].StartTime()) != 500*time.Millisecond {
			t.Errorf("the restarts are %v", restarts)
		}
	})
}

// noDisk is a store that fails.
type noDisk struct{ gate.Store }

func (noDisk) Load(context.Context, string) (gate.Snapshot, uint64, error) {
	return gate.Snapshot{}, 0, errors.New("no disk")
}

func TestStoreFailuresAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := newTelemetry()
		_ = supervise.Run(t.Context(), func(context.Context) error { return nil },
			supervise.WithName("x"), supervise.WithStore(noDisk{}), supervise.WithObserver(tel.observer()), quiet)
		check(t, "failures", tel.series(t, "holdfast.store.failures"), "error.type=*errors.errorString 1")
	})
}
