package policy_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

const defaultJSON = `{"initial":"500ms","factor":2,"max":"1m0s","threshold":5,"window":"1m0s","cooldown":"5m0s","stable_after":"1m0s"}`

func TestConfigToJSON(t *testing.T) {
	for want, c := range map[string]policy.Config{
		defaultJSON: policy.DefaultConfig(),
		`{"initial":"0s","factor":0,"max":"0s","threshold":0,"window":"0s","cooldown":"0s","stable_after":"0s"}`: {},
	} {
		if got, err := json.Marshal(c); err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
}

func TestConfigWithoutANumberHasNoJSON(t *testing.T) {
	for _, factor := range []float64{math.NaN(), math.Inf(1)} {
		_, err := json.Marshal(change(func(c *policy.Config) { c.Factor = factor }))
		if err == nil || !strings.Contains(err.Error(), "is not a finite number; 2 is common") {
			t.Errorf("factor %v: %v", factor, err)
		}
	}
}

func TestConfigFromJSON(t *testing.T) {
	all := policy.Config{1, 1.5, math.MaxInt64, 7, time.Hour, time.Second, math.MinInt64}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, json string
		want       policy.Config
	}{
		{"all there is", string(text), all},
		{"the default", defaultJSON, policy.DefaultConfig()},
		{"nothing", `{}`, policy.DefaultConfig()},
		{"null", `null`, policy.DefaultConfig()},
		{"a field", `{"max": "2m"}`, change(func(c *policy.Config) { c.Max = 2 * time.Minute })},
		{"nulls", `{"max": null, "factor": null, "threshold": null}`, policy.DefaultConfig()},
		{"zero, with a unit or without", `{"initial": "0", "max": "0s"}`, change(func(c *policy.Config) { c.Initial, c.Max = 0, 0 })},
		{"spaces", ` { "initial" : "1s" , "factor" : 3 } `, change(func(c *policy.Config) { c.Initial, c.Factor = time.Second, 3 })},
		{"nonsense, for Validate to find", `{"threshold": -1}`, change(func(c *policy.Config) { c.Threshold = -1 })},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := policy.DefaultConfig()
			if err := json.Unmarshal([]byte(test.json), &c); err != nil || c != test.want {
				t.Errorf("%+v, %v\nwant %+v", c, err, test.want)
			}
		})
	}
}

func TestConfigFromBadJSON(t *testing.T) {
	const fields = "there is no such field; the fields are initial, factor, max, threshold, window, cooldown and stable_after"
	for _, test := range []struct {
		name, json string
		want       []string
	}{
		{"unknown field", `{"treshold": 3}`, []string{"policy: treshold: " + fields}},
		{"other case", `{"Max": "1s"}`, []string{"policy: Max: " + fields}},
		{"bare number", `{"initial": 500}`, []string{`policy: initial: 500 is not a duration; write a string with a unit, such as "500ms"`}},
		{"object for a duration", `{"max": {}}`, []string{`policy: max: {} is not a duration`}},
		{"no unit", `{"window": "60"}`, []string{`policy: window: time: missing unit in duration "60"`}},
		{"too long", `{"window": "9999999h"}`, []string{`policy: window: time: invalid duration "9999999h"`}},
		{"empty duration", `{"window": ""}`, []string{`policy: window: time: invalid duration ""`}},
		{"string for a number", `{"factor": "2"}`, []string{"policy: factor: json: cannot unmarshal string"}},
		{"fraction for a count", `{"threshold": 1.5}`, []string{"policy: threshold: json: cannot unmarshal number 1.5"}},
		{"count too large", `{"threshold": 1e30}`, []string{"policy: threshold: json: cannot unmarshal number 1e30"}},
		{"not an object", `[1]`, []string{"policy: config is not a JSON object: "}},
		{"several", `{"initial": 1, "max": "1h", "nonsense": 2, "factor": "x"}`, []string{"policy: initial: ", "policy: nonsense: ", "policy: factor: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := policy.DefaultConfig()
			err := json.Unmarshal([]byte(test.json), &c)
			if err == nil {
				t.Fatalf("no error, but %+v", c)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error: %v\nwant: %s", err, want)
				}
			}
			if c != policy.DefaultConfig() {
				t.Errorf("it is changed, to %+v", c)
			}
		})
	}
}

func TestConfigFromNoJSON(t *testing.T) {
	c := policy.DefaultConfig()
	if err := c.UnmarshalJSON([]byte(`{`)); err == nil || c != policy.DefaultConfig() {
		t.Errorf("%+v, %v", c, err)
	}
}
