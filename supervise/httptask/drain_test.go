package httptask_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/httptask"
)

// slow answers after a time, unless the context of the request is done before.
func slow(d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := supervise.Sleep(r.Context(), d); err == nil {
			io.WriteString(w, "done")
		}
	})
}

// TestDrain has requests that take so long when the run is asked to stop.
func TestDrain(t *testing.T) {
	const s = time.Second
	minute := supervise.WithStopTimeout(time.Minute)
	for name, test := range map[string]struct {
		stopTimeout supervise.Option
		drain       time.Duration // negative for none
		takes, ends time.Duration // of the run, after it was asked to stop
		cutAfter    time.Duration // 0 if the request is not cut
	}{
		"it finishes":                          {nil, -1, 9 * s, 9 * s, 0},
		"it takes longer":                      {nil, -1, 11 * s, 10 * s, 10 * s},
		"the stop timeout is longer":           {minute, -1, 57 * s, 57 * s, 0},
		"it takes longer than that":            {minute, -1, 59 * s, 58 * s, 58 * s},
		"the stop timeout is short":            {supervise.WithStopTimeout(s), -1, s, 800 * time.Millisecond, 800 * time.Millisecond},
		"the drain is longer than usual":       {nil, 30 * s, 29 * s, 29 * s, 0},
		"it takes longer than the drain":       {nil, 30 * s, time.Hour, 30 * s, 30 * s},
		"the drain is below the stop timeout":  {minute, 5 * s, 6 * s, 5 * s, 5 * s},
		"the drain is above the stop timeout":  {minute, time.Hour, 59 * s, 58 * s, 58 * s},
		"there is no drain":                    {minute, 0, s, 0, -1},
		"the stop timeout is as long as it is": {supervise.WithStopTimeout(math.MaxInt64), -1, time.Hour, time.Hour, 0},
		"the drain is as long as it can be":    {nil, math.MaxInt64, time.Hour, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				opts := []httptask.Option{p.listen()}
				if test.drain >= 0 {
					opts = append(opts, httptask.WithDrain(test.drain))
				}
				var cut *httptask.CutError
				task := start(supervised(func(ctx context.Context) error {
					err := httptask.Serve(with(slow(test.takes)), opts...)(ctx)
					errors.As(err, &cut)
					return err
				}, test.stopTimeout))
				got := make(chan error)
				go func() {
					_, err := p.get("/")
					got <- err
				}()
				synctest.Wait()
				begin := time.Now()
				task.stop(errStop)
				err := <-got
				result := <-task.err
				// Shutdown looks twice a second whether it is done.
				if took := time.Since(begin); took < test.ends || took > test.ends+550*time.Millisecond {
					t.Errorf("it ended after %v", took)
				}
				if !errors.Is(result, errStop) {
					t.Errorf("it ended with %v", result)
				}
				if test.cutAfter == 0 {
					if err != nil || cut != nil || result != errStop {
						t.Errorf("the request got %v, the run %v", err, result)
					}
					return
				}
				want := httptask.CutError{Addr: "pipe", Drain: max(test.cutAfter, 0), Connections: 1}
				if err == nil || cut == nil || *cut != want || !errors.Is(result, httptask.ErrCut) {
					t.Errorf("the request got %v, the run %v, not %v", err, result, &want)
				}
			})
		})
	}
}

// TestContextOfRequests is not done when the run is to stop, but when the drain is over, and
// has the run's values.
func TestContextOfRequests(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		var begin time.Time
		member := make(chan struct{})
		handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			info, ok := supervise.FromContext(ctx)
			if !ok || info.Task != "web" || info.Run != 1 || ctx.Value(key{}) != "value" || ctx.Value(http.ServerContextKey) == nil {
				t.Errorf("its values: %+v, %v", info, ctx.Value(key{}))
			}
			if _, ok := ctx.Deadline(); ok {
				t.Error("it has a deadline")
			}
			if err := supervise.Go(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				close(member)
				return nil
			}); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			if lasted := time.Since(begin); lasted != 10*time.Second || context.Cause(ctx) != httptask.ErrCut || ctx.Err() != context.Canceled {
				t.Errorf("after %v: %v, %v", lasted, ctx.Err(), context.Cause(ctx))
			}
		})
		stopped := make(chan struct{})
		build := func(ctx context.Context) (*http.Server, error) {
			context.AfterFunc(ctx, func() { close(stopped) })
			return with(handler)(ctx)
		}
		task := start(func(ctx context.Context) error {
			ctx, cancel := context.WithDeadline(context.WithValue(ctx, key{}, "value"), time.Now().Add(24*time.Hour))
			defer cancel()
			return supervised(httptask.Serve(build, p.listen()))(ctx)
		})
		go p.get("/")
		synctest.Wait()
		begin = time.Now()
		task.stop(errStop)
		<-stopped
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the context of build was done after %v", waited)
		}
		if err := <-task.err; !errors.Is(err, httptask.ErrCut) {
			t.Errorf("it ended with %v", err)
		}
		<-member
	})
}

// TestIdleConnections are closed, those of a keep-alive client and those on which nothing
// was sent; they are not cut.
func TestIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		task := start(httptask.Serve(with(hello), p.listen()))
		kept, _ := p.dial()
		answer := send(t, kept, "/")
		resp, err := http.ReadResponse(answer, nil) //nolint:bodyclose // the connection is closed
		if err != nil || resp.Close {
			t.Fatal(err, resp)
		}
		io.Copy(io.Discard, resp.Body)
		fresh, _ := p.dial()
		synctest.Wait()
		begin := time.Now()
		task.stop(errStop)
		if _, err := answer.ReadByte(); err != io.EOF {
			t.Errorf("the idle connection: %v", err)
		}
		if waited := time.Since(begin); waited > time.Second {
			t.Errorf("it was closed after %v", waited)
		}
		if _, err := fresh.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the new connection: %v", err)
		}
		if err := <-task.err; err != errStop {
			t.Errorf("it ended with %v", err)
		}
		if _, err := p.dial(); err != net.ErrClosed {
			t.Errorf("it still listens: %v", err)
		}
	})
}

// TestDeafHandlers do not look at their contexts. The run ends when they return in time,
// and says how many have not.
func TestDeafHandlers(t *testing.T) {
	const s = time.Second
	for name, test := range map[string]struct {
		stopTimeout supervise.Option
		take        []time.Duration
		ends        time.Duration
		want        string
	}{
		"returns in time":      {nil, []time.Duration{10*s + s/2}, 10*s + s/2, "cut 1 connection whose requests had not finished within 10s"},
		"one of two":           {nil, []time.Duration{10*s + s/2, 20 * s}, 11 * s, "cut 2 connections whose requests had not finished within 10s; left 1 handler running in spite of a cancelled context"},
		"none of two":          {nil, []time.Duration{20 * s, 20 * s}, 11 * s, "cut 2 connections whose requests had not finished within 10s; left 2 handlers running in spite of a cancelled context"},
		"with a stop timeout":  {supervise.WithStopTimeout(5 * s), []time.Duration{20 * s}, 4*s + s/2, "cut 1 connection whose requests had not finished within 4s; left 1 handler running in spite of a cancelled context"},
		"with a long one":      {supervise.WithStopTimeout(30 * s), []time.Duration{time.Minute}, 29 * s, "cut 1 connection whose requests had not finished within 28s; left 1 handler running in spite of a cancelled context"},
		"beside one that ends": {nil, []time.Duration{5 * s, 20 * s}, 11 * s, "cut 1 connection whose requests had not finished within 10s; left 1 handler running in spite of a cancelled context"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					d, _ := time.ParseDuration(r.URL.Query().Get("d"))
					time.Sleep(d)
				})
				var got error
				task := start(supervised(func(ctx context.Context) error {
					got = httptask.Serve(with(handler), p.listen())(ctx)
					return got
				}, test.stopTimeout))
				var begin time.Time
				for _, d := range test.take {
					go func() {
						_, err := p.get("/?d=" + d.String())
						if waited := time.Since(begin); waited > test.ends || err == nil != (d == 5*s) {
							t.Errorf("a request of %v got %v after %v", d, err, waited)
						}
					}()
				}
				synctest.Wait()
				begin = time.Now()
				if err := task.end(); errors.Is(err, supervise.ErrAbandoned) {
					t.Error("it did not end in time")
				}
				if took := time.Since(begin); took != test.ends {
					t.Errorf("it ended after %v, not %v", took, test.ends)
				}
				if want := "httptask: pipe: " + test.want; fmt.Sprint(got) != want {
					t.Errorf("%v, not %s", got, want)
				}
				time.Sleep(time.Hour)
			})
		})
	}
}

// lazy is a listener whose connections take a second to close.
type lazy struct{ *pipes }

func (l lazy) Accept() (net.Conn, error) {
	c, err := l.pipes.Accept()
	return lazyConn{c}, err
}

type lazyConn struct{ net.Conn }

func (c lazyConn) Close() error {
	time.Sleep(time.Second)
	return c.Conn.Close()
}

// TestCutAnswer has a handler return early as its context is cancelled. What it has left
// unsaid must not look like a whole answer, even if the connection is still open.
func TestCutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		task := start(httptask.Serve(with(slow(time.Hour)), httptask.WithListen(func(context.Context) (net.Listener, error) { return lazy{p}, nil })))
		got := make(chan error)
		go func() {
			_, err := p.get("/")
			got <- err
		}()
		synctest.Wait()
		task.stop(errStop)
		if err := <-got; err == nil {
			t.Error("the request got an answer")
		}
		if err := <-task.err; fmt.Sprint(err) != "httptask: pipe: cut 1 connection whose requests had not finished within 10s" {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestSlowClose has a listener that takes three seconds to close. They are part of the
// drain.
func TestSlowClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		l := &hooked{p, nil, func() error { time.Sleep(3 * time.Second); return nil }}
		task := start(httptask.Serve(with(slow(time.Hour)), httptask.WithListen(func(context.Context) (net.Listener, error) { return l, nil })))
		go p.get("/")
		synctest.Wait()
		begin := time.Now()
		if err := task.end(); !errors.Is(err, httptask.ErrCut) {
			t.Errorf("it ended with %v", err)
		}
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("it ended after %v", took)
		}
	})
}

// TestHijackedIsNotCut has a hijacked connection beside one that is cut.
func TestHijackedIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		mux := http.NewServeMux()
		mux.Handle("/slow", slow(time.Hour))
		mux.HandleFunc("/hijack", func(w http.ResponseWriter, r *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			<-r.Context().Done()
		})
		task := start(httptask.Serve(with(mux), p.listen()))
		go p.get("/slow")
		go p.get("/hijack")
		synctest.Wait()
		if err := task.end(); fmt.Sprint(err) != "httptask: pipe: cut 1 connection whose requests had not finished within 10s" {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestHijacked connections are not waited for in the drain. Their handlers see the context
// of their request cancelled after it.
func TestHijacked(t *testing.T) {
	for name, test := range map[string]struct {
		deaf bool
		ends time.Duration
		want string
	}{
		"the handler returns": {false, 0, errStop.Error()},
		"it is deaf":          {true, time.Second, "httptask: pipe: left 1 handler running in spite of a cancelled context"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					c, _, err := http.NewResponseController(w).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					defer c.Close()
					if test.deaf {
						time.Sleep(time.Minute)
					} else {
						<-r.Context().Done()
					}
				})
				hooked := make(chan struct{})
				task := start(httptask.Serve(func(context.Context) (*http.Server, error) {
					srv := &http.Server{Handler: handler}
					srv.RegisterOnShutdown(func() { close(hooked) })
					return srv, nil
				}, p.listen()))
				c, _ := p.dial()
				send(t, c, "/")
				synctest.Wait()
				begin := time.Now()
				if err := task.end(); err.Error() != test.want {
					t.Errorf("it ended with %v, not %s", err, test.want)
				}
				if took := time.Since(begin); took != test.ends {
					t.Errorf("it ended after %v", took)
				}
				<-hooked
				time.Sleep(time.Hour)
				c.Close()
			})
		})
	}
}
