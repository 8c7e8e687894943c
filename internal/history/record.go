package history

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Record is policy.Record, which has its contract: the two convert into each
// other.
type Record struct {
	Start     time.Time
	Now       time.Duration
	Running   bool
	Began     time.Duration
	Ran       time.Duration
	Err       string
	Crashed   bool
	Crashes   []time.Duration
	Total     uint64
	Streak    uint64
	LastDelay time.Duration
	Trips     uint32
	LoopEnd   time.Duration
	Depth     uint32
	Seed      uint64
}

// Record returns what h holds, without monotonic clock readings.
func (h *Log) Record() Record {
	r := Record{
		Now: h.last, Running: h.running, Ran: h.ran, Crashed: h.err != nil,
		Total: min(h.crashes, maxTotal), LastDelay: h.delay,
		Trips: uint32(h.trips), Seed: h.seed,
	}
	r.Streak = min(h.crashes-h.wiped, r.Total)
	if h.err != nil {
		r.Err = shorten(ErrorText(h.err))
	}
	if h.running {
		r.Began = h.started
	}
	if h.trips > 0 {
		r.LoopEnd = h.loopEnd
	}
	if h.more != nil && h.crashes > 0 { // a crash that was not counted leaves nothing
		r.Depth = h.more.depth
		r.Crashes = h.known(min(max(uint64(h.more.depth), minRing), uint64(h.more.length()), h.crashes))
	}
	if h.seen {
		r.startAt(h.Origin())
	}
	return r
}

// maxTotal leaves room for the crashes to come: what a record has as its total can
// grow by as much again.
const maxTotal = math.MaxInt64 / 2

// known returns when the last crashes were, n at most, oldest first.
func (h *Log) known(n uint64) []time.Duration {
	for k := range n {
		if h.more.at(h.crashes-k-1) == lost {
			n = k
			break
		}
	}
	var all []time.Duration
	for k := n; k > 0; k-- {
		all = append(all, h.more.at(h.crashes-k))
	}
	return all
}

// startAt sets the start to an instant that the wall clock, and JSON, can express
// and that is not the zero time, which stands for none. If that is not origin the
// record is of another clock, on which all is as far apart; but the zero time is
// only one nanosecond off, so that instants stay what they are.
func (r *Record) startAt(origin time.Time) {
	origin = origin.Round(0)
	switch year := origin.Year(); {
	case origin.IsZero():
		origin = origin.Add(1)
		r.shift(-1)
	case year < 1:
		origin = time.Time{}.Add(1)
	case year > lastYear:
		origin = time.Date(lastYear, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	r.Start = origin
}

// lastYear leaves room for holds until the year 9999, the last one of JSON.
const lastYear = 9900

func (r *Record) shift(d time.Duration) {
	r.Now += d
	if r.Running {
		r.Began = max(addSaturating(r.Began, d), -2*Reach)
	}
	if r.Trips > 0 && r.LoopEnd != Never {
		r.LoopEnd = max(addSaturating(r.LoopEnd, d), -2*Reach)
	}
	for i, at := range r.Crashes {
		r.Crashes[i] = max(addSaturating(at, d), -2*Reach)
	}
}

// maxText bounds the text of an error in a record.
const maxText = 8 << 10

func shorten(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return text
}

// ErrorText is err.Error(), even where that panics.
func ErrorText(err error) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("%T, whose Error method panics", err)
		}
	}()
	return err.Error()
}

// Load replaces what h holds by r, or returns an error that joins all that is
// wrong with r, and leaves h as it was.
func (h *Log) Load(r Record) error {
	if err := r.Validate(); err != nil {
		return err
	}
	to := Log{h.base, past{
		seen: h.seen, plain: h.seen && Believable(h.base),
		last: r.Now, running: r.Running, started: r.Began, ran: r.Ran,
		crashes: r.Total, wiped: r.Total - r.Streak, delay: r.LastDelay,
		trips: uint16(min(r.Trips, math.MaxUint16)), loopEnd: r.LoopEnd, seed: r.Seed,
	}}
	if r.Crashed {
		to.err = errors.New(r.Err)
	}
	if r.Total > 0 {
		to.keep(r)
	}
	if !r.Start.IsZero() {
		to.place(r.Start)
	}
	if !h.seen {
		h.base = to.base // others may be reading it otherwise
	}
	h.past = to.past
	return nil
}

// place has time count on from the base, if there is one, and the present is not far
// from it nor before, and both are as plausible; otherwise from start, or from the
// present if that is far from start or before.
func (h *Log) place(start time.Time) {
	present := start.Add(h.last)
	if !h.seen {
		h.base, h.seen, h.plain = start, true, Believable(start)
	} else if at := start.Sub(h.base); Within(at) && ahead(h.last+at) && Believable(start) == Believable(h.base) {
		h.shift(at)
	} else {
		h.needMore().origin = &start
		h.plain = false
	}
	if !ahead(h.last) {
		h.moveOrigin(present)
	}
}

// ahead reports whether an offset is one that the last instant seen may have.
func ahead(offset time.Duration) bool { return 0 <= offset && offset <= Reach }

// keep makes a ring of the instants of the latest crashes, as many as a policy
// may ask for.
func (h *Log) keep(r Record) {
	crashes := r.Crashes
	m := h.needMore()
	m.depth = r.Depth
	length := minRing
	for length < len(crashes) {
		length *= 2
	}
	if length > minRing {
		m.depth = max(m.depth, uint32(len(crashes)))
		h.resize(length)
	}
	for i, at := range crashes {
		m.put(h.crashes-uint64(len(crashes)-i), at)
	}
}

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
	fault(r.Total > maxTotal, "total (%d) is above %d", r.Total, maxTotal)
	fault(uint64(len(r.Crashes)) > r.Total, "there are more crashes (%d) than the total (%d)", len(r.Crashes), r.Total)
	fault(len(r.Crashes) > MaxLookBack, "there are more crashes (%d) than the %d that are ever kept", len(r.Crashes), MaxLookBack)
	fault(r.Crashed && r.Total == 0, "crashed is set, but total is 0")
	fault(r.Start.IsZero() && (r.Total > 0 || r.Running || r.Now != 0), "start is missing")
	fault(r.Running && r.Began > r.Now, "began (%v) is after now (%v)", r.Began, r.Now)
	fault(r.Ran < 0, "ran (%v) is negative", r.Ran)
	fault(r.LastDelay < 0, "last_delay (%v) is negative", r.LastDelay)
	fault(r.Now < -2*Reach || r.Now > 2*Reach, "now (%v) is more than 36 years from start", r.Now)
	fault(r.Running && r.Began < -2*Reach, "began (%v) is more than 36 years before start", r.Began)
	at := -2 * Reach
	for i, crash := range r.Crashes {
		fault(crash < at || crash > r.Now, "crash %d (%v) is out of order, after now (%v), or more than 36 years before start", i+1, crash, r.Now)
		at = crash
	}
	return errors.Join(faults...)
}
