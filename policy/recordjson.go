package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// MarshalJSON writes the fields that are not zero.
func (r Record) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Start     time.Time  `json:"start,omitzero"`
		Now       duration   `json:"now,omitzero"`
		Running   bool       `json:"running,omitzero"`
		Began     duration   `json:"began,omitzero"`
		Ran       duration   `json:"ran,omitzero"`
		Err       string     `json:"error,omitzero"`
		Crashed   bool       `json:"crashed,omitzero"`
		Crashes   []duration `json:"crashes,omitempty"`
		Total     uint64     `json:"total,omitzero"`
		Streak    uint64     `json:"streak,omitzero"`
		LastDelay duration   `json:"last_delay,omitzero"`
		Trips     uint32     `json:"trips,omitzero"`
		LoopEnd   duration   `json:"loop_end,omitzero"`
		Depth     uint32     `json:"depth,omitzero"`
		Seed      uint64     `json:"seed,omitzero"`
	}{
		r.Start, duration(r.Now), r.Running, duration(r.Began), duration(r.Ran), r.Err, r.Crashed,
		convert[duration](r.Crashes), r.Total, r.Streak, duration(r.LastDelay),
		r.Trips, duration(r.LoopEnd), r.Depth, r.Seed,
	})
}

// recordFields read the fields of a record by their names in JSON.
var recordFields = map[string]func(r *Record, value []byte) error{
	"start":      readField(func(r *Record) *time.Time { return &r.Start }, readTime),
	"now":        readField(func(r *Record) *time.Duration { return &r.Now }, jsonobj.Duration),
	"running":    readField(func(r *Record) *bool { return &r.Running }, jsonobj.Bool),
	"began":      readField(func(r *Record) *time.Duration { return &r.Began }, jsonobj.Duration),
	"ran":        readField(func(r *Record) *time.Duration { return &r.Ran }, jsonobj.Duration),
	"error":      readField(func(r *Record) *string { return &r.Err }, jsonobj.String),
	"crashed":    readField(func(r *Record) *bool { return &r.Crashed }, jsonobj.Bool),
	"crashes":    readField(func(r *Record) *[]time.Duration { return &r.Crashes }, readDurations),
	"total":      readField(func(r *Record) *uint64 { return &r.Total }, readCount[uint64]),
	"streak":     readField(func(r *Record) *uint64 { return &r.Streak }, readCount[uint64]),
	"last_delay": readField(func(r *Record) *time.Duration { return &r.LastDelay }, jsonobj.Duration),
	"trips":      readField(func(r *Record) *uint32 { return &r.Trips }, readCount[uint32]),
	"loop_end":   readField(func(r *Record) *time.Duration { return &r.LoopEnd }, jsonobj.Duration),
	"depth":      readField(func(r *Record) *uint32 { return &r.Depth }, readCount[uint32]),
	"seed":       readField(func(r *Record) *uint64 { return &r.Seed }, readCount[uint64]),

	// Of the first version, in place of trips.
	"looped": func(r *Record, value []byte) error {
		looped, err := jsonobj.Bool(value)
		if looped {
			r.Trips = max(r.Trips, 1)
		}
		return err
	},
}

func readField[T any](of func(*Record) *T, read func([]byte) (T, error)) func(*Record, []byte) error {
	return func(r *Record, value []byte) (err error) {
		*of(r), err = read(value)
		return err
	}
}

func readTime(value []byte) (t time.Time, err error) {
	if json.Unmarshal(value, &t) != nil {
		return t, fmt.Errorf(`%s is not an instant; write one such as "2026-01-02T03:04:05Z"`, jsonobj.Quote(value))
	}
	return t, nil
}

func readDurations(value []byte) ([]time.Duration, error) {
	return jsonobj.List(value, jsonobj.Duration)
}

func readCount[N uint32 | uint64](value []byte) (N, error) {
	return jsonobj.Number[N](value, "a whole number from 0 up")
}

// UnmarshalJSON reads what MarshalJSON wrote, in this version or an older one. An
// unknown field is ignored, so that an older program can read what a newer one adds;
// one that is null or given twice is an error, and r is unchanged.
func (r *Record) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil // the convention of encoding/json
	}
	fields, err := jsonobj.Fields(data)
	faults := []error{jsonobj.Prefixed("policy: record: ", err)}
	var read Record
	for _, f := range fields {
		if set, ok := recordFields[f.Name]; ok {
			faults = append(faults, jsonobj.Prefixed("policy: record: "+f.Name+": ", set(&read, f.Value)))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	*r = read
	return nil
}

// duration is a time.Duration that writes itself as "1m30s".
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }
