package policy

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// bases are the configurations that the short form can begin with.
var bases = map[string]func() Config{"default": DefaultConfig, "classic": ClassicConfig}

// String returns the short form of c: what differs from [DefaultConfig], such as
//
//	default,initial=1s,max=30s,cooldowns=1m/5m/15m,max_crashes=20/1h
//
// [Config.Set] reads it.
func (c Config) String() string {
	text := "default"
	base := DefaultConfig()
	for _, f := range configFields {
		if value := f.text(&c); value != f.text(&base) {
			text += "," + f.name + "=" + value
		}
	}
	return text
}

// Set changes the fields that text names, and leaves the others as they are, so that
// a *Config is a [flag.Value]:
//
//	config := policy.DefaultConfig()
//	flag.Var(&config, "policy", "how crashing tasks are restarted")
//
//	$ program -policy initial=1s,max=30s,cooldowns=1m/5m/15m,max_crashes=20/1h
//
// The names are those of the JSON form, a list has slashes, and "none" is an empty
// one. The first word may be "default" or "classic", which sets all fields to those
// of [DefaultConfig] or [ClassicConfig]. A text that begins with { is read as JSON. An
// empty one changes nothing. What comes of it must be valid: any fault is an error
// as that of UnmarshalJSON or [Config.Validate], and c is unchanged.
func (c *Config) Set(text string) error {
	set := c.clone()
	if err := set.parse(text); err != nil {
		return err
	}
	if err := set.Validate(); err != nil {
		return err
	}
	*c = set
	return nil
}

// parse is Set without Validate; c is of no use after an error.
func (c *Config) parse(text string) error {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil
	case strings.HasPrefix(text, "{"):
		return c.UnmarshalJSON([]byte(text))
	}
	first, rest, _ := strings.Cut(text, ",")
	if base, ok := bases[strings.TrimSpace(first)]; ok {
		*c, text = base(), rest
	}
	var faults []error
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue // a comma at the end
		}
		name, value, given := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		switch {
		case !given:
			faults = append(faults, fmt.Errorf("policy: %s: it has no value; write name=value, …", jsonobj.Quote([]byte(name))))
		case seen[name]:
			faults = append(faults, fmt.Errorf("policy: %s: it is given twice; leave one out", jsonobj.Quote([]byte(name))))
		default:
			faults = append(faults, jsonobj.Prefixed("policy: ", c.parseField(name, strings.TrimSpace(value))))
		}
		seen[name] = true
	}
	return errors.Join(faults...)
}

func (c *Config) parseField(name, text string) error {
	f, err := fieldByName(name)
	if err != nil {
		return err
	}
	return jsonobj.Prefixed(f.name+": ", f.parse(c, text))
}

// ConfigFromEnv returns [DefaultConfig] with what the environment variable of that
// name changes in it, in a form that [Config.Set] reads. An unset or empty variable
// changes nothing. Each fault names the variable.
func ConfigFromEnv(name string) (Config, error) {
	c := DefaultConfig()
	if err := c.Set(os.Getenv(name)); err != nil {
		return DefaultConfig(), placed(name, err)
	}
	return c, nil
}
