package httptask

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestClosed has a request arrive in the instant in which the run ends: its handler is not
// called.
func TestClosed(t *testing.T) {
	s := &serving{traffic: newTraffic()}
	s.user.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler is called") })
	s.traffic.closed.Store(true)
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("it panicked with %v", v)
		}
		if n := s.traffic.handlers.Load(); n != 0 {
			t.Errorf("%d handlers are counted", n)
		}
	}()
	s.ServeHTTP(httptest.NewRecorder(), nil)
}

// TestNoHandlerEscapes has handlers come while the traffic is closed: each is either
// refused, or waited for.
func TestNoHandlerEscapes(t *testing.T) {
	for range 500 {
		traffic := newTraffic()
		var all sync.WaitGroup
		var ended atomic.Bool
		begin := make(chan struct{})
		for range 4 {
			all.Go(func() {
				<-begin
				if !traffic.enter() {
					return
				}
				runtime.Gosched()
				if ended.Load() {
					t.Error("a handler escaped")
				}
				traffic.leave()
			})
		}
		close(begin)
		runtime.Gosched()
		traffic.closed.Store(true)
		traffic.wait(time.Hour, func() bool { return traffic.handlers.Load() == 0 })
		ended.Store(true)
		all.Wait()
	}
}

// TestWait returns as soon as all is quiet, or at the limit.
func TestWait(t *testing.T) {
	for name, test := range map[string]struct {
		takes, want time.Duration
		quiet       bool
	}{
		"nothing to wait for": {0, 0, true},
		"in time":             {time.Second, time.Second, true},
		"too late":            {time.Hour, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				traffic := newTraffic()
				if test.takes > 0 {
					traffic.enter()
					time.AfterFunc(test.takes, traffic.leave)
				}
				begin := time.Now()
				quiet := traffic.wait(time.Minute, func() bool { return traffic.handlers.Load() == 0 })
				if waited := time.Since(begin); waited != test.want || quiet != test.quiet {
					t.Errorf("%v after %v", quiet, waited)
				}
			})
		})
	}
}
