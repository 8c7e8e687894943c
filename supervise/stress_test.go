package supervise_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// TestStress runs tasks that end in every way at once, under one gate that is
// forced open all the time, with an observer and watchdogs, and stops them at
// some instant. It is for the race detector, and for goroutines that are left.
func TestStress(t *testing.T) {
	g := gate.New(policy.Compose(policy.Constant(time.Millisecond), policy.CrashLoop(5, time.Second, time.Hour)))
	ctx, cancel := context.WithCancelCause(t.Context())
	var j journal
	var runs atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			err := supervise.Run(ctx, func(ctx context.Context) error {
				runs.Add(1)
				supervise.Alive(ctx)
				switch (int(runs.Load()) + i) % 5 {
				case 0:
					panic(errBoom)
				case 1:
					runtime.Goexit()
				case 2:
					<-time.After(time.Microsecond)
				case 3:
					_ = supervise.Go(ctx, failing)
				}
				return errBoom
			}, supervise.WithGate(g), supervise.WithObserver(&j), supervise.WithWatchdog(time.Minute), supervise.WithStopTimeout(time.Minute), quiet)
			if !errors.Is(err, errStop) {
				t.Error(err)
			}
		})
	}
	for runs.Load() < 5000 {
		g.ForceRelease()
		runtime.Gosched()
	}
	cancel(errStop)
	wg.Wait()
	for len(j.of(supervise.KindStop)) < 16 { // an observer may be told after Run has returned
		runtime.Gosched()
	}
	var told, dropped uint64
	for _, e := range j.all() {
		dropped += e.Dropped
		if e.Kind == supervise.KindStart {
			told++
		}
	}
	if dropped == 0 && told != uint64(runs.Load()) {
		t.Errorf("%d runs, %d told", runs.Load(), told)
	}
}
