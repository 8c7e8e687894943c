package policy

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// Record is a [History] as data that can be saved and sent: all of it but the
// identity of the last error, of which the text is kept, and whether the crash
// at hand is [History.Looping], which matters only until it is decided on. A
// gate's Snapshot has one. Its JSON writes durations as "1m30s". Instants are
// distances from Start.
type Record struct {
	Start     time.Time       // where time counts from; zero if nothing has been seen
	Now       time.Duration   // the last instant seen
	Running   bool            // a run is under way
	Began     time.Duration   // when it began, if Running
	Ran       time.Duration   // how long the last run lasted
	Err       string          // what ended it, 8 KiB at most; empty after a clean exit
	Crashed   bool            // whether it ended in a crash
	Crashes   []time.Duration // when the last crashes were, oldest first, as far back as a policy has looked
	Total     uint64          // crashes ever seen
	Streak    uint64          // crashes since the slate was last clean
	LastDelay time.Duration   // the last hold
	Trips     uint32          // crash loops since the slate was last clean
	LoopEnd   time.Duration   // where the last one's hold ends, if there was one; math.MaxInt64 for never
	Depth     uint32          // how many crashes back a policy has looked
	Seed      uint64          // of the random draws; 0 if none was drawn yet
}

// Validate returns nil if r can be restored, or an error that joins all that is
// wrong with it.
func (r Record) Validate() error { return history.Record(r).Validate() }

// recordJSON is how Record stands in JSON.
type recordJSON struct {
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

	Looped bool `json:"looped,omitzero"` // of the first version, in place of trips
}

// MarshalJSON writes the fields that are not zero.
func (r Record) MarshalJSON() ([]byte, error) {
	return json.Marshal(recordJSON{
		r.Start, duration(r.Now), r.Running, duration(r.Began), duration(r.Ran), r.Err, r.Crashed,
		convert[duration](r.Crashes), r.Total, r.Streak, duration(r.LastDelay),
		r.Trips, duration(r.LoopEnd), r.Depth, r.Seed, false,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote, in this version or an older one. An
// unknown field is ignored, so that an older program can read what a newer one adds;
// one that is null or given twice is an error, and r is unchanged.
func (r *Record) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil // the convention of encoding/json
	}
	var j recordJSON
	_, faults := jsonobj.Fields(data)
	if faults == nil {
		faults = json.Unmarshal(data, &j)
	}
	if faults != nil {
		return fmt.Errorf("policy: record: %w", faults)
	}
	if j.Looped {
		j.Trips = max(j.Trips, 1)
	}
	*r = Record{
		j.Start, time.Duration(j.Now), j.Running, time.Duration(j.Began), time.Duration(j.Ran), j.Err, j.Crashed,
		convert[time.Duration](j.Crashes), j.Total, j.Streak, time.Duration(j.LastDelay),
		j.Trips, time.Duration(j.LoopEnd), j.Depth, j.Seed,
	}
	return nil
}

func convert[To, From ~int64](from []From) []To {
	var to []To
	for _, d := range from {
		to = append(to, To(d))
	}
	return to
}

// duration is a time.Duration that reads and writes itself as "1m30s".
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := jsonobj.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}
