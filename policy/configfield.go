package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// configField is a field of a Config by its name outside of Go. It has two forms,
// that of JSON and that of Config.Set.
type configField struct {
	name  string
	read  func(c *Config, value []byte) error
	value func(c *Config) any // for encoding/json
	parse func(c *Config, text string) error
	text  func(c *Config) string
}

var configFields = []configField{
	durationField("initial", func(c *Config) *time.Duration { return &c.Initial }),
	numberField("factor", "a number; 2 is common", func(c *Config) *float64 { return &c.Factor }),
	durationField("max", func(c *Config) *time.Duration { return &c.Max }),
	durationsField("steps", func(c *Config) *[]time.Duration { return &c.Steps }),
	textField("jitter", func(c *Config) textValue { return &c.Jitter }),
	numberField("threshold", "a whole number; 5 is common", func(c *Config) *int { return &c.Threshold }),
	durationField("window", func(c *Config) *time.Duration { return &c.Window }),
	durationField("cooldown", func(c *Config) *time.Duration { return &c.Cooldown }),
	durationsField("cooldowns", func(c *Config) *[]time.Duration { return &c.Cooldowns }),
	textField("max_crashes", func(c *Config) textValue { return &c.MaxCrashes }),
	durationField("retry_after_max", func(c *Config) *time.Duration { return &c.RetryAfterMax }),
	durationField("stable_after", func(c *Config) *time.Duration { return &c.StableAfter }),
	numberField("spread", "a number; 0.1 adds up to a tenth", func(c *Config) *float64 { return &c.Spread }),
}

func durationField(name string, of func(*Config) *time.Duration) configField {
	return configField{
		name: name,
		read: func(c *Config, value []byte) (err error) {
			*of(c), err = jsonobj.Duration(value)
			return err
		},
		value: func(c *Config) any { return duration(*of(c)) },
		parse: func(c *Config, text string) (err error) {
			*of(c), err = jsonobj.ParseDuration(text)
			return err
		},
		text: func(c *Config) string { return short(*of(c)) },
	}
}

func durationsField(name string, of func(*Config) *[]time.Duration) configField {
	return configField{
		name: name,
		read: func(c *Config, value []byte) (err error) {
			*of(c), err = jsonobj.List(value, jsonobj.Duration)
			return err
		},
		value: func(c *Config) any { return append([]duration{}, convert[duration](*of(c))...) },
		parse: func(c *Config, text string) (err error) {
			*of(c), err = parseDurations(text)
			return err
		},
		text: func(c *Config) string {
			texts := make([]string, len(*of(c)))
			for i, d := range *of(c) {
				texts[i] = short(d)
			}
			if len(texts) == 0 {
				return none
			}
			return strings.Join(texts, "/")
		},
	}
}

// none stands for what is not there.
const none = "none"

func parseDurations(text string) ([]time.Duration, error) {
	if text == none {
		return nil, nil
	}
	var all []time.Duration
	var faults []error
	for part := range strings.SplitSeq(text, "/") {
		d, err := jsonobj.ParseDuration(strings.TrimSpace(part))
		all, faults = append(all, d), append(faults, err)
	}
	return all, errors.Join(faults...)
}

func numberField[N int | float64](name, noun string, of func(*Config) *N) configField {
	read := func(c *Config, value []byte) (err error) {
		*of(c), err = jsonobj.Number[N](value, noun)
		return err
	}
	return configField{
		name: name, read: read,
		value: func(c *Config) any { return *of(c) },
		parse: func(c *Config, text string) error { return read(c, []byte(text)) },
		text: func(c *Config) string {
			if n, ok := any(*of(c)).(float64); ok {
				return strconv.FormatFloat(n, 'g', -1, 64)
			}
			return fmt.Sprint(*of(c))
		},
	}
}

type textValue interface {
	UnmarshalText([]byte) error
	fmt.Stringer
}

func textField(name string, of func(*Config) textValue) configField {
	parse := func(c *Config, text string) error { return of(c).UnmarshalText([]byte(text)) }
	return configField{
		name: name, parse: parse,
		read: func(c *Config, value []byte) error {
			text, err := jsonobj.String(value)
			if err != nil {
				text = string(value) // which is none of the words, and the error names them
			}
			return parse(c, text)
		},
		value: func(c *Config) any { return of(c).String() },
		text:  func(c *Config) string { return strings.ReplaceAll(of(c).String(), " in ", "/") },
	}
}

// fieldByName returns a field, or an error that suggests another name.
func fieldByName(name string) (configField, error) {
	names := make([]string, len(configFields))
	for i, f := range configFields {
		if f.name == name {
			return f, nil
		}
		names[i] = f.name
	}
	return configField{}, jsonobj.Unknown(name, names)
}

// readFields sets the fields that are given in JSON, and returns all faults.
func (c *Config) readFields(fields []jsonobj.Field) error {
	var faults []error
	for _, given := range fields {
		f, err := fieldByName(given.Name)
		if err == nil {
			err = jsonobj.Prefixed(f.name+": ", f.read(c, given.Value))
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// placed is the faults of a policy with the place where it stands.
func placed(place string, err error) error {
	return jsonobj.Each(err, func(one error) error {
		return errors.New("policy: " + place + ": " + strings.TrimPrefix(one.Error(), "policy: "))
	})
}
