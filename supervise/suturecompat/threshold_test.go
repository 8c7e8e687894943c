package suturecompat_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/policy/policytest"
	"github.com/holdfast-go/holdfast/supervise/suturecompat"
)

func TestThresholdConforms(t *testing.T) {
	for _, p := range []policy.Policy{
		suturecompat.Threshold(5, 30*time.Second, 15*time.Second),
		suturecompat.Threshold(0, 1, 1),
		suturecompat.Threshold(2.5, math.MaxInt64, math.MaxInt64),
		suturecompat.Threshold(math.MaxFloat64, time.Second, time.Second),
	} {
		policytest.Run(t, p)
	}
}

// TestThresholdCounts compares the policy with suture's own computation, which keeps one
// number.
func TestThresholdCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		failures := rapid.Float64Range(0, 12).Draw(t, "failures")
		decay := time.Duration(rapid.Int64Range(1, int64(2*time.Minute)).Draw(t, "decay"))
		backoff := time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "backoff"))
		var runs []policy.Run
		for _, ran := range rapid.SliceOfN(rapid.Int64Range(0, int64(2*time.Minute)), 1, 200).Draw(t, "runs") {
			runs = append(runs, policy.Run{For: time.Duration(ran), Err: errBoom})
		}
		count, since := 0.0, time.Duration(0)
		for i, step := range policy.Simulate(suturecompat.Threshold(failures, decay, backoff), runs) {
			since += runs[i].For
			count = count*math.Exp2(-float64(since)/float64(decay)) + 1
			if math.Abs(count-failures) < 1e-4 {
				return // a hair's breadth, which rounding may decide
			}
			verdict, hold := policy.Restart, time.Duration(0)
			if count > failures {
				verdict, hold, count = policy.CrashLooping, backoff, 0
			}
			since = hold
			if step.Verdict != verdict || step.Hold != hold {
				t.Fatalf("crash %d: got %v for %v, want %v for %v", i+1, step.Verdict, step.Hold, verdict, hold)
			}
		}
	})
}

// TestThresholdOfALoop trips at the first crash that is above it, however high it is.
func TestThresholdOfALoop(t *testing.T) {
	for _, failures := range []int{0, 1, 5, 50, 1_000} {
		runs := slices.Repeat([]policy.Run{{Err: errBoom}}, 2*failures+3)
		for i, step := range policy.Simulate(suturecompat.Threshold(float64(failures), time.Hour, time.Second), runs) {
			if trips := (i+1)%(failures+1) == 0; (step.Verdict == policy.CrashLooping) != trips {
				t.Fatalf("above %d: crash %d: %v", failures, i+1, step.Verdict)
			}
		}
	}
}

// TestThresholdWhileHeld crashes a task that was started before its hold was over: the
// hold starts anew, though the count has fallen since.
func TestThresholdWhileHeld(t *testing.T) {
	g := gate.New(suturecompat.Threshold(1, time.Second, time.Minute))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, after := range []time.Duration{0, 0, 30 * time.Second} {
		at = at.Add(after)
		g.ObserveStart(at)
		g.ObserveCrash(at, errBoom)
	}
	if got, want := g.State().Until(), at.Add(time.Minute); !got.Equal(want) {
		t.Errorf("held until %v, want %v", got, want)
	}
}

func TestThresholdNeverReached(t *testing.T) {
	runs := make([]policy.Run, 5_000)
	for i := range runs {
		runs[i].Err = errBoom
	}
	for _, failures := range []float64{1_001, math.MaxFloat64, math.Inf(1)} {
		for i, step := range policy.Simulate(suturecompat.Threshold(failures, time.Hour, time.Second), runs) {
			if step.Verdict != policy.Restart {
				t.Fatalf("above %g: crash %d: %v", failures, i+1, step.Verdict)
			}
		}
	}
}

func TestThresholdPrints(t *testing.T) {
	p := policy.Compose(suturecompat.Threshold(5, 30*time.Second, 15*time.Second), policy.Spread(0.5))
	if got, want := fmt.Sprint(p), "Spread(50%) ─► Threshold(above 5, halved each 30s: 15s)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := policy.Vet(p); len(got) != 0 {
		t.Errorf("it is warned of: %v", got)
	}
}

func TestThresholdRefuses(t *testing.T) {
	for _, tt := range []struct {
		failures       float64
		decay, backoff time.Duration
		want           string
	}{
		{-1, 1, 1, "failures (-1)"},
		{math.NaN(), 1, 1, "failures (NaN)"},
		{5, 0, 1, "decay (0s)"},
		{5, 1, -1, "backoff (-1ns)"},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, tt.want) {
					t.Errorf("got panic %q, want %q in it", got, tt.want)
				}
			}()
			suturecompat.Threshold(tt.failures, tt.decay, tt.backoff)
		}()
	}
}
