package otelgate_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// TestExactlyOnce is of a thousand tasks that crash at the same instants: the
// crashes that the tasks count, the spans, the records and the metric are as many,
// and each chain of links is whole.
func TestExactlyOnce(t *testing.T) {
	const tasks, crashes = 1000, 5
	synctest.Test(t, func(t *testing.T) {
		tel := newTelemetry()
		s := supervise.New("s", quiet, supervise.WithObserver(tel.observer()),
			supervise.WithPolicy(policy.Compose(policy.Exponential(time.Second, 2, time.Minute), policy.CrashLoop(4, time.Hour, time.Hour))))
		var counted atomic.Int64
		for i := range tasks {
			_, _ = s.Go(fmt.Sprint(i), func(ctx context.Context) error {
				if info, _ := supervise.FromContext(ctx); info.Run > crashes {
					return nil
				}
				counted.Add(1)
				return errBoom
			})
		}
		_ = s.Run(until(t, 3*time.Hour))
		if n := counted.Load(); n != tasks*crashes {
			t.Fatalf("the tasks count %d crashes", n)
		}
		check(t, "dropped", tel.series(t, "holdfast.observer.dropped_events"))
		for name, want := range map[string]int{"restart ": 5, "crash looping": 1, "backing off": 4, "crash": 6} {
			if n := len(tel.ended(t, name)); n != want*tasks {
				t.Errorf("%d spans %q", n, name)
			}
		}
		if n := len(tel.logs.records); n != tasks*crashes {
			t.Errorf("%d records", n)
		}
		roots, linked := map[string]int{}, map[string]int{}
		for _, r := range tel.ended(t, "restart ") {
			roots[r.Name()]++
			if n := fmt.Sprint(roots[r.Name()]); attr(r, "holdfast.run.number") != n {
				t.Errorf("%s: run %s is told as the %sth crash", r.Name(), attr(r, "holdfast.run.number"), n)
			}
			linked[r.Name()] += len(r.Links())
		}
		for name, n := range linked {
			if n != crashes-1 {
				t.Errorf("%s has %d links", name, n)
			}
		}
		var total int64
		for _, line := range tel.series(t, "holdfast.task.crashes") {
			var n int64
			_, _ = fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n)
			total += n
		}
		if total != tasks*crashes {
			t.Errorf("the metric counts %d crashes", total)
		}
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
	})
}
