package policy_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/policy"
)

func TestDefault(t *testing.T) {
	if policy.Default() != policy.Default() {
		t.Error("Default is not always the same")
	}
	for name, p := range map[string]policy.Policy{
		"Default":       policy.Default(),
		"DefaultConfig": mustPolicy(t, policy.DefaultConfig()),
	} {
		t.Run(name, func(t *testing.T) {
			k := newTask(t, p)
			k.wantCrash(0, hold(0.5))
			k.wantCrash(1, hold(1))
			k.wantCrash(2, hold(2))
			k.wantCrash(3, hold(4))
			k.wantCrash(4, loop(300))
			k.start(304)
			k.wantCrash(304, hold(0.5))
			k.start(305)
			k.wantCrash(364.999, hold(1))
			k.start(365)
			k.wantCrash(425, hold(0.5))

			k = newTask(t, p)
			for i, want := range []float64{0.5, 1, 2, 4, 8, 16, 32, 60, 60} {
				k.wantCrash(200*float64(i), hold(want))
			}
		})
	}
}

// change is the default but for one thing.
func change(f func(c *policy.Config)) policy.Config {
	c := policy.DefaultConfig()
	f(&c)
	return c
}

func TestValidate(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name   string
		config policy.Config
		want   string
	}{
		{"default", policy.DefaultConfig(), ""},
		{"max below initial", change(func(c *policy.Config) { c.Initial, c.Max = 5*s, s }), "policy: max (1s) is below initial (5s); raise max"},
		{"negative initial", change(func(c *policy.Config) { c.Initial = -1 }), "policy: initial (-1ns) is negative; use 0 to restart at once"},
		{"factor below 1", change(func(c *policy.Config) { c.Factor = 0.99 }), "policy: factor (0.99) is below 1; use 1 for a constant delay"},
		{"factor not a number", change(func(c *policy.Config) { c.Factor = math.NaN() }), "policy: factor (NaN) is not a finite number; 2 is common"},
		{"factor infinite", change(func(c *policy.Config) { c.Factor = math.Inf(-1) }), "policy: factor (-Inf) is not a finite number; 2 is common"},
		{"threshold", change(func(c *policy.Config) { c.Threshold = 0 }), "policy: threshold (0) is below 1; 1 trips at the first crash"},
		{"window", change(func(c *policy.Config) { c.Window = 0 }), "policy: window (0s) is not positive; raise it, a minute is common"},
		{"cooldown", change(func(c *policy.Config) { c.Cooldown = -s }), "policy: cooldown (-1s) is not positive; raise it, five minutes are common"},
		{"stable_after", change(func(c *policy.Config) { c.StableAfter = 0 }), "policy: stable_after (0s) is not positive; raise it, a minute is common"},
		{"zero Config", policy.Config{}, "policy: factor (0) is below 1; use 1 for a constant delay\n" +
			"policy: threshold (0) is below 1; 1 trips at the first crash\n" +
			"policy: window (0s) is not positive; raise it, a minute is common\n" +
			"policy: cooldown (0s) is not positive; raise it, five minutes are common\n" +
			"policy: stable_after (0s) is not positive; raise it, a minute is common"},
		{"all at once", policy.Config{-1, 0, -2, -3, -4, -5, -6}, "policy: initial (-1ns) is negative; use 0 to restart at once\n" +
			"policy: max (-2ns) is negative; raise max, a minute is common\n" +
			"policy: factor (0) is below 1; use 1 for a constant delay\n" +
			"policy: threshold (-3) is below 1; 1 trips at the first crash\n" +
			"policy: window (-4ns) is not positive; raise it, a minute is common\n" +
			"policy: cooldown (-5ns) is not positive; raise it, five minutes are common\n" +
			"policy: stable_after (-6ns) is not positive; raise it, a minute is common"},
		{"unreachable", change(func(c *policy.Config) { c.Threshold = 10 }), "policy: window (1m0s) is below the sum of the first 9 delays (3m3.5s), " +
			"so threshold (10) is never reached; raise window or lower threshold"},
		{"unreachable and unstable", change(func(c *policy.Config) { c.Window, c.StableAfter = s, 0 }), "policy: stable_after (0s) is not positive; raise it, a minute is common\n" +
			"policy: window (1s) is below the sum of the first 4 delays (7.5s), so threshold (5) is never reached; raise window or lower threshold"},
		{"unreachable by far", change(func(c *policy.Config) { c.Initial, c.Max, c.Threshold = math.MaxInt64, math.MaxInt64, math.MaxInt }), "(2562047h47m16.854775807s), so threshold"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := test.config.Validate(); err != nil {
				got = err.Error()
			}
			if exact := test.name != "unreachable by far"; exact && got != test.want || !strings.Contains(got, test.want) {
				t.Errorf("Validate:\n%s\nwant:\n%s", got, test.want)
			}
			p, err := test.config.Policy()
			if (err == nil) != (test.want == "") || (p == nil) != (err != nil) || err != nil && err.Error() != got {
				t.Errorf("Policy = %v, %v, which is not what Validate says", p, err)
			}
		})
	}
}

func TestValidateReachable(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name      string
		config    policy.Config
		reachable bool
	}{
		{"the sum is the window", policy.Config{s, 2, time.Hour, 4, 7 * s, s, s}, true},
		{"a nanosecond less", policy.Config{s, 2, time.Hour, 4, 7*s - 8, s, s}, false},
		{"capped", policy.Config{s, 2, 4 * s, 6, 15 * s, s, s}, true},
		{"capped, too narrow", policy.Config{s, 2, 4 * s, 6, 14 * s, s, s}, false},
		{"capped between powers", policy.Config{s, 2, 3 * s, 6, 12 * s, s, s}, true},
		{"capped between powers, too narrow", policy.Config{s, 2, 3 * s, 6, 11 * s, s, s}, false},
		{"capped from the start", policy.Config{s, 2, s, 4, 3 * s, s, s}, true},
		{"constant", policy.Config{s, 1, time.Hour, 61, time.Minute, s, s}, true},
		{"constant, too narrow", policy.Config{s, 1, time.Hour, 62, time.Minute, s, s}, false},
		{"all but constant", policy.Config{15 * s, 1 + 1e-12, time.Hour, 5, time.Minute, s, s}, true},
		{"all but constant, too narrow", policy.Config{15 * s, 1 + 1e-12, time.Hour, 6, time.Minute, s, s}, false},
		{"no delay", policy.Config{0, 2, time.Hour, math.MaxInt, 1, s, s}, true},
		{"trips at the first crash", policy.Config{time.Hour, 2, time.Hour, 1, 1, s, s}, true},
		{"trips at the second", policy.Config{time.Hour, 2, time.Hour, 2, time.Hour, s, s}, true},
		{"without bounds", policy.Config{1, math.MaxFloat64, math.MaxInt64, 3, math.MaxInt64, s, s}, true},
		{"beyond all time", policy.Config{1, math.MaxFloat64, math.MaxInt64, 4, math.MaxInt64, s, s}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.config.Validate(); (err == nil) != test.reachable {
				t.Errorf("Validate = %v, want it to be reachable: %t", err, test.reachable)
			}
		})
	}
}

// What Validate reckons is what happens to a task that fails at once.
func TestReachableIsWhatASimulationShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := func(name string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Millisecond
		}
		c := policy.Config{
			Initial:   ms("initial", 2000),
			Factor:    rapid.SampledFrom([]float64{1, 1.1, 1.5, 2, 3, 10}).Draw(t, "factor"),
			Threshold: rapid.IntRange(1, 30).Draw(t, "threshold"),
			Window:    1 + ms("window", 100_000),
			Cooldown:  time.Hour, StableAfter: time.Hour,
		}
		c.Max = c.Initial + ms("max", 10_000)

		runs := make([]policy.Run, c.Threshold)
		for i := range runs {
			runs[i].Err = errCrash
		}
		delays := policy.Simulate(policy.Exponential(c.Initial, c.Factor, c.Max), runs)
		last := delays[len(delays)-1].End
		if near := last - c.Window; near.Abs() < time.Microsecond {
			return // parts of a nanosecond are cut off each delay
		}
		if err := c.Validate(); (err == nil) != (last <= c.Window) {
			t.Fatalf("%d crashes take %v, the window is %v, Validate: %v", c.Threshold, last, c.Window, err)
		}
	})
}
