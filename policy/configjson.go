package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// MarshalJSON writes all fields, durations as strings with their unit. A number that
// is not finite is an error.
func (c Config) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, f := range configFields {
		value, err := json.Marshal(f.value(&c))
		if err != nil {
			return nil, fmt.Errorf("policy: %s (%s) is not a finite number, which JSON cannot express", f.name, f.text(&c))
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
	fields, faults := jsonobj.Fields(data)
	set := c.clone()
	if err := errors.Join(faults, set.readFields(fields)); err != nil {
		return jsonobj.Prefixed("policy: ", err)
	}
	*c = set
	return nil
}

func (c *Config) clone() Config {
	clone := *c
	clone.Steps, clone.Cooldowns = slices.Clone(c.Steps), slices.Clone(c.Cooldowns)
	return clone
}
