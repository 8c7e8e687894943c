package supervise_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errBoom = errors.New("boom")
	errStop = errors.New("the operator stops it")

	quiet   = supervise.WithLogger(slog.New(slog.DiscardHandler))
	classic = supervise.WithPolicy(policy.Classic())
	atOnce  = supervise.WithPolicy(policy.Constant(0))
	second  = supervise.WithPolicy(policy.Constant(time.Second))
	failing = func(context.Context) error { return errBoom }
)

// journal is an observer that keeps what it hears.
type journal struct {
	mu     sync.Mutex
	events []supervise.Event
}

func (j *journal) Observe(e supervise.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

func (j *journal) all() []supervise.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]supervise.Event(nil), j.events...)
}

func (j *journal) of(kind supervise.Kind) []supervise.Event {
	var found []supervise.Event
	for _, e := range j.all() {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// kinds is the kinds of the events, in order.
func (j *journal) kinds() []string {
	var kinds []string
	for _, e := range j.all() {
		kinds = append(kinds, e.Kind.String())
	}
	return kinds
}

// times returns a function that fails the first n times and then succeeds.
func times(n int, fail func() error) func(context.Context) error {
	return func(context.Context) error {
		if n--; n >= 0 {
			return fail()
		}
		return nil
	}
}

// held returns a gate that is held for d from now.
func held(d time.Duration) *gate.Gate {
	g := gate.New(policy.Constant(d))
	g.ObserveCrash(time.Now(), errBoom)
	return g
}

// bubble is a context in a synctest bubble that is cancelled after d with
// errStop.
func bubble(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	timer := time.AfterFunc(d, func() { cancel(errStop) })
	t.Cleanup(func() {
		timer.Stop()
		cancel(nil)
	})
	return ctx
}
