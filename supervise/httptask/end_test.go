package httptask_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise/httptask"
)

// broken is a listener that fails with what it gets.
type broken struct {
	*pipes
	fail chan error
}

func (b *broken) Accept() (net.Conn, error) {
	select {
	case err := <-b.fail:
		return nil, err
	case c := <-b.conns:
		return c, nil
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

// TestServeFails has the listener fail while a request is under way, which finishes before
// the run ends, or takes longer than the drain.
func TestServeFails(t *testing.T) {
	for name, test := range map[string]struct {
		takes, ends time.Duration
		want, body  string
	}{
		"the request finishes": {5 * time.Second, 5 * time.Second, "httptask: serve pipe: boom", "done"},
		"the request is cut":   {20 * time.Second, 10 * time.Second, "httptask: serve pipe: boom; httptask: pipe: cut 1 connection whose requests had not finished within 10s", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &broken{newPipes(t), make(chan error)}
				task := start(httptask.Serve(with(slow(test.takes)), httptask.WithListen(func(context.Context) (net.Listener, error) { return b, nil })))
				body := make(chan string)
				go func() {
					text, _ := b.get("/")
					body <- text
				}()
				synctest.Wait()
				begin := time.Now()
				b.fail <- errBoom
				err := <-task.err
				if err.Error() != test.want || !errors.Is(err, errBoom) {
					t.Errorf("it ended with %v, not %s", err, test.want)
				}
				if took := time.Since(begin).Truncate(time.Second); took != test.ends {
					t.Errorf("it ended after %v", took)
				}
				if got := <-body; got != test.body {
					t.Errorf("the request got %q", got)
				}
				<-b.closed
			})
		})
	}
}

// TestShutDownByTheProgram is a clean exit, after the requests under way have finished, and
// calls the hooks of the server once.
func TestShutDownByTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, hooks := newPipes(t), make(chan struct{}, 2)
		var srv *http.Server
		task := start(httptask.Serve(func(context.Context) (*http.Server, error) {
			srv = &http.Server{Handler: slow(5 * time.Second)}
			srv.RegisterOnShutdown(func() { hooks <- struct{}{} })
			return srv, nil
		}, p.listen()))
		body := make(chan string)
		go func() {
			text, _ := p.get("/")
			body <- text
		}()
		synctest.Wait()
		begin := time.Now()
		shut := make(chan error)
		go func() { shut <- srv.Shutdown(context.Background()) }()
		if got := <-body; got != "done" {
			t.Errorf("the request got %q", got)
		}
		if err := <-task.err; err != nil {
			t.Errorf("it ended with %v", err)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("it ended after %v", took)
		}
		err := <-shut
		synctest.Wait()
		if err != nil || len(hooks) != 1 {
			t.Errorf("Shutdown returned %v, the hooks were called %d times", err, len(hooks))
		}
	})
}

// TestClosedByTheProgram is a clean exit, too, but for a handler that does not return.
func TestClosedByTheProgram(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		want  string
	}{
		"the handler returns":         {time.Second, "<nil>"},
		"the handler does not return": {time.Minute, "httptask: pipe: cut 1 connection whose requests had not finished within 10s; left 1 handler running in spite of a cancelled context"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				var srv *http.Server
				task := start(httptask.Serve(func(context.Context) (*http.Server, error) {
					srv = &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(test.takes) })}
					return srv, nil
				}, p.listen()))
				go p.get("/")
				synctest.Wait()
				srv.Close()
				if err := <-task.err; fmt.Sprint(err) != test.want {
					t.Errorf("it ended with %v, not %s", err, test.want)
				}
				time.Sleep(time.Hour)
			})
		})
	}
}
