package httptask_test

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/httptask"
)

// TestHooks of the server are all called, as by a server that nobody has changed.
func TestHooks(t *testing.T) {
	type key struct{ name string }
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		var mu sync.Mutex
		var states []http.ConnState
		var logged lines
		hooked := make(chan struct{}, 2)
		build := func(ctx context.Context) (*http.Server, error) {
			srv := &http.Server{
				BaseContext: func(l net.Listener) context.Context {
					if l != p {
						t.Errorf("BaseContext gets %T", l)
					}
					return context.WithValue(context.WithValue(context.Background(), key{"base"}, "the user's"), key{"both"}, "the user's")
				},
				ConnContext: func(ctx context.Context, _ net.Conn) context.Context { return context.WithValue(ctx, key{"conn"}, 1) },
				ConnState: func(_ net.Conn, state http.ConnState) {
					mu.Lock()
					defer mu.Unlock()
					states = append(states, state)
				},
				ErrorLog: log.New(&logged, "mine: ", 0),
				Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					ctx := r.Context()
					for want, k := range map[any]any{"the user's": key{"base"}, 1: key{"conn"}, "the run's": key{"run"}} {
						if got := ctx.Value(k); got != want {
							t.Errorf("%v: %v", k, got)
						}
					}
					if got := ctx.Value(key{"both"}); got != "the user's" {
						t.Errorf("both: %v", got)
					}
					if _, ok := supervise.FromContext(ctx); !ok {
						t.Error("it is no context of the run")
					}
					<-ctx.Done()
					if context.Cause(ctx) != httptask.ErrCut {
						t.Error(context.Cause(ctx))
					}
					panic(errBoom)
				}),
			}
			srv.RegisterOnShutdown(func() { hooked <- struct{}{} })
			return srv, nil
		}
		task := start(func(ctx context.Context) error {
			ctx = context.WithValue(context.WithValue(ctx, key{"run"}, "the run's"), key{"both"}, "the run's")
			return supervised(httptask.Serve(build, p.listen()))(ctx)
		})
		go p.get("/")
		synctest.Wait()
		if err := task.end(); !errors.Is(err, httptask.ErrCut) {
			t.Errorf("it ended with %v", err)
		}
		synctest.Wait()
		if len(states) != 3 || states[0] != http.StateNew || states[1] != http.StateActive || states[2] != http.StateClosed {
			t.Errorf("the states of the connection: %v", states)
		}
		if len(hooked) != 1 {
			t.Errorf("RegisterOnShutdown: %d calls", len(hooked))
		}
		if text := logged.String(); !strings.HasPrefix(text, "mine: http: panic serving pipe: boom\n") {
			t.Errorf("logged: %s", text)
		}
	})
}

// TestBaseContextCancels has a server that cancels its requests by itself.
func TestBaseContextCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		task := start(httptask.Serve(func(ctx context.Context) (*http.Server, error) {
			return &http.Server{
				BaseContext: func(net.Listener) context.Context { return ctx },
				Handler:     slow(5 * time.Second),
			}, nil
		}, p.listen()))
		body := make(chan string)
		go func() {
			text, _ := p.get("/")
			body <- text
		}()
		synctest.Wait()
		if err := task.end(); err != errStop {
			t.Errorf("it ended with %v", err)
		}
		if text := <-body; text != "" {
			t.Errorf("it answered %q", text)
		}
	})
}

var registerOnce = sync.OnceFunc(func() { http.Handle("/httptask/default", hello) })

// TestNoHandler serves what was registered with package net/http.
func TestNoHandler(t *testing.T) {
	addr := make(chan string, 1)
	registerOnce()
	task := start(httptask.Serve(with(nil), free(addr)))
	if body, err := get(once(t), "http://"+<-addr+"/httptask/default"); body != "hello" || err != nil {
		t.Error(body, err)
	}
	if err := task.end(); err != errStop {
		t.Errorf("it ended with %v", err)
	}
}

// TestErrorLog of a server that has none is the task's logger.
func TestErrorLog(t *testing.T) {
	var logged lines
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errBoom) })
	addr := make(chan string, 1)
	task := start(supervised(httptask.Serve(with(panics), free(addr)), supervise.WithLogger(logged.logger())))
	if _, err := get(once(t), "http://"+<-addr); err == nil {
		t.Error("it answered")
	}
	if err := task.end(); err != errStop {
		t.Errorf("it ended with %v", err)
	}
	mustContain(t, logged.String(), `level=WARN msg="http: panic serving 127.0.0.1`, "boom", "task=web run=1")
}

// evil is the handler of a log that panics when a server logs something.
type evil struct{ panicked chan<- struct{} }

func (evil) Enabled(context.Context, slog.Level) bool { return true }
func (e evil) WithAttrs([]slog.Attr) slog.Handler     { return e }
func (e evil) WithGroup(string) slog.Handler          { return e }

func (e evil) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "http: ") {
		e.panicked <- struct{}{}
		panic(errBoom)
	}
	return nil
}

// hooked is a listener whose methods do something else.
type hooked struct {
	*pipes
	accept func() (net.Conn, error)
	close  func() error
}

func (h *hooked) Accept() (net.Conn, error) {
	if h.accept != nil {
		return h.accept()
	}
	return h.pipes.Accept()
}

func (h *hooked) Close() error {
	defer h.pipes.Close()
	if h.close != nil {
		return h.close()
	}
	return nil
}

// TestPanicsOfCallbacks have no effect on anything else, in particular not on the process.
func TestPanicsOfCallbacks(t *testing.T) {
	t.Run("the log", func(t *testing.T) {
		addr := make(chan string, 1)
		panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errBoom) })
		panicked := make(chan struct{}, 1)
		task := start(supervised(httptask.Serve(with(panics), free(addr)), supervise.WithLogger(slog.New(evil{panicked}))))
		if _, err := get(once(t), "http://"+<-addr); err == nil {
			t.Error("it answered")
		}
		<-panicked
		if err := task.end(); err != errStop {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("ConnState", func(t *testing.T) {
		addr := make(chan string, 1)
		var logged lines
		task := start(httptask.Serve(func(context.Context) (*http.Server, error) {
			return &http.Server{
				Handler:   hello,
				ErrorLog:  log.New(&logged, "", 0),
				ConnState: func(net.Conn, http.ConnState) { panic(errBoom) },
			}, nil
		}, free(addr)))
		if body, err := get(once(t), "http://"+<-addr); body != "hello" || err != nil {
			t.Error(body, err)
		}
		if err := task.end(); err != errStop {
			t.Errorf("it ended with %v", err)
		}
		mustContain(t, logged.String(), "httptask: panic in ConnState: boom\ngoroutine ")
	})
	t.Run("Close of the listener", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := &hooked{newPipes(t), nil, func() error { panic(errBoom) }}
			task := start(httptask.Serve(with(hello), httptask.WithListen(func(context.Context) (net.Listener, error) { return l, nil })))
			synctest.Wait()
			if err := task.end(); err.Error() != "httptask: close pipe: panic: boom" {
				t.Errorf("it ended with %v", err)
			}
		})
	})
	t.Run("Accept", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			first := true
			l := &hooked{p, func() (net.Conn, error) {
				if first {
					first = false
					return p.Accept()
				}
				synctest.Wait() // the handler is there
				panic(errBoom)
			}, nil}
			returned, hooks := false, make(chan struct{}, 2)
			build := func(context.Context) (*http.Server, error) {
				srv := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
					time.Sleep(time.Second / 2)
					returned = true
				})}
				srv.RegisterOnShutdown(func() { hooks <- struct{}{} })
				return srv, nil
			}
			go p.get("/")
			var got error
			err := supervise.Run(t.Context(), func(ctx context.Context) error {
				if info, _ := supervise.FromContext(ctx); info.Run == 2 {
					got = info.LastErr
					if !returned {
						t.Error("a handler runs on")
					}
					return nil
				}
				return httptask.Serve(build, httptask.WithListen(func(context.Context) (net.Listener, error) { return l, nil }))(ctx)
			}, quiet, atOnce)
			if panicked := (*supervise.PanicError)(nil); err != nil || !errors.As(got, &panicked) || got.Error() != "panic: boom" {
				t.Errorf("it crashed with %v", got)
			}
			<-p.closed
			synctest.Wait()
			if len(hooks) != 1 {
				t.Errorf("RegisterOnShutdown: %d calls", len(hooks))
			}
		})
	})
}

// temporary is an error after which a server accepts again.
type temporary struct{ error }

func (temporary) Timeout() bool   { return false }
func (temporary) Temporary() bool { return true }

// TestListenerMisbehaves has listeners whose methods return odd errors.
func TestListenerMisbehaves(t *testing.T) {
	for name, test := range map[string]struct {
		accept, close error
		want          string
	}{
		"Accept returns temporary errors after Close": {temporary{errBoom}, nil, errStop.Error()},
		"Close fails":                 {net.ErrClosed, errBoom, "httptask: close pipe: boom"},
		"Close says that it is known": {net.ErrClosed, net.ErrClosed, errStop.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				l := &hooked{p, func() (net.Conn, error) {
					<-p.closed
					return nil, test.accept
				}, func() error { return test.close }}
				task := start(httptask.Serve(with(hello), httptask.WithListen(func(context.Context) (net.Listener, error) { return l, nil })))
				synctest.Wait()
				if err := task.end(); err.Error() != test.want {
					t.Errorf("it ended with %v, not %s", err, test.want)
				}
			})
		})
	}
}

// TestNoAddress is of a listener that does not know where it listens.
func TestNoAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &broken{newPipes(t), make(chan error, 1)}
		b.fail <- errBoom
		err := httptask.Serve(with(hello), httptask.WithListen(func(context.Context) (net.Listener, error) { return nowhere{b}, nil }))(t.Context())
		if err.Error() != "httptask: serve a listener without address: boom" {
			t.Error(err)
		}
	})
}

type nowhere struct{ *broken }

func (nowhere) Addr() net.Addr { return nil }

// TestTemporaryErrors are no crash: the server tries again.
func TestTemporaryErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &broken{newPipes(t), make(chan error)}
		var logged lines
		task := start(httptask.Serve(func(context.Context) (*http.Server, error) {
			return &http.Server{Handler: hello, ErrorLog: log.New(&logged, "", 0)}, nil
		}, httptask.WithListen(func(context.Context) (net.Listener, error) { return b, nil })))
		b.fail <- temporary{errBoom}
		c, _ := b.dial()
		resp, err := http.ReadResponse(send(t, c, "/"), nil) //nolint:bodyclose // the connection is closed
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		if err := task.end(); err != errStop {
			t.Errorf("it ended with %v", err)
		}
		mustContain(t, logged.String(), "http: Accept error: boom; retrying in 5ms")
	})
}
