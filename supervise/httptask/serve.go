package httptask

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// Serve returns a function for a task that serves HTTP. Each run calls build, with its
// context, for a new server, listens on the server's Addr, and serves until the context is
// done; then requests under way may finish. The package documentation says how a run ends
// and what happens to the fields of the server.
//
// An error of build is returned as it is. A nil server is an error, and so is one that
// build has returned before, or that is shut down. If the context is done before the
// server listens, the run ends without listening.
//
// The function can be called outside package supervise, too: then it logs to
// [slog.Default]. Serve panics if build is nil. The function may be used by several tasks
// if build is safe for concurrent use.
func Serve(build func(ctx context.Context) (*http.Server, error), opts ...Option) func(context.Context) error {
	if build == nil {
		panic("httptask: Serve: build is nil; give the function that makes the server")
	}
	c := &config{drain: -1}
	for _, opt := range opts {
		if opt != nil {
			opt.apply(c)
		}
	}
	var last atomic.Pointer[http.Server]
	return func(ctx context.Context) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		srv, err := build(ctx)
		if err != nil {
			return err
		}
		if srv == nil {
			return errors.New("httptask: build returned nil; return a new http.Server")
		}
		if last.Swap(srv) == srv {
			return errUsed // and left as it is, since goroutines of the run before may still read it
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return c.run(ctx, srv)
	}
}

// run listens, serves, and drains.
func (c *config) run(ctx context.Context, srv *http.Server) error {
	s, err := c.equip(ctx, srv)
	if err != nil {
		return err
	}
	if s.listener, err = c.open(ctx, srv, s.encrypted); err != nil {
		return err
	}
	drain, grace := c.patience(ctx)
	defer func() {
		if !s.ended { // a callback of the user's has panicked
			s.shutdown(0)
			s.end(grace)
		}
	}()
	asked, err := s.serve()
	left := drain - time.Since(s.listener.closedAt)
	var finished bool
	switch {
	case asked:
		finished, err = s.shutdown(left), s.stopped()
	case !errors.Is(err, http.ErrServerClosed):
		finished, err = s.shutdown(left), fmt.Errorf("httptask: serve %s: %w", s.listener.name(), err)
	case !s.accepts:
		finished, err = true, errUsed
	default: // the program has called Shutdown or Close; a second time would call its hooks again
		finished, err = s.traffic.wait(left, func() bool { return s.traffic.active() == 0 }), nil
	}
	cut := CutError{Addr: s.listener.name(), Drain: drain}
	if !finished { // else a connection that has just become idle might still count
		cut.Connections = s.traffic.active()
	}
	cut.Handlers = s.end(grace)
	switch {
	case cut.Connections == 0 && cut.Handlers == 0:
		return err
	case err == nil || asked:
		return &cut
	default:
		return fmt.Errorf("%w; %w", err, &cut)
	}
}

// serve accepts connections until the run's context is done, which closes the listener, or
// something else ends that. It reports whether the context did it, and what the server
// returned. The listener is closed then.
func (s *serving) serve() (asked bool, err error) {
	stop := context.AfterFunc(s.ctx, func() { _ = s.listener.Close() })
	defer func() {
		asked = !stop()
		_ = s.listener.Close() // waits for the goroutine of AfterFunc, if there is one
	}()
	return false, s.accept()
}

// stopped returns what a run ends with that was asked to stop, and has.
func (s *serving) stopped() error {
	if err := s.listener.Close(); err != nil {
		return fmt.Errorf("httptask: close %s: %w", s.listener.name(), err)
	}
	return context.Cause(s.ctx)
}

// shutdown waits for the requests under way, but no longer than limit, and reports whether
// all have finished.
func (s *serving) shutdown(limit time.Duration) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	timer := time.AfterFunc(limit, cancel) // a deadline would overflow if the limit is huge
	defer timer.Stop()
	return s.srv.Shutdown(ctx) == nil
}

// end cuts what is left, waits for its handlers, but no longer than grace, and returns how
// many have not returned.
func (s *serving) end(grace time.Duration) (handlers int) {
	if s.ended {
		return 0
	}
	s.ended = true
	s.traffic.closed.Store(true)
	if s.cancel != nil {
		s.cancel(ErrCut)
	}
	_ = s.srv.Close()
	s.traffic.wait(grace, func() bool { return s.traffic.handlers.Load() == 0 })
	return int(s.traffic.handlers.Load())
}
