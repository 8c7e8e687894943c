package main

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// newShop returns a tree of tasks, one for each alert, and one that is well:
//
//	shop
//	├ poller    crashes at once, until its gate trips
//	├ consumer  crashes twice a second, which its own policy puts up with
//	├ importer  hangs in its first run, and does not end when asked to
//	└ server    runs
func newShop(meters metric.MeterProvider) *supervise.Supervisor {
	shop := supervise.New("shop", supervise.WithObserver(otelgate.New(otelgate.WithMeterProvider(meters))))
	add(shop, "poller", func(context.Context) error { return errRefused }, supervise.WithPolicy(policy.Compose(
		policy.Exponential(100*time.Millisecond, 2, time.Second), policy.CrashLoop(5, time.Minute, 5*time.Minute))))
	add(shop, "consumer", consume, supervise.WithPolicy(policy.Constant(400*time.Millisecond)))
	add(shop, "importer", importFiles, supervise.Overlap(), supervise.WithPolicy(policy.Constant(time.Second)),
		supervise.WithWatchdog(time.Second), supervise.WithStopTimeout(500*time.Millisecond))
	add(shop, "server", func(ctx context.Context) error { return pause(ctx, 1000*time.Hour) })
	return shop
}

// add adds a task to a supervisor that does not run yet: that goes wrong only if
// two have one name.
func add(s *supervise.Supervisor, name string, fn func(context.Context) error, opts ...supervise.TaskOption) {
	if _, err := s.TryAdd(name, fn, opts...); err != nil {
		panic(err)
	}
}

var (
	errRefused  = errors.New("connection refused")
	errPoisoned = errors.New("cannot read the message")
)

// consume comes upon a message that it cannot read, again and again.
func consume(ctx context.Context) error {
	if err := pause(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	return errPoisoned
}

// importFiles hangs in its first run, as if a disk did not answer.
func importFiles(ctx context.Context) error {
	if info, _ := supervise.FromContext(ctx); info.Run == 1 {
		select {}
	}
	for {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		supervise.Alive(ctx)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
