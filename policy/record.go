package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Record is a [History] as data that can be saved and sent: all of it but the
// identity of the last error, of which the text is kept, and whether the crash
// at hand is [History.Looping], which matters only until it is decided on. Its
// JSON writes durations as "1m30s". Instants are distances from Start. Make one
// with [History.Record] and turn it back with [History.Load].
// Safe for concurrent use.
type Record struct {
	Start     time.Time       // the first instant seen; zero if nothing has been
	Now       time.Duration   // the last instant seen
	Running   bool            // a run is under way
	Began     time.Duration   // when it began, if Running
	Ran       time.Duration   // how long the last run lasted
	Err       string          // what ended it; empty after a clean exit
	Crashed   bool            // whether it ended in a crash
	Crashes   []time.Duration // when the crashes of the streak were, oldest first, as far as kept
	Total     uint64          // crashes ever seen
	Streak    uint64          // crashes since the slate was last clean
	LastDelay time.Duration   // the last hold
	Looped    bool            // a crash loop has tripped since the slate was clean
	LoopEnd   time.Duration   // where its hold ends, if Looped; math.MaxInt64 for never
	Depth     uint32          // how many crashes back a policy has asked, where that was more than were kept
	Seed      uint64          // of the random draws; 0 if none was drawn yet
}

// Record returns what h holds, without monotonic clock readings.
func (h *History) Record() Record {
	r := Record{
		Now: h.last, Running: h.running, Ran: h.ran, Crashed: h.err != nil,
		Total: h.crashes, Streak: h.crashes - h.wiped, LastDelay: h.delay,
		Looped: h.looped, Depth: h.depth, Seed: h.seed,
	}
	if h.seen {
		r.Start = h.base.Round(0)
	}
	if h.err != nil {
		r.Err = errorText(h.err)
	}
	if h.running {
		r.Began = h.started
	}
	if h.looped {
		r.LoopEnd = h.loopEnd
	}
	for k := min(r.Streak, uint64(len(h.crashed))); k > 0; k-- {
		if at := h.crashed.at(h.crashes - k); at != lost {
			r.Crashes = append(r.Crashes, at)
		}
	}
	return r
}

// errorText is err.Error(), even where that panics.
func errorText(err error) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("%T, whose Error method panics", err)
		}
	}()
	return err.Error()
}

// Load replaces what h holds by what r says, or returns an error that joins all
// that is wrong with r, and leaves h as it was. If h has seen an instant
// already, it goes on counting from that one.
func (h *History) Load(r Record) error {
	if err := r.Validate(); err != nil {
		return err
	}
	to := past{
		seen: h.seen || !r.Start.IsZero(), last: r.Now,
		running: r.Running, started: r.Began, ran: r.Ran,
		crashes: r.Total, wiped: r.Total - r.Streak, delay: r.LastDelay,
		looped: r.Looped, loopEnd: r.LoopEnd, depth: r.Depth, seed: r.Seed,
	}
	if r.Crashed {
		to.err = errors.New(r.Err)
	}
	to.keep(r.Crashes)
	switch {
	case !h.seen:
		h.base = r.Start
	case !r.Start.IsZero():
		to.shift(r.Start.Sub(h.base))
	}
	h.past = to
	if len(h.crashed) > 0 {
		h.draw() // as the first crash has
	}
	return nil
}

// keep fills the ring with the instants of the latest crashes. There is one
// where there was a crash, since Forget counts that one even from a clean slate,
// and room in it for the next, which must not take the place of one that a
// policy will ask for.
func (p *past) keep(instants []time.Duration) {
	if p.crashes == p.wiped && p.err == nil {
		return
	}
	length := minRing
	for length <= len(instants) {
		length *= 2
	}
	p.crashed = ring(nil).resized(length, p.crashes)
	for i, at := range instants {
		p.crashed.put(p.crashes-uint64(len(instants)-i), at)
	}
}

// farthest is how far from its start an instant of a record may be, about 146
// years: the span between two such instants can be represented.
const farthest = math.MaxInt64 / 2

// shift moves all instants by d; what has no end still has none.
func (p *past) shift(d time.Duration) {
	move := func(at *time.Duration) {
		if *at != math.MaxInt64 {
			*at = max(min(addSaturating(*at, d), math.MaxInt64-1), -farthest)
		}
	}
	move(&p.last)
	move(&p.started)
	move(&p.loopEnd)
	for i := range p.crashed {
		if p.crashed[i] != lost {
			move(&p.crashed[i])
		}
	}
}

// maxKept bounds what a record can make a history allocate.
const maxKept = 1 << 20

// Validate returns nil if r can be loaded, or an error that joins all that is
// wrong with it.
func (r Record) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf("policy: record: "+format, args...))
		}
	}
	fault(r.Streak > r.Total, "streak (%d) is above total (%d)", r.Streak, r.Total)
	fault(r.Streak > math.MaxInt/2, "streak (%d) is above %d", r.Streak, math.MaxInt/2) // so that it can grow
	fault(uint64(len(r.Crashes)) > r.Streak, "there are more crashes (%d) than the streak has (%d)", len(r.Crashes), r.Streak)
	fault(len(r.Crashes) > maxKept, "there are more crashes (%d) than the %d that are ever kept", len(r.Crashes), maxKept)
	fault(r.Crashed && r.Total == 0, "crashed is set, but total is 0")
	fault(r.Start.IsZero() && (r.Total > 0 || r.Running || r.Now != 0), "start is missing")
	fault(r.Running && r.Began > r.Now, "began (%v) is after now (%v)", r.Began, r.Now)
	fault(r.Ran < 0, "ran (%v) is negative", r.Ran)
	fault(r.LastDelay < 0, "last_delay (%v) is negative", r.LastDelay)
	fault(r.Now < -farthest || r.Now > farthest, "now (%v) is more than 146 years from start", r.Now)
	fault(r.Running && r.Began < -farthest, "began (%v) is more than 146 years before start", r.Began)
	at := time.Duration(-farthest)
	for i, crash := range r.Crashes {
		fault(crash < at || crash > r.Now, "crash %d (%v) is out of order, after now (%v), or more than 146 years before start", i+1, crash, r.Now)
		at = crash
	}
	return errors.Join(faults...)
}

// recordJSON is Record as JSON has it.
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
	Looped    bool       `json:"looped,omitzero"`
	LoopEnd   duration   `json:"loop_end,omitzero"`
	Depth     uint32     `json:"depth,omitzero"`
	Seed      uint64     `json:"seed,omitzero"`
}

// MarshalJSON writes the fields that are not zero.
func (r Record) MarshalJSON() ([]byte, error) {
	return json.Marshal(recordJSON{
		r.Start, duration(r.Now), r.Running, duration(r.Began), duration(r.Ran), r.Err, r.Crashed,
		convert[duration](r.Crashes), r.Total, r.Streak, duration(r.LastDelay),
		r.Looped, duration(r.LoopEnd), r.Depth, r.Seed,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown fields are ignored, so
// that an older version can read what a newer one adds.
func (r *Record) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil // as encoding/json has it
	}
	var j recordJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("policy: record: %w", err)
	}
	*r = Record{
		j.Start, time.Duration(j.Now), j.Running, time.Duration(j.Began), time.Duration(j.Ran), j.Err, j.Crashed,
		convert[time.Duration](j.Crashes), j.Total, j.Streak, time.Duration(j.LastDelay),
		j.Looped, time.Duration(j.LoopEnd), j.Depth, j.Seed,
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
