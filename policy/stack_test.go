package policy_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/policy"
)

// configs generates valid ones.
var configs = rapid.Custom(func(t *rapid.T) policy.Config {
	ms := func(name string, least, most int) time.Duration {
		return time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Millisecond
	}
	c := policy.Config{
		Initial:     ms("initial", 0, 3000),
		Factor:      rapid.SampledFrom([]float64{1, 1.01, 1.5, 2, 10}).Draw(t, "factor"),
		Threshold:   rapid.IntRange(1, 12).Draw(t, "threshold"),
		Window:      ms("window", 1, 60_000),
		Cooldown:    ms("cooldown", 1, 60_000),
		StableAfter: ms("stable", 1, 60_000),
	}
	c.Max = c.Initial + ms("max", 0, 60_000)
	return c
}).Filter(func(c policy.Config) bool { return c.Validate() == nil })

// TestConfigIsTheComposedStack tells that the stack of a Config, which is three
// rules in one, is no more than that.
func TestConfigIsTheComposedStack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := func(name string, least, most int) time.Duration {
			return time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Millisecond
		}
		c := configs.Draw(t, "config")
		fused, err := c.Policy()
		if err != nil {
			t.Fatal(err)
		}
		composed := policy.Compose(policy.Exponential(c.Initial, c.Factor, c.Max),
			policy.CrashLoop(c.Threshold, c.Window, c.Cooldown), policy.StableRun(c.StableAfter))

		var one, other policy.History
		one.Seed(1)
		other.Seed(1)
		now := start
		both := func(f func(h *policy.History)) {
			f(&one)
			f(&other)
		}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now = now.Add(ms("gap", 0, 5000) * time.Duration(rapid.SampledFrom([]int{1, 1, 1, 30}).Draw(t, "times")))
			switch rapid.SampledFrom([]string{"start", "crash", "crash", "crash", "exit", "release"}).Draw(t, "event") {
			case "start":
				both(func(h *policy.History) { h.ObserveStart(now) })
				continue
			case "crash":
				both(func(h *policy.History) { h.ObserveCrash(now, errCrash) })
			case "exit":
				both(func(h *policy.History) { h.ObserveCleanExit(now) })
			case "release":
				both((*policy.History).Reset)
				continue
			}
			a, b := fused.Decide(&one), composed.Decide(&other)
			if a != b {
				t.Fatalf("at %v: fused %v, composed %v", now.Sub(start), a, b)
			}
			one.Apply(a)
			other.Apply(b)
			if one, other := one.Record(), other.Record(); !reflect.DeepEqual(one, other) {
				t.Fatalf("at %v:\nfused    %+v\ncomposed %+v", now.Sub(start), one, other)
			}
		}
	})
}
