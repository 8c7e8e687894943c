package policy_test

import (
	"flag"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/policy"
)

func TestConfigString(t *testing.T) {
	for want, c := range map[string]policy.Config{
		"default": policy.DefaultConfig(),
		"default,cooldown=5m,cooldowns=none,spread=0": policy.ClassicConfig(),
		"default,max=30s,spread=0.25":                 change(func(c *policy.Config) { c.Max, c.Spread = 30*time.Second, 0.25 }),
		"default,initial=0s,factor=0,max=0s,threshold=0,window=0s,cooldown=0s,cooldowns=none,stable_after=0s,spread=0": {},
		"default,initial=1ns,factor=1.5,max=2562047h47m16.854775807s,steps=0s/1h,jitter=equal,threshold=7,window=1h,cooldown=1s,cooldowns=1ns/2ns," +
			"max_crashes=20/1h30m,retry_after_max=1m,stable_after=-2562047h47m16.854775808s,spread=1e-09": everything,
	} {
		if got := c.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestConfigSet(t *testing.T) {
	const s = time.Second
	for text, want := range map[string]policy.Config{
		"":                          policy.DefaultConfig(),
		" ":                         policy.DefaultConfig(),
		"default":                   policy.DefaultConfig(),
		"classic":                   policy.ClassicConfig(),
		"initial=1s,max=30s":        change(func(c *policy.Config) { c.Initial, c.Max = s, 30*s }),
		" initial = 1s , max=30s, ": change(func(c *policy.Config) { c.Initial, c.Max = s, 30*s }),
		"steps=1s/5s/10s,jitter=full,max_crashes=20/1h": change(func(c *policy.Config) {
			c.Steps, c.Jitter, c.MaxCrashes = []time.Duration{s, 5 * s, 10 * s}, policy.FullJitter, policy.Limit{N: 20, Window: time.Hour}
		}),
		"max_crashes=20 in 1h":    change(func(c *policy.Config) { c.MaxCrashes = policy.Limit{N: 20, Window: time.Hour} }),
		"cooldowns=none,spread=0": change(func(c *policy.Config) { c.Cooldowns, c.Spread = nil, 0 }),
		`{"initial": "1s"}`:       change(func(c *policy.Config) { c.Initial = s }),
		"\n{}\n":                  policy.DefaultConfig(),
		"classic,spread=0.5":      func() policy.Config { c := policy.ClassicConfig(); c.Spread = 0.5; return c }(),
	} {
		c := policy.DefaultConfig()
		if err := c.Set(text); err != nil || !sameConfig(c, want) {
			t.Errorf("%q: %v, %v\nwant %v", text, c, err, want)
		}
	}
}

// Set changes what it names, whatever the rest is.
func TestConfigSetAddsUp(t *testing.T) {
	c := policy.DefaultConfig()
	flags := flag.NewFlagSet("program", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Var(&c, "policy", "")
	if err := flags.Parse([]string{"-policy", "max=2m", "-policy", "initial=90s", "-policy=window=1h"}); err == nil {
		t.Errorf("initial=90s is accepted with a window of a minute: %v", c)
	}
	if err := flags.Parse([]string{"-policy", "max=2m", "-policy", "window=1h", "-policy=initial=90s"}); err != nil {
		t.Error(err)
	}
	if got, want := c.String(), "default,initial=1m30s,max=2m,window=1h"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConfigSetOfOtherText(t *testing.T) {
	const duration = " is not a duration; write a number with its unit, such as 1m30s"
	for text, want := range map[string]string{
		"initial":              "policy: initial: it has no value; write name=value, …",
		"=":                    "policy: : there is no such field; the fields are ",
		"mx=1s":                "policy: mx: there is no such field; did you mean max?",
		"max=1s,max=2s":        "policy: max: it is given twice; leave one out",
		"max=1":                "policy: max: 1" + duration,
		"max=":                 "policy: max: " + duration,
		"steps=1s/2":           "policy: steps: 2" + duration,
		"steps=":               "policy: steps: " + duration,
		"factor=two":           "policy: factor: two is not a number; 2 is common",
		"factor=NaN":           "policy: factor: NaN is not a number; 2 is common",
		"threshold=5.5":        "policy: threshold: 5.5 is not a whole number; 5 is common",
		"jitter=some":          "policy: jitter: some is not a kind of jitter; use full, equal, decorrelated or none",
		"max_crashes=20":       `policy: max_crashes: 20 is not a limit; write a number of crashes and a window, such as "20 in 1h", or "none"`,
		"max=1s,default":       "policy: default: it has no value; write name=value, …",
		"initial=5m":           "policy: max (1m0s) is below initial (5m0s); raise max",
		"threshold=0,spread=2": "policy: threshold (0) is below 1; 1 trips at the first crash\npolicy: spread (2) is not above 0 and at most 1; 0.1 adds up to a tenth",
		"max=1,mx=1,factor=x":  "policy: max: 1" + duration + "\npolicy: mx: there is no such field; did you mean max?\npolicy: factor: x is not a number; 2 is common",
		`{"initial": 5}`:       `policy: initial: 5 is not a duration; write a number with its unit in quotes, such as "1m30s"`,
		`{"initial": "5m"}`:    "policy: max (1m0s) is below initial (5m0s); raise max",
		"{":                    "policy: line 1, column 1: this is not JSON; look for a missing comma, quote or bracket",
	} {
		c := policy.ClassicConfig()
		err := c.Set(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
		if !reflect.DeepEqual(c, policy.ClassicConfig()) {
			t.Errorf("%q: refused, but changed to %v", text, c)
		}
	}
}

func TestConfigTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := configs.Draw(t, "config")
		if rapid.Bool().Draw(t, "more") {
			c.Jitter = rapid.SampledFrom([]policy.JitterKind{0, policy.FullJitter, policy.EqualJitter, policy.DecorrelatedJitter}).Draw(t, "jitter")
			c.RetryAfterMax = ms(t, "retry", 0, 100_000)
			c.MaxCrashes = policy.Limit{N: rapid.IntRange(0, 100).Draw(t, "n"), Window: ms(t, "n window", 1, 100_000_000)}
			c.Spread = rapid.Float64Range(0, 1).Draw(t, "spread")
		}
		var set policy.Config
		if err := set.Set(c.String()); err != nil || !sameConfig(set, c) {
			t.Fatalf("%v is set as %v, %v", c, set, err)
		}
	})
}

// A flag shows its default in the short form.
func TestConfigAsAFlag(t *testing.T) {
	c := policy.ClassicConfig()
	flags := flag.NewFlagSet("program", flag.ContinueOnError)
	var help strings.Builder
	flags.SetOutput(&help)
	flags.Var(&c, "policy", "how crashing `tasks` are restarted")
	flags.PrintDefaults()
	if want := "(default default,cooldown=5m,cooldowns=none,spread=0)"; !strings.Contains(help.String(), want) {
		t.Errorf("got %s\nwant %s", &help, want)
	}
	flags.SetOutput(io.Discard)
	const want = `invalid value "max=1" for flag -policy: policy: max: 1 is not a duration; write a number with its unit, such as 1m30s`
	if err := flags.Parse([]string{"-policy", "max=1"}); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestConfigFromEnv(t *testing.T) {
	const name = "HOLDFAST_TEST_POLICY"
	for text, want := range map[string]policy.Config{
		"":               policy.DefaultConfig(),
		"classic":        policy.ClassicConfig(),
		"max=30s":        change(func(c *policy.Config) { c.Max = 30 * time.Second }),
		`{"max": "30s"}`: change(func(c *policy.Config) { c.Max = 30 * time.Second }),
	} {
		t.Setenv(name, text)
		if c, err := policy.ConfigFromEnv(name); err != nil || !sameConfig(c, want) {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
	if c, err := policy.ConfigFromEnv(name + "_NOT_SET"); err != nil || !sameConfig(c, policy.DefaultConfig()) {
		t.Errorf("not set: %v, %v", c, err)
	}
	t.Setenv(name, "mx=1s,threshold=x")
	const want = "policy: HOLDFAST_TEST_POLICY: mx: there is no such field; did you mean max?\n" +
		"policy: HOLDFAST_TEST_POLICY: threshold: x is not a whole number; 5 is common"
	if c, err := policy.ConfigFromEnv(name); err == nil || err.Error() != want || !sameConfig(c, policy.DefaultConfig()) {
		t.Errorf("got  %v, %v\nwant %s", c, err, want)
	}
}
