package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// duration is a time.Duration that reads and writes itself as "1m30s".
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// MarshalJSON writes all seven fields, durations as strings with their unit.
func (c Config) MarshalJSON() ([]byte, error) {
	if math.IsNaN(c.Factor) || math.IsInf(c.Factor, 0) {
		return nil, checkDelays(c.Initial, c.Factor, c.Max)
	}
	return json.Marshal(struct {
		Initial     duration `json:"initial"`
		Factor      float64  `json:"factor"`
		Max         duration `json:"max"`
		Threshold   int      `json:"threshold"`
		Window      duration `json:"window"`
		Cooldown    duration `json:"cooldown"`
		StableAfter duration `json:"stable_after"`
	}{
		duration(c.Initial), c.Factor, duration(c.Max),
		c.Threshold, duration(c.Window), duration(c.Cooldown), duration(c.StableAfter),
	})
}

// UnmarshalJSON sets the fields that are present and leaves the others as they
// are. An unknown field, a number where a duration belongs, and any other fault
// is an error that names the field; all faults are joined, and c is unchanged.
// The values themselves are checked by [Config.Validate].
func (c *Config) UnmarshalJSON(data []byte) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return fmt.Errorf("policy: config is not a JSON object: %w", err)
	}
	set := *c
	fields := map[string]any{
		"initial": &set.Initial, "factor": &set.Factor, "max": &set.Max,
		"threshold": &set.Threshold, "window": &set.Window, "cooldown": &set.Cooldown,
		"stable_after": &set.StableAfter,
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := setField(fields[name], given[name]); err != nil {
			faults = append(faults, fmt.Errorf("policy: %s: %w", name, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	*c = set
	return nil
}

func setField(field any, raw json.RawMessage) error {
	switch field := field.(type) {
	case nil:
		return errors.New("there is no such field; the fields are initial, factor, max, threshold, window, cooldown and stable_after")
	case *time.Duration:
		if !strings.HasPrefix(string(raw), `"`) && string(raw) != "null" {
			return fmt.Errorf(`%s is not a duration; write a string with a unit, such as "500ms"`, raw)
		}
		return json.Unmarshal(raw, (*duration)(field))
	default:
		return json.Unmarshal(raw, field)
	}
}
