package history_test

import (
	"testing"

	"github.com/holdfast-go/holdfast/internal/history"
)

// A fresh view is what the log would show once the slate is wiped.
func TestFreshViewIsTheLogWiped(t *testing.T) {
	var h history.Log
	h.Seed(1)
	steps := []func(){
		func() { h.ObserveStart(at(0)) },
		func() { h.ObserveCrash(at(1), errCrash) },
		func() { restart(&h, 5) },
		func() { h.ObserveCrash(at(2), errCrash) },
		func() { loop(&h, 100) },
		func() { h.ObserveCrash(at(3), errConfig) },
		func() { loop(&h, 100) },
		func() { h.ObserveCleanExit(at(4)) },
		func() { restart(&h, 5) },
		func() { h.ObserveCrash(at(500), errConfig) },
	}
	for i, step := range steps {
		step()
		fresh, wiped := h.View().Fresh(), h.Clone()
		delay := wiped.LastDelay()
		wipe(wiped)
		v := wiped.View()
		if fresh.Streak() != v.Streak() || fresh.Looping() != v.Looping() || fresh.Trips() != v.Trips() || fresh.LastDelay() != 0 ||
			fresh.Err() != v.Err() || fresh.Ran() != v.Ran() || fresh.Crashes() != v.Crashes() || fresh.Rand(0) != v.Rand(0) || !fresh.Now().Equal(v.Now()) {
			t.Errorf("step %d: the fresh view differs from the log wiped: %+v", i, wiped.Record())
		}
		for k := -1; k < 6; k++ {
			if fresh.Span(k) != v.Span(k) || fresh.SpanAny(k) != v.SpanAny(k) {
				t.Errorf("step %d: the spans of %d are %v and %v, wiped %v and %v", i, k, fresh.Span(k), fresh.SpanAny(k), v.Span(k), v.SpanAny(k))
			}
		}
		if fresh.Fresh() != fresh || h.LastDelay() != delay {
			t.Errorf("step %d: fresh twice is not fresh once, or the log is changed", i)
		}
	}
}
