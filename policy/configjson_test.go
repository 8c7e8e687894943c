package policy_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

const (
	defaultJSON = `{"initial":"500ms","factor":2,"max":"1m0s","steps":[],"jitter":"none","threshold":5,"window":"1m0s","cooldown":"30s",` +
		`"cooldowns":["1m0s","2m30s","5m0s"],"max_crashes":"none","retry_after_max":"0s","stable_after":"1m0s","spread":0.1}`
	zeroJSON = `{"initial":"0s","factor":0,"max":"0s","steps":[],"jitter":"none","threshold":0,"window":"0s","cooldown":"0s",` +
		`"cooldowns":[],"max_crashes":"none","retry_after_max":"0s","stable_after":"0s","spread":0}`
)

// everything is a configuration with all fields set, though not a valid one.
var everything = policy.Config{
	Initial: 1, Factor: 1.5, Max: math.MaxInt64, Steps: []time.Duration{0, time.Hour}, Jitter: policy.EqualJitter,
	Threshold: 7, Window: time.Hour, Cooldown: time.Second, Cooldowns: []time.Duration{1, 2},
	MaxCrashes: policy.Limit{N: 20, Window: 90 * time.Minute}, RetryAfterMax: time.Minute, StableAfter: math.MinInt64, Spread: 1e-9,
}

func TestConfigToJSON(t *testing.T) {
	for want, c := range map[string]policy.Config{defaultJSON: policy.DefaultConfig(), zeroJSON: {}} {
		if got, err := json.Marshal(c); err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
}

func TestConfigWithoutANumberHasNoJSON(t *testing.T) {
	for want, c := range map[string]policy.Config{
		"policy: factor (NaN) is not a finite number, which JSON cannot express":  change(func(c *policy.Config) { c.Factor = math.NaN() }),
		"policy: factor (+Inf) is not a finite number, which JSON cannot express": change(func(c *policy.Config) { c.Factor, c.Steps = math.Inf(1), []time.Duration{1} }),
		"policy: spread (-Inf) is not a finite number, which JSON cannot express": change(func(c *policy.Config) { c.Spread = math.Inf(-1) }),
	} {
		if _, err := c.MarshalJSON(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestConfigFromJSON(t *testing.T) {
	text, err := json.Marshal(everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, json string
		want       policy.Config
	}{
		{"all there is", string(text), everything},
		{"the default", defaultJSON, change(func(c *policy.Config) { c.Steps = []time.Duration{} })},
		{"nothing", `{}`, policy.DefaultConfig()},
		{"a field", `{"max": "2m"}`, change(func(c *policy.Config) { c.Max = 2 * time.Minute })},
		{"zero, with a unit or without", `{"initial": "0", "max": "0s"}`, change(func(c *policy.Config) { c.Initial, c.Max = 0, 0 })},
		{"spaces", ` { "initial" : "1s" , "factor" : 3 } `, change(func(c *policy.Config) { c.Initial, c.Factor = time.Second, 3 })},
		{"no list", `{"cooldowns": []}`, change(func(c *policy.Config) { c.Cooldowns = []time.Duration{} })},
		{"words", `{"jitter": "full", "max_crashes": "3 in 1h30m"}`, change(func(c *policy.Config) {
			c.Jitter, c.MaxCrashes = policy.FullJitter, policy.Limit{N: 3, Window: 90 * time.Minute}
		})},
		{"nonsense, for Validate to find", `{"threshold": -1}`, change(func(c *policy.Config) { c.Threshold = -1 })},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := policy.DefaultConfig()
			if err := json.Unmarshal([]byte(test.json), &c); err != nil || !reflect.DeepEqual(c, test.want) {
				t.Errorf("%+v, %v\nwant %+v", c, err, test.want)
			}
		})
	}
}

func TestConfigFromBadJSON(t *testing.T) {
	const duration = ` is not a duration; write a number with its unit in quotes, such as "1m30s"`
	for _, test := range []struct{ name, json, want string }{
		{"unknown field", `{"treshold": 3}`, "policy: treshold: there is no such field; did you mean threshold?"},
		{"other case", `{"StableAfter": "1s"}`, "policy: StableAfter: there is no such field; did you mean stable_after?"},
		{"far from any", `{"interval": 1}`, "policy: interval: there is no such field; the fields are initial, factor, max, steps, jitter, threshold, window, cooldown, cooldowns, max_crashes, retry_after_max, stable_after, spread"},
		{"null", `{"max": null}`, "policy: max: it is null; give it a value or leave it out"},
		{"twice", `{"max": "1s", "max": "1s"}`, "policy: max: it is given twice; leave one out"},
		{"bare number", `{"initial": 500}`, "policy: initial: 500" + duration},
		{"object for a duration", `{"max": {}}`, "policy: max: {}" + duration},
		{"no unit", `{"window": "60"}`, `policy: window: "60"` + duration},
		{"too long", `{"window": "9999999h"}`, `policy: window: "9999999h"` + duration},
		{"empty duration", `{"window": ""}`, `policy: window: ""` + duration},
		{"string for a number", `{"factor": "2"}`, `policy: factor: "2" is not a number; 2 is common`},
		{"fraction for a count", `{"threshold": 1.5}`, "policy: threshold: 1.5 is not a whole number; 5 is common"},
		{"count too large", `{"threshold": 1e30}`, "policy: threshold: 1e30 is not a whole number; 5 is common"},
		{"no list", `{"steps": "1s"}`, `policy: steps: "1s" is not a list; write [value, …]`},
		{"bad list", `{"cooldowns": ["1m", 2, "3"]}`, "policy: cooldowns: entry 2: 2" + duration + "\npolicy: cooldowns: entry 3: \"3\"" + duration},
		{"jitter", `{"jitter": "some"}`, "policy: jitter: some is not a kind of jitter; use full, equal, decorrelated or none"},
		{"jitter by number", `{"jitter": 1}`, "policy: jitter: 1 is not a kind of jitter; use full, equal, decorrelated or none"},
		{"limit", `{"max_crashes": "20"}`, `policy: max_crashes: 20 is not a limit; write a number of crashes and a window, such as "20 in 1h", or "none"`},
		{"limit of the procfile example", `{"max_crashes": {"n": 20, "window": "1h"}}`, `policy: max_crashes: {"n": 20, "window": "1h"} is not a limit; write a number of crashes and a window, such as "20 in 1h", or "none"`},
		{"spread", `{"spread": "10%"}`, `policy: spread: "10%" is not a number; 0.1 adds up to a tenth`},
		{"not an object", `[1]`, `policy: [1] is not a JSON object; write {"name": value, …}`},
		{"null at all", `null`, `policy: null is not a JSON object; write {"name": value, …}`},
		{"several", `{"initial": 1, "max": "1h", "nonsense": 2, "factor": "x", "max": null}`, "policy: max: it is given twice; leave one out\n" +
			"policy: initial: 1" + duration + "\npolicy: nonsense: there is no such field; the fields are "},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := policy.DefaultConfig()
			err := json.Unmarshal([]byte(test.json), &c)
			if err == nil {
				t.Fatalf("no error, but %+v", c)
			}
			if got := err.Error(); got != test.want && (test.name != "several" || !strings.HasPrefix(got, test.want)) {
				t.Errorf("error: %s\nwant:  %s", got, test.want)
			}
			wantOwnWords(t, "", err)
			if !reflect.DeepEqual(c, policy.DefaultConfig()) {
				t.Errorf("it is changed, to %+v", c)
			}
		})
	}
}

func TestConfigFromNoJSON(t *testing.T) {
	c := policy.DefaultConfig()
	const want = "policy: line 1, column 1: this is not JSON; look for a missing comma, quote or bracket"
	if err := c.UnmarshalJSON([]byte(`{`)); err == nil || err.Error() != want || !reflect.DeepEqual(c, policy.DefaultConfig()) {
		t.Errorf("%+v, %v\nwant %s", c, err, want)
	}
}

// Reading fields does not write into slices that another configuration has, too.
func TestConfigFromJSONLeavesCopiesAlone(t *testing.T) {
	c := policy.DefaultConfig()
	other := c
	if err := json.Unmarshal([]byte(`{"cooldowns": ["10m", "20m", "30m"]}`), &c); err != nil || c.Cooldowns[0] != 10*time.Minute {
		t.Errorf("%v, %v", c.Cooldowns, err)
	}
	if other.Cooldowns[0] != time.Minute {
		t.Errorf("the copy has %v, too", other.Cooldowns)
	}
}
