package policy_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

func ms(t *rapid.T, name string, least, most int) time.Duration {
	return time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Millisecond
}

// configs generates valid ones, of which each makes a fused stack.
var configs = rapid.Custom(func(t *rapid.T) policy.Config {
	c := policy.Config{
		Initial:     ms(t, "initial", 0, 3000),
		Factor:      rapid.SampledFrom([]float64{1, 1.01, 1.5, 2, 10}).Draw(t, "factor"),
		Threshold:   rapid.IntRange(1, 12).Draw(t, "threshold"),
		Window:      ms(t, "window", 1, 60_000),
		Cooldown:    ms(t, "cooldown", 1, 60_000),
		StableAfter: ms(t, "stable", 1, 60_000),
		Spread:      rapid.SampledFrom([]float64{0, 0, 0.1, 1}).Draw(t, "spread"),
	}
	c.Max = c.Initial + ms(t, "max", 0, 60_000)
	last := c.Cooldown
	for range rapid.IntRange(0, 3).Draw(t, "cooldowns") {
		last += ms(t, "more", 0, 30_000)
		c.Cooldowns = append(c.Cooldowns, last)
	}
	return c
}).Filter(func(c policy.Config) bool { return c.Validate() == nil })

// composed is the stack of a configuration, rule by rule.
func composed(c policy.Config) policy.Policy {
	p := policy.Compose(policy.Exponential(c.Initial, c.Factor, c.Max), policy.CrashLoop(c.Threshold, c.Window, c.Cooldown))
	if len(c.Cooldowns) > 0 {
		p = policy.Probation(c.Cooldowns...)(p)
	}
	p = policy.StableRun(c.StableAfter)(p)
	if c.Spread > 0 {
		p = policy.Spread(c.Spread)(p)
	}
	return p
}

// The stack of a Config is several rules in one value, and no more than that.
func TestConfigIsTheComposedStack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := configs.Draw(t, "config")
		fused, err := c.Policy()
		if err != nil {
			t.Fatal(err)
		}
		inOrder := composed(c)

		var one, other history.Log
		one.Seed(1)
		other.Seed(1)
		now := start
		both := func(f func(log *history.Log)) {
			f(&one)
			f(&other)
		}
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			now = now.Add(ms(t, "gap", 0, 5000) * time.Duration(rapid.SampledFrom([]int{1, 1, 1, 30}).Draw(t, "times")))
			switch rapid.SampledFrom([]string{"start", "crash", "crash", "crash", "exit", "release", "probe"}).Draw(t, "event") {
			case "start":
				both(func(log *history.Log) { log.ObserveStart(now) })
				continue
			case "probe": // a start in a hold, and a crash at once
				both(func(log *history.Log) {
					log.ObserveStart(now)
					log.ObserveCrash(now, errCrash)
				})
			case "crash":
				both(func(log *history.Log) { log.ObserveCrash(now, errCrash) })
			case "exit":
				both(func(log *history.Log) { log.ObserveCleanExit(now) })
			case "release":
				both((*history.Log).Reset)
				continue
			}
			for name, fresh := range map[string]bool{"as it is": false, "fresh": true} {
				a, b := view(&one), view(&other)
				if fresh {
					a, b = a.Fresh(), b.Fresh()
				}
				if a, b := fused.Decide(a), inOrder.Decide(b); a != b {
					t.Fatalf("at %v, %s: fused %+v, composed %+v", now.Sub(start), name, a, b)
				}
			}
			apply(&one, fused.Decide(view(&one)))
			apply(&other, inOrder.Decide(view(&other)))
			if one, other := one.Record(), other.Record(); !reflect.DeepEqual(one, other) {
				t.Fatalf("at %v:\nfused    %+v\ncomposed %+v", now.Sub(start), one, other)
			}
		}
	})
}
