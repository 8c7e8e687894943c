package httptask_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/httptask"
)

func TestServe(t *testing.T) {
	for name, run := range map[string]func(func(context.Context) error) func(context.Context) error{
		"under supervise.Run": func(fn func(context.Context) error) func(context.Context) error { return supervised(fn) },
		"alone":               func(fn func(context.Context) error) func(context.Context) error { return fn },
	} {
		t.Run(name, func(t *testing.T) {
			addr := make(chan string, 1)
			task := start(run(httptask.Serve(with(hello), nil, free(addr))))
			if body, err := get(once(t), "http://"+<-addr); body != "hello" || err != nil {
				t.Error(body, err)
			}
			if err := task.end(); err != errStop {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// TestServeOnAddr listens where the server says. It crashes while the port is taken, and
// serves when it is free.
func TestServeOnAddr(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := taken.Addr().String()
	var failed error
	up := make(chan struct{})
	task := start(supervised(httptask.Serve(func(ctx context.Context) (*http.Server, error) {
		if info, _ := supervise.FromContext(ctx); info.Run == 2 {
			failed = info.LastErr
			taken.Close()
		}
		return &http.Server{Addr: addr, Handler: hello, BaseContext: func(net.Listener) context.Context {
			close(up)
			return context.Background()
		}}, nil
	})))
	<-up
	if body, err := get(once(t), "http://"+addr); body != "hello" || err != nil {
		t.Error(body, err)
	}
	if err := task.end(); err != errStop {
		t.Errorf("it ended with %v", err)
	}
	if want := "httptask: listen tcp " + addr + ": bind: address already in use"; failed.Error() != want {
		t.Errorf("%v, not %s", failed, want)
	}
	if !errors.Is(failed, syscall.EADDRINUSE) {
		t.Errorf("%v is not EADDRINUSE", failed)
	}
}

// TestRestarts has each of many requests crash the task: the port can be bound again at
// once each time.
func TestRestarts(t *testing.T) {
	const restarts = 200
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	up := make(chan struct{})
	var crashes []error
	fn := httptask.Serve(func(ctx context.Context) (*http.Server, error) {
		if info, _ := supervise.FromContext(ctx); info.LastErr != nil {
			crashes = append(crashes, info.LastErr)
		}
		return &http.Server{
			Addr:        addr,
			BaseContext: func(net.Listener) context.Context { up <- struct{}{}; return context.Background() },
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := supervise.Go(r.Context(), func(context.Context) error { return errBoom }); err != nil {
					t.Error(err)
				}
				io.WriteString(w, "hello")
			}),
		}, nil
	})
	task := start(supervised(fn))
	transport := &http.Transport{} // keeps its connections: the server has to close them
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for i := range restarts {
		<-up
		if body, err := get(client, "http://"+addr); body != "hello" || err != nil {
			t.Fatalf("run %d: %q, %v", i+1, body, err)
		}
	}
	<-up
	if err := task.end(); err != errStop {
		t.Errorf("it ended with %v", err)
	}
	if len(crashes) != restarts {
		t.Errorf("%d crashes", len(crashes))
	}
	for _, err := range crashes {
		if err != errBoom {
			t.Fatalf("it crashed with %v", err)
		}
	}
}

// TestBuild has the ways in which a server cannot be built, or not be served.
func TestBuild(t *testing.T) {
	for name, test := range map[string]struct {
		build func(context.Context) (*http.Server, error)
		want  string
	}{
		"an error":           {func(context.Context) (*http.Server, error) { return nil, errBoom }, "boom"},
		"a server and error": {func(context.Context) (*http.Server, error) { return &http.Server{}, errBoom }, "boom"},
		"nothing": {func(context.Context) (*http.Server, error) { return nil, nil },
			"httptask: build returned nil; return a new http.Server"},
		"a panic": {func(context.Context) (*http.Server, error) { panic(errBoom) }, "panic: boom"},
		"a server shut down": {func(context.Context) (*http.Server, error) {
			srv := &http.Server{}
			return srv, srv.Shutdown(context.Background())
		}, errUsed},
		"a nil base context": {func(context.Context) (*http.Server, error) {
			return &http.Server{BaseContext: func(net.Listener) context.Context { return nil }}, nil
		}, "panic: BaseContext returned a nil context"},
		"a base context that panics": {func(context.Context) (*http.Server, error) {
			return &http.Server{BaseContext: func(net.Listener) context.Context { panic(errBoom) }}, nil
		}, "panic: boom"},
		"a bad set of ciphers": {func(context.Context) (*http.Server, error) { return badCiphers(t), nil },
			"httptask: serve pipe: http2: TLSConfig.CipherSuites"},
	} {
		t.Run(name, func(t *testing.T) {
			var listening *pipes
			listen := httptask.WithListen(func(context.Context) (net.Listener, error) {
				listening = newPipes(t)
				return listening, nil
			})
			var got error
			_ = supervise.Run(t.Context(), func(ctx context.Context) error {
				if info, _ := supervise.FromContext(ctx); info.Run == 2 {
					got = info.LastErr
					return nil
				}
				return httptask.Serve(test.build, listen)(ctx)
			}, quiet, atOnce)
			if got == nil || !strings.HasPrefix(got.Error(), test.want) || strings.Contains(got.Error(), "\n") {
				t.Errorf("it crashed with %v, not %s", got, test.want)
			}
			if listening != nil {
				<-listening.closed
			}
		})
	}
}

const errUsed = "httptask: build returned a server that it has returned before, or that was shut down; return a new http.Server each time, since none can serve again after its Shutdown"

// TestSameServer is refused in the second run, even if its handler was set again.
func TestSameServer(t *testing.T) {
	for name, between := range map[string]func(*http.Server){
		"as it is":              func(*http.Server) {},
		"with its handler anew": func(srv *http.Server) { srv.Handler = hello },
	} {
		t.Run(name, func(t *testing.T) {
			srv := &http.Server{Handler: hello}
			addr := make(chan string, 1)
			fn := httptask.Serve(func(context.Context) (*http.Server, error) { return srv, nil }, free(addr))
			task := start(fn)
			if body, err := get(once(t), "http://"+<-addr); body != "hello" || err != nil {
				t.Error(body, err)
			}
			if err := task.end(); err != errStop {
				t.Errorf("it ended with %v", err)
			}
			between(srv)
			if err := fn(t.Context()); err == nil || err.Error() != errUsed {
				t.Errorf("%v, not %s", err, errUsed)
			}
		})
	}
}

// TestServerOfAnotherTask is refused while that task serves, which goes on.
func TestServerOfAnotherTask(t *testing.T) {
	srv := &http.Server{Handler: hello}
	addr := make(chan string, 1)
	build := func(context.Context) (*http.Server, error) { return srv, nil }
	task := start(httptask.Serve(build, free(addr)))
	url := "http://" + <-addr
	for range 2 {
		if body, err := get(once(t), url); body != "hello" || err != nil {
			t.Error(body, err)
		}
		if err := httptask.Serve(build, free(addr))(t.Context()); err == nil || err.Error() != errUsed {
			t.Errorf("%v, not %s", err, errUsed)
		}
	}
	if err := task.end(); err != errStop {
		t.Errorf("it ended with %v", err)
	}
}

// TestListenFails has the ways in which nothing listens.
func TestListenFails(t *testing.T) {
	for name, test := range map[string]struct {
		listen func(context.Context) (net.Listener, error)
		want   string
	}{
		"an error": {func(context.Context) (net.Listener, error) { return nil, errBoom }, "httptask: boom"},
		"nothing":  {func(context.Context) (net.Listener, error) { return nil, nil }, "httptask: WithListen: listen returned nil; return a new listener"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := httptask.Serve(with(hello), httptask.WithListen(test.listen))(t.Context()); err == nil || err.Error() != test.want {
				t.Errorf("%v, not %s", err, test.want)
			}
		})
	}
}

// TestStoppedBeforeItListens has the context done before build, and in build.
func TestStoppedBeforeItListens(t *testing.T) {
	for name, inBuild := range map[string]bool{"before build": false, "in build": true} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			if !inBuild {
				cancel(errStop)
			}
			err := httptask.Serve(func(context.Context) (*http.Server, error) {
				if !inBuild {
					t.Error("it builds")
				}
				cancel(errStop)
				return &http.Server{}, nil
			}, httptask.WithListen(func(context.Context) (net.Listener, error) {
				t.Error("it listens")
				return nil, errBoom
			}))(ctx)
			if err != errStop {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// TestStoppedWhileItListens has the context done when listen returns a listener.
func TestStoppedWhileItListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		p := newPipes(t)
		err := httptask.Serve(with(hello), httptask.WithListen(func(context.Context) (net.Listener, error) {
			cancel(errStop)
			return p, nil
		}))(ctx)
		if err != errStop {
			t.Errorf("it ended with %v", err)
		}
		<-p.closed
	})
}

// TestReady is of a server that listens in time, and one that does not.
func TestReady(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		want  error
	}{
		"in time":  {50 * time.Second, nil},
		"too late": {70 * time.Second, supervise.ErrNotReady},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := true
				var crash error
				task := start(supervised(func(ctx context.Context) error {
					if info, _ := supervise.FromContext(ctx); info.LastErr != nil {
						crash = info.LastErr
					}
					return httptask.Serve(with(hello), httptask.WithListen(func(context.Context) (net.Listener, error) {
						if first {
							time.Sleep(test.takes)
						}
						first = false
						return newPipes(t), nil
					}))(ctx)
				}, supervise.WithReadyTimeout(time.Minute)))
				time.Sleep(time.Hour)
				if err := task.end(); err != errStop {
					t.Errorf("it ended with %v", err)
				}
				if !errors.Is(crash, test.want) {
					t.Errorf("it crashed with %v", crash)
				}
			})
		})
	}
}

func TestPanics(t *testing.T) {
	for want, call := range map[string]func(){
		"httptask: Serve: build is nil; give the function that makes the server": func() { httptask.Serve(nil) },
		"httptask: WithDrain: d (-1s) is negative; give 0 to cut requests at once": func() {
			httptask.WithDrain(-time.Second)
		},
		`httptask: WithTLS: certFile ("cert.pem") and keyFile ("") must both be given; to use the certificates of the server's TLSConfig, leave the option out`: func() {
			httptask.WithTLS("cert.pem", "")
		},
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("it panicked with %v", got)
				}
			}()
			call()
		})
	}
}
