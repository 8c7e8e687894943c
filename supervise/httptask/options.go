package httptask

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// Option is an option of [Serve]. A nil one is ignored. The last one of a kind wins.
type Option interface{ apply(*config) }

type option func(*config)

func (o option) apply(to *config) { o(to) }

type config struct {
	listen            func(ctx context.Context) (net.Listener, error) // nil: on the server's Addr
	certFile, keyFile string                                          // empty: no files
	drain             time.Duration                                   // negative: by the stop timeout
}

// WithListen sets how each run gets its listener: a unix socket, a socket of systemd, a
// free port in a test. It is called with the run's context, after build; the server's Addr
// is not used. It must return a new listener each time, since the run closes it: for a file
// descriptor, [net.FileListener] makes one. The listener has to be a plain one, as the
// server adds TLS itself when it has certificates.
// Defaults to TCP on the server's Addr, or port 80 or 443 if that is empty, as does nil.
func WithListen(listen func(ctx context.Context) (net.Listener, error)) Option {
	return option(func(c *config) { c.listen = listen })
}

// WithTLS serves HTTPS with the certificate and key in these files, which each run reads
// again; see [http.ListenAndServeTLS]. An empty name panics.
// Defaults to HTTPS if the server's TLSConfig has certificates or a function that gets
// them, and to HTTP otherwise.
func WithTLS(certFile, keyFile string) Option {
	if certFile == "" || keyFile == "" {
		panic(fmt.Sprintf("httptask: WithTLS: certFile (%q) and keyFile (%q) must both be given; to use the certificates of the server's TLSConfig, leave the option out", certFile, keyFile))
	}
	return option(func(c *config) { c.certFile, c.keyFile = certFile, keyFile })
}

// WithDrain sets how long requests under way may take to finish after the run was asked to
// stop. Zero cuts them at once. It cannot exceed the task's stop timeout less a margin of
// one fifth, at most two seconds, in which the run ends.
// Defaults to that, or ten seconds for a task without [supervise.WithStopTimeout]. A
// negative d panics.
func WithDrain(d time.Duration) Option {
	if d < 0 {
		panic(fmt.Sprintf("httptask: WithDrain: d (%v) is negative; give 0 to cut requests at once", d))
	}
	return option(func(c *config) { c.drain = d })
}

const (
	defaultDrain = 10 * time.Second
	maxMargin    = 2 * time.Second
	maxGrace     = time.Second
)

// patience returns how long a run waits for requests to finish, and after that for handlers
// whose requests were cut to return. The rest of the stop timeout is for the run itself.
func (c *config) patience(ctx context.Context) (drain, grace time.Duration) {
	info, _ := supervise.FromContext(ctx)
	limit, bounded := info.StopTimeout()
	if !bounded {
		limit = defaultDrain + maxMargin
		if c.drain >= 0 {
			return c.drain, maxGrace
		}
	}
	drain = limit - min(limit/5, maxMargin)
	if c.drain >= 0 {
		drain = min(drain, c.drain)
	}
	return drain, min((limit-drain)/2, maxGrace)
}
