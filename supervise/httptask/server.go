package httptask

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/holdfast-go/holdfast/supervise"
)

// errUsed is the error of a run for which build has made no new server.
var errUsed = errors.New("httptask: build returned a server that it has returned before, or that was shut down; return a new http.Server each time, since none can serve again after its Shutdown")

// serving is the server of one run, and what follows its requests.
type serving struct {
	ctx       context.Context // the run's
	srv       *http.Server
	encrypted bool
	listener  *listener
	traffic   *traffic
	user      struct { // what the server had
		handler     http.Handler
		baseContext func(net.Listener) context.Context
		connState   func(net.Conn, http.ConnState)
	}

	// Of the goroutine of the run.
	accepts bool                    // it accepts connections, or has
	cancel  context.CancelCauseFunc // of the contexts of all requests; nil until it accepts
	ended   bool
}

// equip puts what follows requests into a server.
func (c *config) equip(ctx context.Context, srv *http.Server) (*serving, error) {
	if _, used := srv.Handler.(*serving); used {
		return nil, errUsed // by another task
	}
	s := &serving{ctx: ctx, srv: srv, traffic: newTraffic()}
	if err := c.encrypt(srv); err != nil {
		return nil, err
	}
	if t := srv.TLSConfig; t != nil {
		s.encrypted = len(t.Certificates) > 0 || t.GetCertificate != nil || t.GetConfigForClient != nil
	}
	s.user.handler, s.user.baseContext, s.user.connState = srv.Handler, srv.BaseContext, srv.ConnState
	if srv.Handler == nil {
		s.user.handler = http.DefaultServeMux
	}
	srv.Handler, srv.BaseContext, srv.ConnState = s, s.baseContext, s.connState
	if srv.ErrorLog == nil {
		info, _ := supervise.FromContext(ctx)
		srv.ErrorLog = log.New(warnings{info.Logger()}, "", 0)
	}
	return s, nil
}

// encrypt gives the server a TLSConfig of its own, since it changes it, with the
// certificate of WithTLS.
func (c *config) encrypt(srv *http.Server) error {
	srv.TLSConfig = srv.TLSConfig.Clone()
	if c.certFile == "" {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("httptask: WithTLS(%q, %q): %w", c.certFile, c.keyFile, err)
	}
	if srv.TLSConfig == nil {
		srv.TLSConfig = &tls.Config{}
	}
	srv.TLSConfig.Certificates = []tls.Certificate{cert}
	return nil
}

// accept serves connections until the listener is closed or fails.
func (s *serving) accept() error {
	if s.encrypted {
		return s.srv.ServeTLS(s.listener, "", "")
	}
	return s.srv.Serve(s.listener)
}

// ServeHTTP calls the user's handler, unless the run has ended. What a handler leaves
// unsaid because it was cut must not reach the client as a whole answer.
func (s *serving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.traffic.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.traffic.leave()
	s.user.handler.ServeHTTP(w, r)
	if s.traffic.closed.Load() {
		panic(http.ErrAbortHandler)
	}
}

// baseContext returns the parent of the contexts of all requests. The server calls it when
// all is set up, before it accepts the first connection.
func (s *serving) baseContext(net.Listener) context.Context {
	parent := context.WithoutCancel(s.ctx)
	if s.user.baseContext != nil {
		if parent = s.user.baseContext(s.listener.Listener); parent == nil {
			return nil // the server panics, and says why
		}
	}
	ctx, cancel := context.WithCancelCause(parent)
	s.cancel, s.accepts = cancel, true
	supervise.Ready(s.ctx)
	return &requestContext{ctx, s.ctx}
}

// requestContext is a context that also has the values of the run's.
type requestContext struct {
	context.Context // with a cancel function, whose key of package context it has therefore
	run             context.Context
}

func (c *requestContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.run.Value(key)
}

func (s *serving) connState(c net.Conn, state http.ConnState) {
	defer func() {
		if v := recover(); v != nil {
			s.srv.ErrorLog.Printf("httptask: panic in ConnState: %v\n%s", v, debug.Stack())
		}
	}()
	s.traffic.observe(c, state)
	if s.user.connState != nil {
		s.user.connState(c, state)
	}
}

// warnings logs each line that is written to it at level Warn.
type warnings struct{ logger *slog.Logger }

// Write contains a panic of the log's handler, which would end the process.
func (w warnings) Write(line []byte) (int, error) {
	defer func() { _ = recover() }()
	w.logger.Warn(strings.TrimSpace(string(line)))
	return len(line), nil
}
