package httptask

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// open returns the listener of a run.
func (c *config) open(ctx context.Context, srv *http.Server, encrypted bool) (*listener, error) {
	listen := c.listen
	if listen == nil {
		addr := srv.Addr
		switch {
		case addr == "" && encrypted:
			addr = ":https"
		case addr == "":
			addr = ":http"
		}
		listen = func(ctx context.Context) (net.Listener, error) {
			return new(net.ListenConfig).Listen(ctx, "tcp", addr)
		}
	}
	l, err := listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("httptask: %w", err)
	}
	if l == nil {
		return nil, errors.New("httptask: WithListen: listen returned nil; return a new listener")
	}
	return &listener{Listener: l}, nil
}

// listener is closed once, whoever closes it first: the end of the run's context, the
// server, or the end of the run. All that come later wait for the first.
type listener struct {
	net.Listener
	once     sync.Once
	closed   atomic.Bool
	closedAt time.Time // to be read after Close
	closeErr error
}

// Accept returns net.ErrClosed after Close, whatever the listener makes of that: a server
// tries again after a temporary error.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil && l.closed.Load() {
		err = net.ErrClosed
	}
	return c, err
}

// Close closes the listener. If that panics, the panic is its error: it may run on a
// goroutine where nothing else would contain it.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.closedAt = time.Now()
		l.closed.Store(true)
		defer func() {
			if v := recover(); v != nil {
				l.closeErr = fmt.Errorf("panic: %v", v)
			}
		}()
		if err := l.Listener.Close(); !errors.Is(err, net.ErrClosed) {
			l.closeErr = err
		}
	})
	return l.closeErr
}

// name returns the address in words.
func (l *listener) name() string {
	if addr := l.Addr(); addr != nil {
		return addr.String()
	}
	return "a listener without address"
}
