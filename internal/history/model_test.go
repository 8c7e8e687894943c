package history_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/internal/history"
)

// model is a log written from the rules alone: it counts the time that has passed
// from the beginning on an axis of its own, knows all crashes there ever were, and
// takes instants for what clock.go says.
type model struct {
	clock, origin time.Time // the last instant seen; where time counts from
	now           time.Time // on the axis, where the task began at year 1

	crashes []time.Time // on the axis; zero where it is not known
	wiped   int         // of these, before the slate was last clean

	err            error
	running        bool
	began          time.Time
	ran, lastDelay time.Duration

	trips   int
	looping bool
	loopEnd time.Time
	endless bool // the crash loop's hold

	uncounted bool // the last end was not a crash after all, which may have cost the deepest instant
}

func newModel(now time.Time) *model {
	return &model{clock: now, origin: now, now: time.Time{}.Add(1)}
}

func far(a, b time.Time) bool { return a.Sub(b).Abs() > history.Reach }

func (m *model) see(now time.Time) {
	unset := !history.Believable(m.origin)
	switch passed := now.Sub(m.clock); {
	case passed < -24*time.Hour || passed > history.Reach:
		if unset || history.Believable(now) { // the clock was set
			m.origin, m.clock = now, now
		}
		return
	case passed > 0:
		m.now = m.now.Add(passed)
		m.clock = now
	}
	if unset && history.Believable(now) || far(m.clock, m.origin) {
		m.origin, m.clock = now, now
	}
}

func (m *model) end(now time.Time, err error) {
	m.see(now)
	m.ran = 0
	if m.running {
		m.ran = m.now.Sub(m.began)
	}
	m.running, m.looping, m.err = false, false, err
}

func (m *model) start(now time.Time) {
	m.see(now)
	m.running, m.began = true, m.now
}

func (m *model) crash(now time.Time, err error) {
	m.end(now, err)
	m.looping = m.trips > 0 && (m.endless || m.now.Before(m.loopEnd))
	m.crashes = append(m.crashes, m.now)
	m.uncounted = false
}

func (m *model) wipe() {
	m.wiped, m.lastDelay, m.trips, m.looping = len(m.crashes), 0, 0, false
}

func (m *model) reset() {
	m.wipe()
	clear(m.crashes)
}

// decision is what Apply takes.
type decision struct {
	verdict          uint8
	delay            time.Duration
	fresh, uncounted bool
}

func (m *model) apply(d decision) (verdict uint8, end time.Time, endless bool) {
	held := m.lastDelay
	if d.uncounted && m.err != nil {
		m.err, m.looping, m.uncounted = nil, false, true
		m.crashes = m.crashes[:len(m.crashes)-1]
		m.wiped = min(m.wiped, len(m.crashes))
	}
	if d.fresh {
		m.wipe()
		held = 0
		if m.err != nil {
			m.wiped--
		}
	}
	if d.verdict == history.GiveUp {
		return history.GiveUp, time.Time{}, true
	}
	verdict = d.verdict
	end, endless = m.now.Add(max(d.delay, 0)), d.delay == math.MaxInt64
	switch {
	case m.looping:
		verdict, endless = history.CrashLooping, endless || m.endless
		if end.Before(m.loopEnd) {
			end = m.loopEnd
		}
	case verdict != history.Restart:
		verdict = history.CrashLooping
		m.trips++
	}
	if verdict == history.CrashLooping {
		m.loopEnd, m.endless = end, endless
	}
	m.lastDelay = end.Sub(m.now)
	if d.uncounted {
		m.lastDelay = held
	}
	return verdict, end, endless
}

// saved is what a record has: all but Looping.
func (m *model) saved() {
	m.looping = false
	if m.origin.IsZero() {
		m.origin = m.origin.Add(1)
	}
}

// loadedInto is what a log makes of a record that has seen an instant already.
func (m *model) loadedInto(base time.Time) {
	switch {
	case !far(m.origin, base) && !far(m.clock, base) && !m.clock.Before(base) && history.Believable(m.origin) == history.Believable(base):
		m.origin = base
	case far(m.clock, m.origin) || m.clock.Before(m.origin):
		m.origin = m.clock
	}
}

func (m *model) span(k int, any bool) (time.Duration, bool) {
	if k < 1 || k > len(m.crashes) || !any && k > len(m.crashes)-m.wiped {
		return 0, false
	}
	at := m.crashes[len(m.crashes)-k]
	return m.now.Sub(at), !at.IsZero()
}

var (
	gaps   = []time.Duration{-time.Hour, -1, 0, 1, time.Second, time.Minute, time.Hour}
	leaps  = []time.Duration{-20 * year, -10 * year, year, 10 * year, 20 * year, 100 * year}
	delays = []time.Duration{-5, 0, 1, time.Second, time.Minute, time.Hour, 16 * year, math.MaxInt64}
)

const year = 365 * 24 * time.Hour

// TestModel has a log and the model see the same, and be asked the same.
func TestModel(t *testing.T) {
	odds := []time.Time{{}, time.Unix(0, 0), date(1995), date(2100), date(9999), date(20_000), date(-3)}
	rapid.Check(t, func(t *rapid.T) {
		depth := rapid.SampledFrom([]int{1, 5, 8, 9, 30, 64, 70, 150}).Draw(t, "depth")
		odd := rapid.Bool().Draw(t, "odd")
		clock := func(t *rapid.T, m *model) time.Time {
			switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); {
			case odd && kind == 0:
				return rapid.SampledFrom(odds).Draw(t, "instant")
			case odd && kind < 3:
				return m.clock.Add(rapid.SampledFrom(leaps).Draw(t, "leap"))
			}
			return m.clock.Add(rapid.SampledFrom(gaps).Draw(t, "gap"))
		}
		first := start
		if odd {
			first = rapid.SampledFrom(odds).Draw(t, "first")
		}
		h, m := new(history.Log), newModel(first)
		h.ObserveStart(first)
		m.start(first)

		crash := func(t *rapid.T) {
			now, err := clock(t, m), rapid.SampledFrom([]error{errCrash, errConfig}).Draw(t, "error")
			h.ObserveCrash(now, err)
			m.crash(now, err)
			h.View().SpanAny(depth)
		}
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				now := clock(t, m)
				h.ObserveStart(now)
				m.start(now)
			},
			"crash": crash,
			"crashes": func(t *rapid.T) {
				for range rapid.IntRange(1, 40).Draw(t, "crashes") {
					crash(t)
				}
			},
			"exit": func(t *rapid.T) {
				now := clock(t, m)
				h.ObserveCleanExit(now)
				m.end(now, nil)
			},
			"apply": func(t *rapid.T) { applyBoth(t, h, m) },
			"reset": func(*rapid.T) {
				h.Reset()
				m.reset()
			},
			"clone": func(*rapid.T) {
				old := h
				h = h.Clone()
				old.ObserveCrash(m.clock.Add(time.Hour), errConfig) // shows if they share anything
				wipe(old)
			},
			"save and load": func(t *rapid.T) {
				if year := m.origin.Year(); year < 1 || year > 9900 {
					return // the record is of another clock
				}
				h = reload(t, h, m)
			},
			"": func(t *rapid.T) { m.check(t, h, depth) },
		})
	})
}

func applyBoth(t *rapid.T, h *history.Log, m *model) {
	d := decision{
		rapid.SampledFrom([]uint8{0, 0, 0, 1, 1, 2, 3}).Draw(t, "verdict"),
		rapid.SampledFrom(delays).Draw(t, "delay"),
		rapid.IntRange(0, 9).Draw(t, "fresh") == 0,
		false,
	}
	if crashes := len(m.crashes); m.err == nil || crashes > 0 && !m.crashes[crashes-1].IsZero() {
		d.uncounted = rapid.IntRange(0, 9).Draw(t, "uncounted") == 0
	}
	verdict, end := apply(h, d.verdict, d.delay, d.fresh, d.uncounted)
	wantVerdict, wantEnd, endless := m.apply(d)
	if verdict != wantVerdict || (end == history.Never) != endless {
		t.Fatalf("Apply(%+v) = %d until %v, want %d, endless: %t", d, verdict, end, wantVerdict, endless)
	}
	if got, want := end-h.Last(), wantEnd.Sub(m.now); !endless && !same(got, want) {
		t.Fatalf("Apply(%+v) holds for %v, want %v", d, got, want)
	}
	if endless { // how much that is depends on where the log counts from
		m.lastDelay = h.LastDelay()
	}
}

// same compares distances; a log can tell those above 18 years from shorter ones,
// but not from each other.
func same(a, b time.Duration) bool { return a == b || a >= history.Reach && b >= history.Reach }

// reload returns a log that h's record was loaded into.
func reload(t *rapid.T, h *history.Log, m *model) *history.Log {
	r := h.Record()
	if err := r.Validate(); err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	loaded := new(history.Log)
	m.saved()
	if rapid.Bool().Draw(t, "into one that has seen an instant") {
		base := rapid.SampledFrom([]time.Time{{}, at(-5000), at(5000), date(2040), date(9999)}).Draw(t, "base")
		loaded.ObserveCrash(base, errConfig)
		m.loadedInto(base)
	}
	if err := loaded.Load(r); err != nil {
		t.Fatal(err)
	}
	return loaded
}

func (m *model) check(t *rapid.T, h *history.Log, depth int) {
	v := h.View()
	if got, want := v.Streak(), len(m.crashes)-m.wiped; got != want || v.Crashes() != uint64(len(m.crashes)) {
		t.Fatalf("streak = %d of %d, want %d of %d", got, v.Crashes(), want, len(m.crashes))
	}
	if !v.Now().Equal(m.clock) || v.Running() != m.running || !same(v.Ran(), m.ran) {
		t.Fatalf("now %v, running %t, ran %v; want %v, %t, %v", v.Now(), v.Running(), v.Ran(), m.clock, m.running, m.ran)
	}
	if got := v.Err(); (got == nil) != (m.err == nil) || got != nil && got.Error() != m.err.Error() {
		t.Fatalf("Err = %v, want %v", got, m.err)
	}
	if !same(v.LastDelay(), m.lastDelay) || v.Looping() != m.looping || v.Trips() != m.trips {
		t.Fatalf("LastDelay = %v, Looping = %t, Trips = %d; want %v, %t, %d", v.LastDelay(), v.Looping(), v.Trips(), m.lastDelay, m.looping, m.trips)
	}
	if x := v.Rand(0); x < 0 || x >= 1 {
		t.Fatalf("Rand = %v", x)
	}
	if r := h.Record(); r.Validate() != nil {
		t.Fatalf("its record is refused: %v", r.Validate())
	}
	// A copy is asked, since asking deeper makes room: the log itself is asked at
	// each crash at one depth, and so has all the answers.
	v = h.Clone().View()
	for k := range 2 * depth {
		for _, any := range []bool{false, true} {
			ask := v.Span
			if any {
				ask = v.SpanAny
			}
			want, known := m.span(k, any)
			got := ask(k)
			switch {
			case got == math.MaxInt64:
				if known && k <= depth && (k < depth || !m.uncounted) {
					t.Fatalf("span of %d (of any streak: %t) is not known, want %v", k, any, want)
				}
			case !known || !same(got, want):
				t.Fatalf("span of %d (of any streak: %t) = %v, want %v, known: %t", k, any, got, want, known)
			}
		}
	}
}
