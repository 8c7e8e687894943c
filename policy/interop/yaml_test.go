package interop_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	goccy "github.com/goccy/go-yaml"
	"go.yaml.in/yaml/v4"

	"github.com/holdfast-go/holdfast/policy"
)

// libraries read and write YAML, and refuse unknown fields.
var libraries = map[string]struct {
	read  func(text string, c *policy.Config) error
	write func(c policy.Config) (string, error)
}{
	"go.yaml.in/yaml/v4": {
		func(text string, c *policy.Config) error {
			d := yaml.NewDecoder(strings.NewReader(text))
			d.KnownFields(true)
			return d.Decode(c)
		},
		func(c policy.Config) (string, error) {
			text, err := yaml.Marshal(c)
			return string(text), err
		},
	},
	"github.com/goccy/go-yaml": {
		func(text string, c *policy.Config) error {
			return goccy.NewDecoder(bytes.NewReader([]byte(text)), goccy.Strict()).Decode(c)
		},
		func(c policy.Config) (string, error) {
			text, err := goccy.Marshal(c)
			return string(text), err
		},
	},
}

const everything = `
initial: 1s
factor: 1.5
max: 30s
steps: [0s, 1s, 1m30s]
jitter: equal
threshold: 3
window: 2m
cooldown: 10s
cooldowns: [1m, 2m]
max_crashes: 20 in 1h
retry_after_max: 10m
stable_after: 5m
spread: 0.25
`

func TestConfigFromYAML(t *testing.T) {
	want := policy.Config{
		Initial: time.Second, Factor: 1.5, Max: 30 * time.Second, Steps: []time.Duration{0, time.Second, 90 * time.Second}, Jitter: policy.EqualJitter,
		Threshold: 3, Window: 2 * time.Minute, Cooldown: 10 * time.Second, Cooldowns: []time.Duration{time.Minute, 2 * time.Minute},
		MaxCrashes: policy.Limit{N: 20, Window: time.Hour}, RetryAfterMax: 10 * time.Minute, StableAfter: 5 * time.Minute, Spread: 0.25,
	}
	for name, library := range libraries {
		var c policy.Config
		if err := library.read(everything, &c); err != nil || !reflect.DeepEqual(c, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", name, c, err, want)
		}
		c = policy.DefaultConfig()
		if err := library.read("max: 30s\nmax_crashes: none\n", &c); err != nil || c.String() != "default,max=30s" {
			t.Errorf("%s: what is not given changes: %v, %v", name, c, err)
		}
		for _, bad := range []string{"mx: 1s", "max: soon", "jitter: some", "max_crashes: many", "threshold: few"} {
			c := policy.DefaultConfig()
			if err := library.read(bad, &c); err == nil {
				t.Errorf("%s: %q is accepted", name, bad)
			}
		}
	}
}

// What is written is read again.
func TestConfigToYAML(t *testing.T) {
	var all policy.Config
	if err := libraries["go.yaml.in/yaml/v4"].read(everything, &all); err != nil {
		t.Fatal(err)
	}
	for name, library := range libraries {
		for _, c := range []policy.Config{policy.DefaultConfig(), policy.ClassicConfig(), all} {
			text, err := library.write(c)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			var read policy.Config
			if err := library.read(text, &read); err != nil || read.String() != c.String() {
				t.Errorf("%s: %v is read back as %v, %v, of\n%s", name, c, read, err, text)
			}
		}
	}
}
