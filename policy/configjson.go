package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// configField is a field of a Config by its name outside of Go.
type configField struct {
	name  string
	read  func(c *Config, value []byte) error
	value func(c *Config) any // for encoding/json
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
	return configField{name, func(c *Config, value []byte) (err error) {
		*of(c), err = jsonobj.Duration(value)
		return err
	}, func(c *Config) any { return duration(*of(c)) }}
}

func durationsField(name string, of func(*Config) *[]time.Duration) configField {
	return configField{name, func(c *Config, value []byte) (err error) {
		*of(c), err = jsonobj.List(value, jsonobj.Duration)
		return err
	}, func(c *Config) any { return append([]duration{}, convert[duration](*of(c))...) }}
}

func numberField[N int | float64](name, noun string, of func(*Config) *N) configField {
	return configField{name, func(c *Config, value []byte) (err error) {
		*of(c), err = jsonobj.Number[N](value, noun)
		return err
	}, func(c *Config) any { return *of(c) }}
}

type textValue interface {
	UnmarshalText([]byte) error
	fmt.Stringer
}

func textField(name string, of func(*Config) textValue) configField {
	return configField{name, func(c *Config, value []byte) error {
		text, err := jsonobj.String(value)
		if err != nil {
			return err
		}
		return of(c).UnmarshalText([]byte(text))
	}, func(c *Config) any { return of(c).String() }}
}

func configNames() []string {
	names := make([]string, len(configFields))
	for i, f := range configFields {
		names[i] = f.name
	}
	return names
}

// MarshalJSON writes all fields, durations as strings with their unit.
func (c Config) MarshalJSON() ([]byte, error) {
	for _, n := range []float64{c.Factor, c.Spread} {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, c.Validate()
		}
	}
	text := []byte{'{'}
	for i, f := range configFields {
		value, err := json.Marshal(f.value(&c))
		if err != nil {
			return nil, fmt.Errorf("policy: %s: %w", f.name, err)
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(strconv.AppendQuote(text, f.name), ':'), value...)
	}
	return append(text, '}'), nil
}

// UnmarshalJSON sets the fields that are present and leaves the others as they
// are. A field that is unknown, null or given twice, a number where a duration
// belongs, and any other fault is an error that names the field; all faults are
// joined, and c is unchanged. The values themselves are checked by
// [Config.Validate].
func (c *Config) UnmarshalJSON(data []byte) error {
	fields, err := jsonobj.Fields(data)
	faults := []error{prefixed("policy: ", err)}
	set := *c
	for _, f := range fields {
		if err := set.setField(f.Name, f.Value); err != nil {
			faults = append(faults, fmt.Errorf("policy: %w", err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	*c = set
	return nil
}

func (c *Config) setField(name string, value []byte) error {
	for _, f := range configFields {
		if f.name == name {
			return prefixed(name+": ", f.read(c, value))
		}
	}
	return jsonobj.Unknown(name, configNames())
}

// prefixed is err with a prefix, or nil; of several joined, each gets it.
func prefixed(prefix string, err error) error {
	switch e := err.(type) {
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		var all []error
		for _, one := range e.Unwrap() {
			all = append(all, prefixed(prefix, one))
		}
		return errors.Join(all...)
	}
	return fmt.Errorf("%s%w", prefix, err)
}
