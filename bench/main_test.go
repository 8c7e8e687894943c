package bench_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

var (
	errCrash = errors.New("the dependency is gone")
	start    = time.Now()

	quiet  = supervise.WithLogger(slog.New(slog.DiscardHandler))
	atOnce = supervise.WithPolicy(policy.Constant(0))
)

// BenchmarkNow is the yardstick for the others: whoever observes a crash has to
// ask for the time.
func BenchmarkNow(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		time.Now()
	}
}

// apart has instants that are further apart than any window or hold, computed
// beforehand so that only the gate is measured.
var apart = func() (instants [1024]time.Time) {
	for i := range instants {
		instants[i] = start.Add(time.Duration(i) * 200 * time.Second)
	}
	return instants
}()
