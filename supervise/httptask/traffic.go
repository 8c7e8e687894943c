package httptask

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// traffic follows the connections of a server and counts its handlers. It takes no lock, as
// every request passes here four times.
type traffic struct {
	open     sync.Map     // of net.Conn to *atomic.Int32, its http.ConnState; those that are the server's
	handlers atomic.Int64 // that are being called
	closed   atomic.Bool  // no handler is called any more

	// Whoever waits sets waiting before it looks, and whoever changes something looks at
	// waiting after that. So one of them sees the other, and no change is missed.
	waiting atomic.Bool
	changed chan struct{} // of capacity 1: one token stands for any number of changes
}

// newTraffic returns the traffic of a server that has none yet.
func newTraffic() *traffic { return &traffic{changed: make(chan struct{}, 1)} }

// observe is a http.Server's ConnState.
func (t *traffic) observe(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		t.open.Store(c, new(atomic.Int32))
	case http.StateClosed, http.StateHijacked:
		t.open.Delete(c)
	default:
		if s, ok := t.open.Load(c); ok {
			s.(*atomic.Int32).Store(int32(state))
		}
	}
	t.signal()
}

// active returns how many connections have a request under way.
func (t *traffic) active() (n int) {
	t.open.Range(func(_, state any) bool {
		if http.ConnState(state.(*atomic.Int32).Load()) == http.StateActive {
			n++
		}
		return true
	})
	return n
}

// enter counts a handler that is about to be called, or returns false if none may be called
// any more. It counts first and looks then, so that after close no handler escapes the
// count.
func (t *traffic) enter() bool {
	t.handlers.Add(1)
	if t.closed.Load() {
		t.leave()
		return false
	}
	return true
}

func (t *traffic) leave() {
	t.handlers.Add(-1)
	t.signal()
}

func (t *traffic) signal() {
	if t.waiting.Load() {
		select {
		case t.changed <- struct{}{}:
		default:
		}
	}
}

// wait waits until quiet returns true, but no longer than limit, and returns its last
// answer. One goroutine at a time may wait.
func (t *traffic) wait(limit time.Duration, quiet func() bool) bool {
	t.waiting.Store(true)
	defer t.waiting.Store(false)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !quiet() {
		select {
		case <-t.changed:
		case <-timer.C:
			return quiet()
		}
	}
	return true
}
