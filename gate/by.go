package gate

import (
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// By is who opened or paused a gate by hand, and why. Both are words for people; they
// go with the [Transition] into events, logs and traces. The zero value is nobody in
// particular.
type By struct {
	Who string `json:"who,omitzero"` // such as a person, or the name of a program
	Why string `json:"why,omitzero"`
}

// String returns such as "ann: the database is back".
func (b By) String() string {
	if b.Who == "" || b.Why == "" {
		return b.Who + b.Why
	}
	return b.Who + ": " + b.Why
}

// UnmarshalJSON reads an object with the fields "who" and "why". An unknown field is
// ignored; one that is null or given twice is an error, and b is unchanged.
func (b *By) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil // the convention of encoding/json
	}
	var read By
	fields, err := jsonobj.Fields(data)
	for _, f := range fields {
		var fault error
		switch f.Name {
		case "who":
			read.Who, fault = jsonobj.String(f.Value)
		case "why":
			read.Why, fault = jsonobj.String(f.Value)
		}
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", f.Name, fault))
		}
	}
	if err == nil {
		*b = read
	}
	return err
}

// first returns the optional argument of the methods that are called by hand. It is
// optional since a program that releases its own gates has nobody to name.
func first(by []By) By {
	if len(by) == 0 {
		return By{}
	}
	return by[0]
}
