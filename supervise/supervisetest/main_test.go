package supervisetest_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errBoom = errors.New("boom")
	errStop = errors.New("the test stops it")

	quiet  = supervise.WithLogger(slog.New(slog.DiscardHandler))
	atOnce = supervise.WithPolicy(policy.Constant(0))
	second = supervise.WithPolicy(policy.Constant(time.Second))
)

// serve is a task that runs until it is asked to stop.
func serve(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// stopAfter is a context that is cancelled after d, with errStop.
func stopAfter(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	timer := time.AfterFunc(d, func() { cancel(errStop) })
	t.Cleanup(func() {
		timer.Stop()
		cancel(nil)
	})
	return ctx
}

// panics returns what f panics with, as text; empty if it does not.
func panics(f func()) (text string) {
	defer func() {
		text, _ = recover().(string)
	}()
	f()
	return ""
}

var noLog = quiet

// countStock is the task that the examples test.
func countStock(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
