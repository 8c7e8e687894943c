package policy_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/policy"
)

func TestClassic(t *testing.T) {
	if policy.Classic() != policy.Classic() {
		t.Error("Classic is not always the same")
	}
	for name, p := range map[string]policy.Policy{
		"Classic":       policy.Classic(),
		"ClassicConfig": mustPolicy(t, policy.ClassicConfig()),
	} {
		t.Run(name, func(t *testing.T) {
			k := newTask(t, p)
			k.wantCrash(0, hold(0.5))
			k.wantCrash(1, hold(1))
			k.wantCrash(2, hold(2))
			k.wantCrash(3, hold(4))
			k.wantCrash(4, loop(300))
			k.start(304)
			k.wantCrash(304, fresh(hold(0.5)))
			k.start(305)
			k.wantCrash(364.999, hold(1))
			k.start(365)
			k.wantCrash(425, fresh(hold(0.5)))

			k = newTask(t, p)
			for i, want := range []float64{0.5, 1, 2, 4, 8, 16, 32, 60, 60} {
				k.wantCrash(200*float64(i), hold(want))
			}
		})
	}
}

// Default has the classic delays, grows its cool-downs, and spreads them all.
func TestDefault(t *testing.T) {
	if policy.Default() != policy.Default() {
		t.Error("Default is not always the same")
	}
	runs := make([]policy.Run, 12)
	for i := range runs {
		runs[i].Err = errCrash
	}
	runs[9].For = time.Minute // a stable run, and the next crash is the first again
	want := []float64{0.5, 1, 2, 4, 30, 60, 150, 300, 300, 0.5, 1, 2}
	for name, p := range map[string]policy.Policy{
		"Default":       policy.Default(),
		"DefaultConfig": mustPolicy(t, policy.DefaultConfig()),
	} {
		for i, step := range policy.Simulate(p, runs) {
			verdict := policy.Restart
			if want[i] >= 30 {
				verdict = policy.CrashLooping
			}
			if least := sec(want[i]); step.Hold < least || step.Hold > least+least/10 || step.Verdict != verdict {
				t.Errorf("%s: crash %d: %v, held for %v; want %v for %v to a tenth more", name, i+1, step.Verdict, step.Hold, verdict, least)
			}
		}
	}
}

// change is the default but for one thing.
func change(f func(c *policy.Config)) policy.Config {
	c := policy.DefaultConfig()
	f(&c)
	return c
}

func TestConfigRules(t *testing.T) {
	const s = time.Second
	for want, c := range map[string]policy.Config{
		"Spread(10%) ─► StableRun(1m) ─► Probation(1m, 2m30s, 5m) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(500ms ×2 ≤ 1m)": policy.DefaultConfig(),
		"StableRun(1m) ─► CrashLoop(5 in 1m: 5m) ─► Exponential(500ms ×2 ≤ 1m)":                                             policy.ClassicConfig(),
		"Spread(10%) ─► StableRun(1m) ─► CrashLoop(5 in 1m: 30s) ─► Steps(0s, 1s)": change(func(c *policy.Config) {
			c.Steps, c.Cooldowns = []time.Duration{0, s}, nil
		}),
		"StableRun(1m) ─► RetryAfter(≤ 1h) ─► MaxCrashes(20 in 3h) ─► Probation(1m) ─► CrashLoop(5 in 1m: 30s) ─► Jitter(full ≤ 1m) ─► Exponential(500ms ×2 ≤ 1m)": change(func(c *policy.Config) {
			c.Jitter, c.RetryAfterMax, c.MaxCrashes = policy.FullJitter, time.Hour, policy.Limit{N: 20, Window: 3 * time.Hour}
			c.Cooldowns, c.Spread = []time.Duration{time.Minute}, 0
		}),
		"Spread(10%) ─► StableRun(1m) ─► Probation(1m, 2m30s, 5m) ─► CrashLoop(5 in 1m: 30s) ─► Jitter(equal ≤ 7s) ─► Steps(1s, 7s, 2s)": change(func(c *policy.Config) {
			c.Jitter, c.Steps = policy.EqualJitter, []time.Duration{s, 7 * s, 2 * s}
		}),
		"Spread(10%) ─► StableRun(1m) ─► Probation(1m, 2m30s, 5m) ─► CrashLoop(5 in 1m: 30s) ─► Constant(0s)": change(func(c *policy.Config) {
			c.Initial, c.Max, c.Jitter = 0, 0, policy.FullJitter // nothing to draw from
		}),
	} {
		if got := mustPolicy(t, c).(interface{ String() string }).String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// A policy does not follow the slices that its configuration was given.
func TestConfigIsCopied(t *testing.T) {
	c := change(func(c *policy.Config) { c.Steps, c.Spread = []time.Duration{time.Second, 2 * time.Second}, 0 })
	p, d := mustPolicy(t, c), change(func(c *policy.Config) { c.Spread = 0 })
	q := mustPolicy(t, d)
	c.Steps[0], d.Cooldowns[0] = time.Hour, time.Hour
	newTask(t, p).wantCrash(0, hold(1))
	k := newTask(t, q)
	for i := range 5 {
		k.crash(float64(i))
	}
	k.wantCrash(100, loop(60))
	if policy.DefaultConfig().Cooldowns[0] != time.Minute {
		t.Error("DefaultConfig follows a slice that it has returned")
	}
}

func TestValidate(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name   string
		config policy.Config
		want   string
	}{
		{"default", policy.DefaultConfig(), ""},
		{"classic", policy.ClassicConfig(), ""},
		{"max below initial", change(func(c *policy.Config) { c.Initial, c.Max = 5*s, s }), "policy: max (1s) is below initial (5s); raise max"},
		{"negative initial", change(func(c *policy.Config) { c.Initial = -1 }), "policy: initial (-1ns) is negative; use 0 to restart at once"},
		{"factor below 1", change(func(c *policy.Config) { c.Factor = 0.99 }), "policy: factor (0.99) is below 1; use 1 for a constant delay"},
		{"factor not a number", change(func(c *policy.Config) { c.Factor = math.NaN() }), "policy: factor (NaN) is not a finite number; 2 is common"},
		{"factor infinite", change(func(c *policy.Config) { c.Factor = math.Inf(-1) }), "policy: factor (-Inf) is not a finite number; 2 is common"},
		{"steps, and nonsense that has no meaning beside them", change(func(c *policy.Config) {
			c.Steps, c.Initial, c.Factor, c.Max = []time.Duration{s}, -1, math.NaN(), -2
		}), ""},
		{"steps", change(func(c *policy.Config) { c.Steps = []time.Duration{0, -1, -2} }),
			"policy: steps: delay 2 (-1ns) is negative; use 0 to restart at once\npolicy: steps: delay 3 (-2ns) is negative; use 0 to restart at once"},
		{"a million steps", change(func(c *policy.Config) { c.Steps = make([]time.Duration, 1e6) }), "policy: steps: there are 1000000, which is above 1000; leave some out"},
		{"jitter", change(func(c *policy.Config) { c.Jitter = 9 }), "policy: jitter (9) is unknown; use full, equal, decorrelated or none"},
		{"threshold", change(func(c *policy.Config) { c.Threshold = 0 }), "policy: threshold (0) is below 1; 1 trips at the first crash"},
		{"huge threshold", change(func(c *policy.Config) { c.Threshold = math.MaxInt }), "policy: threshold (9223372036854775807) is above 1048576, the most crashes that are kept; lower it"},
		{"window", change(func(c *policy.Config) { c.Window = 0 }), "policy: window (0s) is not positive; raise it, a minute is common"},
		{"cooldown", change(func(c *policy.Config) { c.Cooldown = -s }), "policy: cooldown (-1s) is not positive; raise it, half a minute is common"},
		{"cooldowns that fall", change(func(c *policy.Config) { c.Cooldowns = []time.Duration{2 * time.Minute, time.Minute} }),
			"policy: cooldowns: 2 (1m0s) is below the one before (2m0s); put the longer ones last"},
		{"cooldowns below the cooldown", change(func(c *policy.Config) { c.Cooldowns = []time.Duration{s} }),
			""},
		{"cooldowns of nothing", change(func(c *policy.Config) { c.Cooldowns = []time.Duration{0, -s} }),
			"policy: cooldowns: 1 (0s) is not positive; raise it, a minute is common\npolicy: cooldowns: 2 (-1s) is not positive; raise it, a minute is common"},
		{"too many cooldowns", change(func(c *policy.Config) { c.Cooldowns = make([]time.Duration, 1001) }), "policy: cooldowns: there are 1001, which is above 1000; leave some out"},
		{"max_crashes", change(func(c *policy.Config) { c.MaxCrashes = policy.Limit{N: -1} }),
			"policy: max_crashes: n (-1) is negative; 0 gives up at the first crash\npolicy: max_crashes: window (0s) is not positive; raise it, an hour is common"},
		{"huge max_crashes", change(func(c *policy.Config) { c.MaxCrashes = policy.Limit{N: 1 << 20, Window: s} }),
			"policy: max_crashes: n (1048576) is above 1048575, what can be counted; lower it"},
		{"retry_after_max", change(func(c *policy.Config) { c.RetryAfterMax = -1 }), "policy: retry_after_max (-1ns) is not positive; raise it, it bounds what an error may ask for"},
		{"stable_after", change(func(c *policy.Config) { c.StableAfter = 0 }), "policy: stable_after (0s) is not positive; raise it, a minute is common"},
		{"spread", change(func(c *policy.Config) { c.Spread = -0.1 }), "policy: spread (-0.1) is not above 0 and at most 1; 0.1 adds up to a tenth"},
		{"spread above 1", change(func(c *policy.Config) { c.Spread = 1.01 }), "policy: spread (1.01) is not above 0 and at most 1; 0.1 adds up to a tenth"},
		{"spread not a number", change(func(c *policy.Config) { c.Spread = math.NaN() }), "policy: spread (NaN) is not above 0 and at most 1; 0.1 adds up to a tenth"},
		{"zero Config", policy.Config{}, "policy: factor (0) is below 1; use 1 for a constant delay\n" +
			"policy: threshold (0) is below 1; 1 trips at the first crash\n" +
			"policy: window (0s) is not positive; raise it, a minute is common\n" +
			"policy: cooldown (0s) is not positive; raise it, half a minute is common\n" +
			"policy: stable_after (0s) is not positive; raise it, a minute is common"},
		{"all at once", policy.Config{Initial: -1, Max: -2, Jitter: 4, Threshold: -3, Window: -4, Cooldown: -5, Cooldowns: []time.Duration{-6},
			MaxCrashes: policy.Limit{N: -7, Window: -8}, RetryAfterMax: -9, StableAfter: -10, Spread: -11},
			"policy: initial (-1ns) is negative; use 0 to restart at once\n" +
				"policy: max (-2ns) is negative; raise max, a minute is common\n" +
				"policy: factor (0) is below 1; use 1 for a constant delay\n" +
				"policy: jitter (4) is unknown; use full, equal, decorrelated or none\n" +
				"policy: threshold (-3) is below 1; 1 trips at the first crash\n" +
				"policy: window (-4ns) is not positive; raise it, a minute is common\n" +
				"policy: cooldown (-5ns) is not positive; raise it, half a minute is common\n" +
				"policy: cooldowns: 1 (-6ns) is not positive; raise it, a minute is common\n" +
				"policy: max_crashes: n (-7) is negative; 0 gives up at the first crash\n" +
				"policy: max_crashes: window (-8ns) is not positive; raise it, an hour is common\n" +
				"policy: retry_after_max (-9ns) is not positive; raise it, it bounds what an error may ask for\n" +
				"policy: spread (-11) is not above 0 and at most 1; 0.1 adds up to a tenth\n" +
				"policy: stable_after (-10ns) is not positive; raise it, a minute is common"},
		{"unreachable", change(func(c *policy.Config) { c.Threshold = 10 }), "policy: window (1m0s) is below the sum of the first 9 delays (3m3.5s), " +
			"so threshold (10) is never reached; raise window or lower threshold"},
		{"unreachable steps", change(func(c *policy.Config) { c.Steps = []time.Duration{s, 20 * s} }), "policy: window (1m0s) is below the sum of the first 4 delays (1m1s), " +
			"so threshold (5) is never reached; raise window or lower threshold"},
		{"unreachable and unstable", change(func(c *policy.Config) { c.Window, c.StableAfter = s, 0 }), "policy: stable_after (0s) is not positive; raise it, a minute is common\n" +
			"policy: window (1s) is below the sum of the first 4 delays (7.5s), so threshold (5) is never reached; raise window or lower threshold"},
		{"unreachable by far", change(func(c *policy.Config) { c.Initial, c.Max, c.Threshold = math.MaxInt64, math.MaxInt64, 1<<20 }),
			"policy: window (1m0s) is below the sum of the first 1048575 delays (2562047h47m16.854775807s), so threshold (1048576) is never reached; raise window or lower threshold"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := test.config.Validate(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("Validate:\n%s\nwant:\n%s", got, test.want)
			}
			p, err := test.config.Policy()
			if (err == nil) != (test.want == "") || (p == nil) != (err != nil) || err != nil && err.Error() != got {
				t.Errorf("Policy = %v, %v, which is not what Validate says", p, err)
			}
		})
	}
}

// reach is a configuration of these figures, with what else it needs.
func reach(initial time.Duration, factor float64, limit time.Duration, threshold int, window time.Duration) policy.Config {
	return policy.Config{Initial: initial, Factor: factor, Max: limit, Threshold: threshold, Window: window, Cooldown: time.Second, StableAfter: time.Second}
}

func TestValidateReachable(t *testing.T) {
	const s = time.Second
	steps := func(threshold int, window time.Duration, steps ...time.Duration) policy.Config {
		c := reach(0, 1, 0, threshold, window)
		c.Steps = steps
		return c
	}
	for _, test := range []struct {
		name      string
		config    policy.Config
		reachable bool
	}{
		{"the sum is the window", reach(s, 2, time.Hour, 4, 7*s), true},
		{"a nanosecond less", reach(s, 2, time.Hour, 4, 7*s-8), false},
		{"capped", reach(s, 2, 4*s, 6, 15*s), true},
		{"capped, too narrow", reach(s, 2, 4*s, 6, 14*s), false},
		{"capped between powers", reach(s, 2, 3*s, 6, 12*s), true},
		{"capped between powers, too narrow", reach(s, 2, 3*s, 6, 11*s), false},
		{"capped from the start", reach(s, 2, s, 4, 3*s), true},
		{"constant", reach(s, 1, time.Hour, 61, time.Minute), true},
		{"constant, too narrow", reach(s, 1, time.Hour, 62, time.Minute), false},
		{"all but constant", reach(15*s, 1+1e-12, time.Hour, 5, time.Minute), true},
		{"all but constant, too narrow", reach(15*s, 1+1e-12, time.Hour, 6, time.Minute), false},
		{"no delay", reach(0, 2, time.Hour, 1<<20, 1), true},
		{"trips at the first crash", reach(time.Hour, 2, time.Hour, 1, 1), true},
		{"trips at the second", reach(time.Hour, 2, time.Hour, 2, time.Hour), true},
		{"without bounds", reach(1, math.MaxFloat64, math.MaxInt64, 3, math.MaxInt64), true},
		{"beyond all time", reach(1, math.MaxFloat64, math.MaxInt64, 4, math.MaxInt64), false},
		{"steps", steps(4, 3*s, 0, s, 2*s), true},
		{"steps, too narrow", steps(4, 3*s-8, 0, s, 2*s), false},
		{"more crashes than steps", steps(5, 5*s, 0, s, 2*s), true},
		{"more crashes than steps, too narrow", steps(5, 5*s-16, 0, s, 2*s), false},
		{"fewer crashes than steps", steps(2, 1, 0, time.Hour), true},
		{"endless steps", steps(1<<20, math.MaxInt64, math.MaxInt64), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.config.Validate(); (err == nil) != test.reachable {
				t.Errorf("Validate = %v, want it to be reachable: %t", err, test.reachable)
			}
		})
	}
}

// What Validate computes is what happens to a task that fails at once.
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
		delays := policy.Exponential(c.Initial, c.Factor, c.Max)
		for range rapid.IntRange(0, 10).Draw(t, "steps") {
			c.Steps = append(c.Steps, ms("step", 10_000))
			delays = policy.Steps(c.Steps...)
		}

		runs := make([]policy.Run, c.Threshold)
		for i := range runs {
			runs[i].Err = errCrash
		}
		timeline := policy.Simulate(delays, runs)
		last := timeline[len(timeline)-1].End
		if near := last - c.Window; near.Abs() < time.Microsecond {
			return // parts of a nanosecond are cut off each delay
		}
		if err := c.Validate(); (err == nil) != (last <= c.Window) {
			t.Fatalf("%d crashes take %v, the window is %v, Validate: %v", c.Threshold, last, c.Window, err)
		}
	})
}

// absurd are values that no one means, and that must do no harm.
var absurd = []time.Duration{math.MinInt64, -time.Hour, -1, 0, 1, time.Second, math.MaxInt64 - 1, math.MaxInt64}

// However absurd a configuration, it is refused in words, or makes a policy that is
// sane: it neither panics nor lets a task spin that it was to hold.
func TestAbsurdConfigs(t *testing.T) {
	floats := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, 1, 1.0000000001, 2, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64}
	ints := []int{math.MinInt, -1, 0, 1, 5, 1000, 1 << 20, math.MaxInt}
	rapid.Check(t, func(t *rapid.T) {
		d := func(name string) time.Duration { return rapid.SampledFrom(absurd).Draw(t, name) }
		list := func(name string) []time.Duration {
			return rapid.SliceOfN(rapid.SampledFrom(absurd), 0, 3).Draw(t, name)
		}
		c := policy.Config{
			Initial: d("initial"), Factor: rapid.SampledFrom(floats).Draw(t, "factor"), Max: d("max"), Steps: list("steps"),
			Jitter: policy.JitterKind(rapid.IntRange(0, 5).Draw(t, "jitter")), Threshold: rapid.SampledFrom(ints).Draw(t, "threshold"),
			Window: d("window"), Cooldown: d("cooldown"), Cooldowns: list("cooldowns"),
			MaxCrashes:    policy.Limit{N: rapid.SampledFrom(ints).Draw(t, "n"), Window: d("n window")},
			RetryAfterMax: d("retry"), StableAfter: d("stable"), Spread: rapid.SampledFrom(floats).Draw(t, "spread"),
		}
		p, err := c.Policy()
		if err != nil {
			if len(err.Error()) > 4000 || strings.Contains(err.Error(), "\n\n") {
				t.Fatalf("a long error: %v", err)
			}
			return
		}
		wantSane(t, c, p)
		policy.Vet(p)
		if got := c.String(); got == "" {
			t.Fatal("no text")
		}
		text, err := c.MarshalJSON()
		if err != nil {
			return // a number that has no meaning beside Steps
		}
		var read policy.Config
		if err := read.UnmarshalJSON(text); err != nil || !sameConfig(read, c) {
			t.Fatalf("%+v is read back as %+v, %v", c, read, err)
		}
	})
}

// sameConfig takes an empty list for none.
func sameConfig(a, b policy.Config) bool {
	for _, c := range []*policy.Config{&a, &b} {
		if len(c.Steps) == 0 {
			c.Steps = nil
		}
		if len(c.Cooldowns) == 0 {
			c.Cooldowns = nil
		}
	}
	return reflect.DeepEqual(a, b)
}
