// Command quickstart supervises four tasks that fail for real, each in its own
// way, shows what happens as it happens, and ends with a timeline. It takes about
// ten seconds and needs nothing but loopback.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/timeline"
	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// The show, counted from its start.
const (
	serverDown = 1500 * time.Millisecond
	serverUp   = 4500 * time.Millisecond
	showEnds   = 9 * time.Second
	// repairTakes is how long the operator needs, once a task is crash looping.
	repairTakes = 2 * time.Second
)

func main() {
	svg := flag.String("svg", "", "also write the timeline as an SVG picture to this `file`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *svg); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, svg string) error {
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := startServer()
	if err != nil {
		return err
	}
	defer server.stop()
	ctx, cancel := context.WithTimeoutCause(ctx, showEnds, errors.New("the show is over"))
	defer cancel()

	pol, err := policy.Config{
		Initial: 200 * time.Millisecond, Factor: 2, Max: 2 * time.Second,
		Threshold: 5, Window: 10 * time.Second, Cooldown: time.Minute,
		StableAfter: 3 * time.Second,
	}.Policy()
	if err != nil {
		return err
	}
	// Built from the inside out: a permanent error is looked for first.
	pol = policy.Compose(pol, policy.PermanentErrors())

	s := &show{
		policy:   pol,
		recorder: timeline.NewRecorder("poller", "consumer", "mailer", "billing"),
		console:  newConsole(os.Stdout),
	}
	config := filepath.Join(dir, "mail.conf")
	mailer := gate.New(pol)
	go server.goDownAndUp(ctx, s.console)
	go repair(ctx, mailer, config, s.console)

	s.supervise(ctx, "poller", pollEvery(200*time.Millisecond, server.url("/health")))
	s.supervise(ctx, "consumer", newQueue(s.console).consume)
	s.supervise(ctx, "mailer", mailFrom(config), supervise.WithGate(mailer))
	s.supervise(ctx, "billing", bill(server.url("/invoices")))
	s.tasks.Wait()
	return s.report(svg)
}

// show runs tasks and keeps what came of them.
type show struct {
	policy   policy.Policy
	recorder *timeline.Recorder
	console  *console

	tasks sync.WaitGroup
	mu    sync.Mutex
	ends  map[string]error
}

// supervise is all that a task needs: its function, and a call of supervise.Run.
func (s *show) supervise(ctx context.Context, name string, fn func(context.Context) error, opts ...supervise.RunOption) {
	opts = append([]supervise.RunOption{
		supervise.WithName(name),
		supervise.WithObserver(s.recorder),
		supervise.WithObserver(s.console),
		supervise.WithLogger(slog.New(slog.DiscardHandler)), // the console shows it all
	}, opts...)
	if name != "mailer" { // whose gate has the policy
		opts = append(opts, supervise.WithPolicy(s.policy))
	}
	s.tasks.Go(func() {
		err := supervise.Run(ctx, fn, opts...)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.ends == nil {
			s.ends = map[string]error{}
		}
		s.ends[name] = err
	})
}

// repair is the operator: when the mailer's gate trips, it mends what is broken
// and forces the gate open, rather than wait out the minute of its cool-down.
func repair(ctx context.Context, g *gate.Gate, config string, c *console) {
	tripped := make(chan struct{}, 1)
	defer g.OnTransition(func(t gate.Transition) {
		if t.To.Phase() == gate.CrashLooping {
			tripped <- struct{}{}
		}
	})()
	select {
	case <-ctx.Done():
		return
	case <-tripped:
	}
	select {
	case <-ctx.Done():
		return
	case <-time.After(repairTakes):
	}
	c.say("operator", "writes the missing file and forces the mailer's gate open")
	if err := os.WriteFile(config, []byte("smtp=127.0.0.1:25\n"), 0o600); err != nil {
		c.say("operator", "cannot: "+err.Error())
		return
	}
	g.ForceRelease()
}

func (s *show) report(svg string) error {
	s.console.results(s.ends)
	chart := s.recorder.Chart()
	if err := s.console.timeline(chart); err != nil {
		return err
	}
	if svg == "" {
		return nil
	}
	f, err := os.Create(svg)
	if err != nil {
		return err
	}
	return errors.Join(chart.WriteSVG(f), f.Close())
}
