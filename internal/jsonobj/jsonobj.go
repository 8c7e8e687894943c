// Package jsonobj reads JSON that people write. Unlike encoding/json it refuses a
// field that is given twice or is null, suggests the nearest name for one that
// does not exist, and says what is wrong in words that do not need Go to be known.
package jsonobj

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Field is a field of an object, with its value unread.
type Field struct {
	Name  string
	Value json.RawMessage
}

// Fields returns the fields of the JSON object in data, in the order in which they
// stand there.
func Fields(data []byte) ([]Field, error) {
	if err := syntax(data); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf(`%s is not a JSON object; write {"name": value, …}`, Quote(data))
	}
	var fields []Field
	var faults []error
	seen := make(map[string]bool)
	for d.More() { // data is valid JSON, so that neither Token nor Decode fails
		name, _ := d.Token()
		f := Field{Name: fmt.Sprint(name)}
		_ = d.Decode(&f.Value)
		switch {
		case seen[folded(f.Name)]:
			faults = append(faults, fmt.Errorf("%s: it is given twice; leave one out", Quote([]byte(f.Name))))
		case string(f.Value) == "null":
			faults = append(faults, fmt.Errorf("%s: it is null; give it a value or leave it out", Quote([]byte(f.Name))))
		default:
			fields = append(fields, f)
		}
		seen[folded(f.Name)] = true
	}
	return fields, errors.Join(faults...)
}

// folded is the same for names that differ in case alone, which encoding/json takes for
// one field.
func folded(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// syntax returns where data stops being JSON.
func syntax(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New(`there is nothing in it; write {"name": value, …}`)
	}
	var raw json.RawMessage
	err := json.Unmarshal(data, &raw)
	if err == nil {
		return nil
	}
	at := len(data)
	var s *json.SyntaxError
	if errors.As(err, &s) {
		at = min(int(s.Offset), at)
	}
	before := data[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := at - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Errorf("line %d, column %d: this is not JSON; look for a missing comma, quote or bracket", line, column)
}

// Quote is what an error shows of a file: one line, not long.
func Quote(data []byte) string {
	const most = 40
	text := strings.Join(strings.Fields(string(data)), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// Unknown is the error of a field that does not exist, where those in names do.
func Unknown(name string, names []string) error {
	quoted := Quote([]byte(name))
	if near := nearest(name, names); near != "" {
		return fmt.Errorf("%s: there is no such field; did you mean %s?", quoted, near)
	}
	return fmt.Errorf("%s: there is no such field; the fields are %s", quoted, strings.Join(names, ", "))
}

// Duration reads a string such as "1m30s".
func Duration(value []byte) (time.Duration, error) {
	var text string
	if len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil {
		if d, err := ParseDuration(text); err == nil {
			return d, nil
		}
	}
	return 0, fmt.Errorf(`%s is not a duration; write a number with its unit in quotes, such as "1m30s"`, Quote(value))
}

// ParseDuration is time.ParseDuration with words of our own.
func ParseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s is not a duration; write a number with its unit, such as 1m30s", Quote([]byte(text)))
	}
	return d, nil
}

// Number reads a number of the kind that noun names.
func Number[N int | float64 | uint32 | uint64](value []byte, noun string) (N, error) {
	var n N
	if err := json.Unmarshal(value, &n); err != nil {
		return 0, fmt.Errorf("%s is not %s", Quote(value), noun)
	}
	return n, nil
}

// String reads a string.
func String(value []byte) (string, error) {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return "", fmt.Errorf("%s is not a string; put it in quotes", Quote(value))
	}
	return text, nil
}

// Bool reads true or false.
func Bool(value []byte) (bool, error) {
	var b bool
	if err := json.Unmarshal(value, &b); err != nil {
		return false, fmt.Errorf("%s is neither true nor false", Quote(value))
	}
	return b, nil
}

// List reads an array.
func List[T any](value []byte, read func([]byte) (T, error)) ([]T, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(value, &raw); err != nil {
		return nil, fmt.Errorf("%s is not a list; write [value, …]", Quote(value))
	}
	list := make([]T, 0, len(raw))
	var faults []error
	for i, v := range raw {
		item, err := read(v)
		if err != nil {
			faults = append(faults, fmt.Errorf("entry %d: %w", i+1, err))
		}
		list = append(list, item)
	}
	return list, errors.Join(faults...)
}
