package history_test

import (
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

func date(year int) time.Time { return time.Date(year, time.March, 4, 5, 6, 7, 8, time.UTC) }

// oddities are instants that a set clock does not show.
var oddities = map[string]time.Time{
	"zero time":         {},
	"before year 1":     date(-3),
	"long before":       date(-200_000),
	"1970":              time.Unix(0, 0),
	"1980":              date(1980),
	"1989":              time.Date(1989, time.December, 31, 23, 59, 59, 999_999_999, time.UTC),
	"2200":              time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC),
	"9999":              time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC),
	"20000":             date(20_000),
	"long after":        date(200_000),
	"beyond arithmetic": time.Unix(math.MaxInt64, 999_999_999),
	"before arithmetic": time.Unix(math.MinInt64, 0),
}

func TestBelievable(t *testing.T) {
	for name, now := range oddities {
		if history.Believable(now) {
			t.Errorf("%s: believable", name)
		}
	}
	for _, now := range []time.Time{date(1990), date(2026), date(2199), time.Now()} {
		if !history.Believable(now) {
			t.Errorf("%v: not believable", now)
		}
	}
}

func TestKeepsTheMonotonicClock(t *testing.T) {
	var h history.Log
	now := time.Now()
	h.ObserveCrash(now, errCrash)
	if got := h.View().Now(); got != now {
		t.Errorf("Now = %v, want %v, with its monotonic reading and location", got, now)
	}
	if got := h.Time(h.Offset(now.Add(5))); got != now.Add(5) {
		t.Errorf("Time(Offset) = %v, want the same", got)
	}
}

// A wall clock without a monotonic reading, in the middle of readings with one, is
// as good as these.
func TestMixesWallAndMonotonicClocks(t *testing.T) {
	var h history.Log
	now := time.Now()
	h.ObserveStart(now)
	h.ObserveCrash(now.Round(0).Add(time.Second), errCrash)
	h.ObserveStart(now.Add(2 * time.Second))
	h.ObserveCrash(now.Add(3*time.Second).UTC(), errCrash)
	if got := h.View().Span(2); (got - 2*time.Second).Abs() > time.Millisecond {
		t.Errorf("span of 2 = %v, want about 2s", got)
	}
}

// One odd instant in a healthy life counts as the last one, and all goes on.
func TestOneOddInstantChangesNothing(t *testing.T) {
	for name, odd := range oddities {
		for event := range 4 {
			healthy, h := new(history.Log), new(history.Log)
			for _, log := range []*history.Log{healthy, h} {
				log.Seed(1)
				instants := []time.Time{at(0), at(10), at(20), at(30)}
				if log == h {
					instants[event] = odd
				} else if event > 0 {
					instants[event] = instants[event-1]
				}
				log.ObserveStart(instants[0])
				log.ObserveCrash(instants[1], errCrash)
				loop(log, 100)
				log.ObserveStart(instants[2])
				log.ObserveCrash(instants[3], errCrash)
				if event > 0 || log == healthy {
					loop(log, 100)
				}
			}
			if event == 0 { // from a clock that was set: no time has passed
				wantOddStart(t, name, h)
				continue
			}
			a, b := healthy.View(), h.View()
			if !a.Now().Equal(b.Now()) || a.Ran() != b.Ran() || a.Looping() != b.Looping() || a.Span(2) != b.Span(2) || a.LastDelay() != b.LastDelay() || !h.Plain() {
				t.Errorf("%s as event %d: now %v, ran %v, looping %t, span %v, held %v; want %v, %v, %t, %v, %v", name, event,
					b.Now(), b.Ran(), b.Looping(), b.Span(2), b.LastDelay(), a.Now(), a.Ran(), a.Looping(), a.Span(2), a.LastDelay())
			}
		}
	}
}

func wantOddStart(t *testing.T, name string, h *history.Log) {
	t.Helper()
	v := h.View()
	if !v.Now().Equal(at(30)) || v.Ran() != sec(10) || !v.Looping() || v.Span(2) != sec(20) || h.Plain() {
		t.Errorf("%s as the first: now %v, ran %v, looping %t, span %v, plain %t; want 30, 10s, true, 20s, false",
			name, v.Now(), v.Ran(), v.Looping(), v.Span(2), h.Plain())
	}
	if _, end := loop(h, 100); !h.Time(end).Equal(at(130)) || h.LastDelay() != sec(100) {
		t.Errorf("%s as the first: held for %v until %v, want 100s until 130", name, h.LastDelay(), h.Time(end))
	}
	if r := h.Record(); r.Validate() != nil {
		t.Errorf("%s as the first: its record is refused: %v", name, r.Validate())
	}
}

// A task that knows nothing but odd instants lives by them.
func TestOddClocksTickAsOthersDo(t *testing.T) {
	for name, odd := range oddities {
		var h history.Log
		tick := func(seconds float64) time.Time { return odd.Add(sec(seconds)) }
		h.ObserveStart(tick(0))
		h.ObserveCrash(tick(5), errCrash)
		_, end := restart(&h, 7)
		h.ObserveStart(tick(12))
		h.ObserveCrash(tick(20), errCrash)
		v := h.View()
		if v.Ran() != sec(8) || v.Span(2) != sec(15) || h.Offset(tick(12)) != end || !v.Now().Equal(tick(20)) {
			t.Errorf("%s: ran %v, span %v, now %v", name, v.Ran(), v.Span(2), v.Now())
		}
	}
}

func TestClockThatIsSet(t *testing.T) {
	for name, to := range map[string]time.Time{
		"back by 30 years":     date(1996),
		"back by 10 years":     date(2016),
		"back by two days":     start.AddDate(0, 0, -2),
		"ahead by 30 years":    date(2056),
		"ahead by 18.5 years":  start.Add(history.Reach + 80*24*time.Hour),
		"back by 18.5 years":   start.Add(-history.Reach - 80*24*time.Hour),
		"ahead by a century":   date(2126),
		"ahead, hardly so far": start.Add(history.Reach + time.Hour),
	} {
		var h history.Log
		h.ObserveStart(at(0))
		h.ObserveCrash(at(10), errCrash)
		loop(&h, 100)
		h.ObserveStart(at(20))
		h.ObserveCrash(to, errCrash)
		v := h.View()
		if !v.Now().Equal(to) || v.Span(2) != sec(10) || v.Ran() != 0 || !v.Looping() {
			t.Errorf("%s: now %v, span %v, ran %v, looping %t; want the new time, 10s, 0, true", name, v.Now(), v.Span(2), v.Ran(), v.Looping())
		}
		loop(&h, 100)
		h.ObserveCrash(to.Add(sec(101)), errCrash)
		if v.Looping() || v.Span(2) != sec(101) || v.Span(3) != sec(111) {
			t.Errorf("%s: looping %t, spans %v, %v; want false, 101s, 111s", name, v.Looping(), v.Span(2), v.Span(3))
		}
	}
}

// What comes up to a day late counts as the last instant seen.
func TestLateNews(t *testing.T) {
	for _, late := range []time.Duration{1, time.Hour, 24*time.Hour - sec(10)} {
		var h history.Log
		h.ObserveCrash(at(10), errCrash)
		loop(&h, 100)
		h.ObserveCrash(at(0).Add(-late), errCrash)
		if v := h.View(); !v.Now().Equal(at(10)) || v.Span(2) != 0 || !v.Looping() || !h.Plain() {
			t.Errorf("%v late: now %v, span %v, looping %t, plain %t; want 10, 0, true, true", late, v.Now(), v.Span(2), v.Looping(), h.Plain())
		}
	}
}

// A clock that is set for the first time moves the origin, so that odd instants can be
// told from the healthy ones that follow. The time that has passed still counts.
func TestClockThatIsSetForTheFirstTime(t *testing.T) {
	set := time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC)
	unset := time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name     string
		from, to time.Time
		wantSpan time.Duration
	}{
		{"forth", set.Add(-1), set.Add(30 * time.Second), 30*time.Second + 1},
		{"back", unset, unset.Add(-time.Second), 0},
	} {
		var h history.Log
		h.ObserveCrash(test.from, errCrash)
		h.ObserveCrash(test.to, errCrash)
		v := h.View()
		if !v.Now().Equal(test.to) || !h.Origin().Equal(test.to) || v.Span(2) != test.wantSpan || h.Plain() {
			t.Errorf("%s: now %v, origin %v, span %v, plain %t; want %v, the same, %v, false",
				test.name, v.Now(), h.Origin(), v.Span(2), h.Plain(), test.to, test.wantSpan)
		}
		if got := h.Offset(date(9999)); got != math.MinInt64 {
			t.Errorf("%s: the year 9999 is at %v, want it before all else", test.name, got)
		}
	}
}

// A task that lives for longer than 18 years keeps its time.
func TestOrdinaryLifeOfCenturies(t *testing.T) {
	const year = 365 * 24 * time.Hour
	var h history.Log
	now := date(1995)
	h.ObserveStart(now)
	for i := range 400 { // to 2195
		now = now.Add(year / 2)
		h.ObserveCrash(now, errCrash)
		v := h.View()
		if !v.Now().Equal(now) || i > 0 && v.Span(2) != year/2 || v.Ran() != year/2 {
			t.Fatalf("year %v: now %v, span %v, ran %v", now, v.Now(), v.Span(2), v.Ran())
		}
		if _, end := loop(&h, 60); !h.Time(end).Equal(now.Add(time.Minute)) {
			t.Fatalf("year %v: held until %v, want a minute", now, h.Time(end))
		}
		h.ObserveStart(now)
	}
	if h.Plain() || !h.Base().Equal(date(1995)) {
		t.Errorf("plain %t, base %v; want false, and the first instant", h.Plain(), h.Base())
	}
}

func TestOffset(t *testing.T) {
	var h history.Log
	h.ObserveStart(start)
	for name, odd := range oddities {
		if got := h.Offset(odd); got != math.MinInt64 {
			t.Errorf("%s: offset %v, want one before all else", name, got)
		}
	}
	for now, want := range map[time.Time]time.Duration{
		start:                        0,
		at(5):                        sec(5),
		at(-5):                       sec(-5),
		start.Add(history.Reach):     history.Reach,
		start.Add(2 * history.Reach): 2 * history.Reach,
	} {
		if got := h.Offset(now); got != want {
			t.Errorf("%v: offset %v, want %v", now, got, want)
		}
	}
	for _, other := range []time.Time{start.Add(-history.Reach - 1), date(1995)} { // the clock was set
		if got := h.Offset(other); got != math.MaxInt64 {
			t.Errorf("%v: offset %v, want one after all else", other, got)
		}
	}
	var far history.Log
	far.ObserveStart(date(9999))
	if got := far.Offset(start); got != math.MaxInt64 {
		t.Errorf("%v, from the year 9999: offset %v, want one after all else", start, got)
	}
	var odd history.Log
	odd.ObserveStart(time.Time{})
	if got := odd.Offset(time.Time{}.Add(time.Second)); got != time.Second {
		t.Errorf("of a log that began at the zero time: offset %v, want 1s", got)
	}
}

// A record can express any origin, and what follows is as far apart as before.
func TestRecordOfOddOrigins(t *testing.T) {
	for name, odd := range oddities {
		var h, loaded history.Log
		h.ObserveStart(odd)
		h.ObserveCrash(odd.Add(time.Second), errCrash)
		h.View().Span(8)
		restart(&h, 1)
		h.ObserveCrash(odd.Add(3*time.Second), errCrash)
		r := h.Record()
		if year := r.Start.Year(); year < 1 || year > 9999 || r.Start.IsZero() {
			t.Errorf("%s: it starts %v, which a file cannot express", name, r.Start)
		}
		load(t, &loaded, r)
		wantSpans(t, loaded.View().Span, map[int]float64{1: 0, 2: 2, 3: none})
		if name == "zero time" && !loaded.View().Now().Equal(odd.Add(3*time.Second)) {
			t.Errorf("zero time: now %v, want the same instant", loaded.View().Now())
		}
	}
}
