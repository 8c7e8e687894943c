package supervise_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// script is what a task does and what is done to it.
type script struct {
	config policy.Config
	runs   []scriptedRun
	stop   time.Duration // when ctx is cancelled
}

type scriptedRun struct {
	lasts time.Duration
	how   string // "error", "panic" or "nil"
}

func scripts() *rapid.Generator[script] {
	return rapid.Custom(func(t *rapid.T) script {
		seconds := func(name string, from, to int) time.Duration {
			return time.Duration(rapid.IntRange(from, to).Draw(t, name)) * time.Second
		}
		s := script{config: policy.Config{
			Initial: seconds("initial", 0, 3), Factor: float64(rapid.IntRange(1, 3).Draw(t, "factor")), Max: seconds("max", 3, 20),
			Threshold: rapid.IntRange(1, 4).Draw(t, "threshold"), Window: seconds("window", 60, 120),
			Cooldown: seconds("cooldown", 1, 200), StableAfter: seconds("stable", 1, 30),
		}, stop: seconds("stop", 0, 600) + time.Millisecond} // never at the instant of something else
		for range rapid.IntRange(0, 20).Draw(t, "runs") {
			how := rapid.SampledFrom([]string{"error", "error", "error", "panic", "nil"}).Draw(t, "how")
			s.runs = append(s.runs, scriptedRun{seconds("lasts", 0, 40), how})
		}
		return s
	}).Filter(func(s script) bool { return s.config.Validate() == nil }) // not one whose crash loop cannot trip
}

// expect works out, from the rules as they are written, when the runs of a script
// start, and whether the task is stopped in the end or ends cleanly.
func (s script) expect() (starts []time.Duration, stopped bool) {
	var now, loopEnds time.Duration
	var crashes []time.Duration // since the slate was clean
	for i := 0; ; i++ {
		if now > s.stop {
			return starts, true
		}
		starts = append(starts, now)
		if i == len(s.runs) {
			return starts, true // a run that lasts until it is stopped
		}
		run := s.runs[i]
		end := now + run.lasts
		if end > s.stop {
			return starts, true
		}
		if run.how == "nil" {
			return starts, false
		}
		if loopEnds != 0 && end >= loopEnds {
			crashes, loopEnds = nil, 0
		}
		if run.lasts >= s.config.StableAfter {
			crashes, loopEnds = nil, 0
		}
		crashes = append(crashes, end)
		recent := slices.IndexFunc(crashes, func(at time.Duration) bool { return end-at <= s.config.Window })
		if len(crashes)-recent >= s.config.Threshold {
			now = end + s.config.Cooldown
			loopEnds = now
			continue
		}
		delay := float64(s.config.Initial) * math.Pow(s.config.Factor, float64(len(crashes)-1))
		now = end + time.Duration(min(delay, float64(s.config.Max)))
	}
}

// TestRunModel plays scripts in virtual time and compares what happened with what
// the rules say.
func TestRunModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := scripts().Draw(rt, "script")
		p, err := s.config.Policy()
		if err != nil {
			rt.Fatal(err)
		}
		var starts []time.Duration
		var got error
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			got = supervise.Run(bubble(t, s.stop), func(ctx context.Context) error {
				starts = append(starts, time.Since(begun))
				if len(starts) > len(s.runs) {
					<-ctx.Done()
					return ctx.Err()
				}
				run := s.runs[len(starts)-1]
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(run.lasts):
				}
				switch run.how {
				case "panic":
					panic(errBoom)
				case "error":
					return errBoom
				}
				return nil
			}, supervise.WithPolicy(p), quiet)
		})
		want, stopped := s.expect()
		if !slices.Equal(starts, want) {
			rt.Errorf("runs started at %v, want %v", starts, want)
		}
		if errors.Is(got, errStop) != stopped || !stopped && got != nil {
			rt.Errorf("Run returned %v; stopped should be %v", got, stopped)
		}
	})
}
