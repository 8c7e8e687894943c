package history_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// start is the instant that the tests count from.
var start = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

var (
	errCrash  = errors.New("exit status 1")
	errConfig = errors.New("bad configuration")
)

// at returns the instant that is so many seconds after start.
func at(seconds float64) time.Time { return start.Add(sec(seconds)) }

func sec(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// apply returns what Apply does as a verdict and the end of its hold.
func apply(h *history.Log, verdict uint8, delay time.Duration, fresh, uncounted bool) (uint8, time.Duration) {
	w := h.Apply(verdict, delay, fresh, uncounted)
	return w.Verdict(), w.End(h.Last())
}

// The decisions of a policy, as Apply takes them.
func restart(h *history.Log, seconds float64) (uint8, time.Duration) {
	return apply(h, history.Restart, sec(seconds), false, false)
}

func loop(h *history.Log, seconds float64) (uint8, time.Duration) {
	return apply(h, history.CrashLooping, sec(seconds), false, false)
}

// wipe has the crash at hand count as the first.
func wipe(h *history.Log) { h.Apply(history.Restart, 0, true, false) }

// none stands for a crash whose instant is not known.
const none = -1

// wantSpans checks the time since each of the k-th most recent crashes.
func wantSpans(t testing.TB, span func(k int) time.Duration, want map[int]float64) {
	t.Helper()
	for k, seconds := range want {
		wanted := sec(seconds)
		if seconds == none {
			wanted = math.MaxInt64
		}
		if got := span(k); got != wanted {
			t.Errorf("span of %d = %v, want %v", k, got, wanted)
		}
	}
}

// crashes has a task crash every second from the first second up to before the last.
func crashes(h *history.Log, from, to int) {
	for i := from; i < to; i++ {
		h.ObserveCrash(at(float64(i)), errCrash)
	}
}

// rude is an error that cannot even be printed.
type rude struct{}

func (rude) Error() string { panic("no comment") }
