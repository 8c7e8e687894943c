package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// The show, counted from its start.
const (
	backendUp    = 2500 * time.Millisecond
	operatorActs = 3500 * time.Millisecond
)

// newShop returns a tree of tasks:
//
//	shop
//	├ db        a supervisor that restarts what depends on the pool, too
//	│ ├ pool    panics twice
//	│ └ cache   warms up after each start
//	├ poller    cannot reach its backend until that is up; by then it is in a
//	│           crash loop, which an operator ends
//	├ importer  has a file that will not get better: the policy gives up
//	└ mailer    crashes once, and is still held when the shop closes
func newShop(tel *telemetry, observers ...supervise.Observer) *supervise.Supervisor {
	opts := []supervise.SupervisorOption{
		supervise.WithObserver(otelgate.New(otelgate.WithTracerProvider(tel.provider))),
		supervise.WithLogger(slog.New(slog.DiscardHandler)), // the observer prints it
	}
	for _, o := range observers {
		opts = append(opts, supervise.WithObserver(o))
	}
	tracer := tel.provider.Tracer("shop")
	db := supervise.New("db", supervise.WithStrategy(supervise.RestForOne), supervise.WithPolicy(policy.Constant(300*time.Millisecond)))
	add(db, "pool", pool(tracer))
	add(db, "cache", cache(tracer))
	backend := &backend{}
	poller := gate.New(policy.Compose(policy.Exponential(200*time.Millisecond, 2, time.Second), policy.CrashLoop(4, 10*time.Second, time.Minute)))

	shop := supervise.New("shop", opts...)
	add(shop, "backend", backend.serve)
	add(shop, "db", db.Run)
	add(shop, "poller", backend.poll, supervise.WithGate(poller))
	add(shop, "importer", importFile, supervise.Optional(),
		supervise.WithPolicy(policy.Compose(policy.Constant(200*time.Millisecond), policy.MaxCrashes(2, time.Minute))))
	add(shop, "mailer", mail, supervise.WithPolicy(policy.Constant(time.Minute)))
	add(shop, "operator", func(ctx context.Context) error {
		if err := pause(ctx, operatorActs); err != nil {
			return err
		}
		poller.ForceRelease()
		return nil
	})
	return shop
}

// add adds a task to a supervisor that does not run yet: that goes wrong only if
// two have one name.
func add(s *supervise.Supervisor, name string, fn func(context.Context) error, opts ...supervise.TaskOption) {
	if _, err := s.TryAdd(name, fn, opts...); err != nil {
		panic(err)
	}
}

// pool connects, and panics after a while, twice.
func pool(tracer trace.Tracer) func(context.Context) error {
	return func(ctx context.Context) error {
		info, _ := supervise.FromContext(ctx)
		// A span of one's own, linked to the restart that made it necessary.
		_, span := tracer.Start(ctx, "connect", linked(ctx))
		_ = pause(ctx, 20*time.Millisecond)
		span.End()
		if info.Run > 2 {
			return pause(ctx, time.Hour)
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
		var open connections // which nobody has made
		open.add("primary", nil)
		return nil
	}
}

type connections map[string]net.Conn

func (c connections) add(name string, conn net.Conn) { c[name] = conn }

// linked is an option for spans of a run that follows a crash.
func linked(ctx context.Context) trace.SpanStartOption {
	if restart := otelgate.RestartSpanContext(ctx); restart.IsValid() {
		return trace.WithLinks(trace.Link{SpanContext: restart})
	}
	return trace.WithLinks()
}

func cache(tracer trace.Tracer) func(context.Context) error {
	return func(ctx context.Context) error {
		_, span := tracer.Start(ctx, "warm up", linked(ctx))
		_ = pause(ctx, 100*time.Millisecond)
		span.End()
		return pause(ctx, time.Hour)
	}
}

// backend is a server that takes its time to come up.
type backend struct{ up atomic.Pointer[net.Listener] }

func (b *backend) serve(ctx context.Context) error {
	if err := pause(ctx, backendUp); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.up.Store(&l)
	<-ctx.Done()
	return l.Close()
}

// poll keeps a connection to the backend.
func (b *backend) poll(ctx context.Context) error {
	address := "127.0.0.1:1" // where nobody listens
	if l := b.up.Load(); l != nil {
		address = (*l).Addr().String()
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("poll the backend: %w", err)
	}
	<-ctx.Done()
	return conn.Close()
}

var errFile = errors.New("orders.csv: line 7: 3 fields, not 4")

func importFile(ctx context.Context) error {
	if err := pause(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	return errFile
}

func mail(ctx context.Context) error {
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	return errors.New("smtp: 421 try again later")
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
