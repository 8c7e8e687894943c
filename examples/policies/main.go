// Command policies composes a policy of rules of its own and of built-in ones,
// and simulates it, to see what it does before a task depends on it.
//
//	go run ./examples/policies
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/timeline"
	"github.com/holdfast-go/holdfast/policy"
)

func main() {
	if err := show(os.Stdout, timeline.Terminal(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "policies:", err)
		os.Exit(1)
	}
}

// fibonacci is a rule of one's own that says how long: 1, 1, 2, 3, 5 … units,
// the growth of which is gentler than doubling. A Policy is a function of the
// history, so this is all it takes.
func fibonacci(unit, limit time.Duration) policy.Policy {
	return policy.Func(func(h policy.History) policy.Decision {
		delay, next := unit, unit
		for i := 1; i < h.Streak() && delay < limit; i++ {
			delay, next = next, delay+next
		}
		return policy.Decision{Delay: min(delay, limit)}
	})
}

// notDuring is a rule of one's own around another policy: a restart that would
// come while a dependency is down for its daily maintenance waits until that is
// over. It reads no clock: History.Now is the instant it decides at.
func notDuring(from, to time.Duration) policy.Decorator {
	return func(inner policy.Policy) policy.Policy {
		return policy.Func(func(h policy.History) policy.Decision {
			d := inner.Decide(h)
			if d.Verdict == policy.GiveUp {
				return d
			}
			start := h.Now().UTC().Add(d.Delay)
			midnight := start.Truncate(24 * time.Hour)
			if since := start.Sub(midnight); since >= from && since < to {
				d.Delay += to - since
			}
			return d
		})
	}
}

var (
	errDown   = errors.New("connection refused")
	errConfig = errors.New("bad configuration")
)

// worker is the composed policy. A run that has ended goes through it from the
// bottom to the top: was it stable, is it a crash loop, does its error have a
// policy of its own, and only then: how long?
func worker() policy.Policy {
	return policy.Compose(
		fibonacci(time.Second, 30*time.Second),
		notDuring(2*time.Minute, 3*time.Minute), // from 00:02 to 00:03
		policy.Match(func(err error) bool { return errors.Is(err, errConfig) }, policy.Constant(10*time.Minute)),
		policy.CrashLoop(6, time.Minute, 5*time.Minute),
		policy.StableRun(time.Minute),
	)
}

func show(w io.Writer, colour bool) error {
	chart := timeline.Chart{}
	for _, scenario := range []struct {
		name string
		runs []policy.Run
	}{
		{"fails at once", slices.Repeat([]policy.Run{{Err: errDown}}, 8)},
		{"fails after 20 s", slices.Repeat([]policy.Run{{For: 20 * time.Second, Err: errDown}}, 9)},
		{"gets stable", []policy.Run{{Err: errDown}, {Err: errDown}, {Err: errDown}, {For: 2 * time.Minute, Err: errDown}, {For: time.Minute}}},
		{"is misconfigured", slices.Repeat([]policy.Run{{Err: errConfig}}, 2)},
	} {
		simulated := policy.Simulate(worker(), scenario.runs)
		fmt.Fprintf(w, "A task that %s:\n\n%v\n", scenario.name, simulated)
		lane := timeline.Simulated(scenario.name, simulated)
		chart.Lanes = append(chart.Lanes, lane)
		chart.End = max(chart.End, min(lane.End(), 10*time.Minute))
	}
	if err := chart.WriteText(w, 78, colour); err != nil {
		return err
	}
	// A rule that can never trip is easily composed: ten crashes take longer than that.
	hopeless := policy.Compose(policy.Default(), policy.MaxCrashes(10, time.Minute))
	fmt.Fprintf(w, "\n%v\n", hopeless)
	for _, warning := range policy.Vet(hopeless) {
		fmt.Fprintln(w, "warning:", warning)
	}
	return nil
}
