package history_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// eventful is a log with something in every field of its record.
func eventful() *history.Log {
	h := new(history.Log)
	h.Seed(7)
	h.ObserveStart(at(0))
	for i := range 3 {
		h.ObserveCrash(at(float64(i+2)), errCrash)
		h.View().Span(12)
		loop(h, 10)
	}
	h.ObserveStart(at(5))
	h.ObserveCrash(at(9), errConfig)
	h.View().Span(2)
	h.ObserveStart(at(9.5))
	return h
}

func eventfulRecord() history.Record {
	return history.Record{
		Start: at(0), Now: sec(9.5), Running: true, Began: sec(9.5), Ran: sec(4),
		Err: errConfig.Error(), Crashed: true, Crashes: []time.Duration{sec(2), sec(3), sec(4), sec(9)},
		Total: 4, Streak: 4, LastDelay: sec(10), Trips: 1, LoopEnd: sec(14), Depth: 12, Seed: 7,
	}
}

func load(t testing.TB, h *history.Log, r history.Record) {
	t.Helper()
	if err := h.Load(r); err != nil {
		t.Fatal(err)
	}
}

func TestRecord(t *testing.T) {
	if got, want := eventful().Record(), eventfulRecord(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if got := new(history.Log).Record(); !reflect.DeepEqual(got, history.Record{}) {
		t.Errorf("of nothing: %+v, want the zero Record", got)
	}
}

func TestRecordHasNoMonotonicReading(t *testing.T) {
	var h history.Log
	h.ObserveStart(time.Now())
	if got := h.Record().Start; got != got.Round(0) {
		t.Errorf("Start = %v, want it without", got)
	}
}

func TestRecordOfErrors(t *testing.T) {
	const most = 8 << 10
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"panics":           {rude{}, "history_test.rude, whose Error method panics"},
		"long":             {errors.New(strings.Repeat("x", most+1)), strings.Repeat("x", most) + "…"},
		"long, cut at ü":   {errors.New(strings.Repeat("x", most-1) + "ü"), strings.Repeat("x", most-1) + "…"},
		"not quite long":   {errors.New(strings.Repeat("x", most)), strings.Repeat("x", most)},
		"not in UTF-8":     {errors.New("a\xffb"), "a\uFFFDb"},
		"without a text":   {errors.New(""), ""},
		"with line ends":   {errors.New("a\nb"), "a\nb"},
		"with a zero rune": {errors.New("a\x00b"), "a\x00b"},
	} {
		var h history.Log
		h.ObserveCrash(at(0), test.err)
		r := h.Record()
		if r.Err != test.want || !r.Crashed {
			t.Errorf("%s: %q (%d bytes), want %q (%d)", name, r.Err, len(r.Err), test.want, len(test.want))
		}
		var loaded history.Log
		load(t, &loaded, r)
		if err := loaded.Err(); err == nil || err.Error() != test.want {
			t.Errorf("%s: loaded as %v", name, err)
		}
	}
}

func TestLoad(t *testing.T) {
	h := new(history.Log)
	load(t, h, eventfulRecord())
	if got, want := h.Record(), eventfulRecord(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	// From here on it does what the one it was made of does.
	for i, h := range []*history.Log{eventful(), h} {
		h.ObserveCrash(at(11), errCrash)
		v := h.View()
		if !v.Looping() || v.Ran() != sec(1.5) || v.Streak() != 5 {
			t.Errorf("log %d: %+v", i, h.Record())
		}
		wantSpans(t, v.Span, map[int]float64{1: 0, 2: 2, 4: 8, 5: 9, 6: none})
		restart(h, 1)
		h.ObserveCrash(at(14), errCrash)
		if v.Looping() || v.Streak() != 6 || v.Trips() != 1 {
			t.Errorf("log %d, after the hold: %+v", i, h.Record())
		}
	}
	if a, b := eventful().View().Rand(0), h.View().Rand(0); a == b {
		t.Error("the draw is the same for another crash")
	}
}

func TestLoadOfNothing(t *testing.T) {
	h := eventful()
	load(t, h, history.Record{})
	v := h.View()
	if v.Streak() != 0 || v.Err() != nil || v.Running() || v.Crashes() != 0 || !v.Now().Equal(at(0)) {
		t.Errorf("%+v, want no more than where it began", h.Record())
	}
	h.ObserveCrash(at(1), errCrash)
	wantSpans(t, v.Span, map[int]float64{1: 0, 2: none})
}

// The next crash does not take the place of the oldest that is known, where a
// policy looks that far.
func TestLoadLeavesRoomForTheNextCrash(t *testing.T) {
	r := history.Record{Start: at(0), Now: sec(7), Err: "x", Crashed: true, Total: 9, Streak: 9, Depth: 9, Seed: 1}
	for i := range 8 {
		r.Crashes = append(r.Crashes, sec(float64(i)))
	}
	var h history.Log
	load(t, &h, r)
	h.ObserveCrash(at(8), errCrash)
	wantSpans(t, h.View().Span, map[int]float64{9: 8, 10: none})
}

func TestLoadOfManyCrashes(t *testing.T) {
	r := history.Record{Start: at(0), Now: sec(99), Err: "x", Crashed: true, Total: 300, Streak: 200, Seed: 1}
	for i := range 100 {
		r.Crashes = append(r.Crashes, sec(float64(i)))
	}
	var h history.Log
	load(t, &h, r)
	span := h.View().Span
	wantSpans(t, span, map[int]float64{1: 0, 100: 99, 101: none, 200: none})
	h.ObserveCrash(at(100), errCrash)
	wantSpans(t, span, map[int]float64{1: 0, 101: 100, 102: none})
	if h.Streak() != 201 {
		t.Errorf("streak = %d, want 201", h.Streak())
	}
}

// A record has the crashes of before a clean slate, too: MaxCrashes counts them.
func TestRecordKeepsTheCrashesOfAnyStreak(t *testing.T) {
	var h, loaded history.Log
	crashes(&h, 0, 5)
	h.View().SpanAny(20)
	wipe(&h)
	load(t, &loaded, h.Record())
	loaded.ObserveCrash(at(5), errCrash)
	wantSpans(t, loaded.View().Span, map[int]float64{2: 1, 3: none})
	wantSpans(t, loaded.View().SpanAny, map[int]float64{2: 1, 3: 2, 6: 5, 7: none})
}

// A record is as long as a policy looks back, or 8 crashes, in however many lives.
func TestRecordDoesNotGrowFromLifeToLife(t *testing.T) {
	for _, depth := range []int{0, 5, 8, 9, 100} {
		h := new(history.Log)
		for life := range 20 {
			for i := range 30 {
				h.ObserveCrash(at(float64(100*life+i)), errCrash)
				if depth > 0 {
					h.View().Span(depth)
				}
				restart(h, 0.5)
			}
			r := h.Record()
			if want := min(max(depth, 8), 30*(life+1)); len(r.Crashes) != want || int(r.Depth) != depth {
				t.Fatalf("depth %d, life %d: %d crashes, depth %d; want %d, %d", depth, life, len(r.Crashes), r.Depth, want, depth)
			}
			h = new(history.Log)
			load(t, h, r)
			if again := h.Record(); !reflect.DeepEqual(again, r) {
				t.Fatalf("depth %d, life %d: loaded as\n%+v\nwant\n%+v", depth, life, again, r)
			}
		}
	}
}

// A log that has seen an instant goes on counting from that one, unless the record ends
// before it: then it counts from where the record does.
func TestLoadRebases(t *testing.T) {
	for _, base := range []float64{-1000, 3, 1000} {
		var h history.Log
		h.ObserveStart(at(base))
		load(t, &h, eventfulRecord())
		from, plain := base, true
		if base > 9.5 {
			from, plain = 0, false
		}
		if got := h.Time(0); !got.Equal(at(from)) || !h.Base().Equal(at(base)) || h.Plain() != plain {
			t.Errorf("base %v: it counts from %v, plain: %t", base, got, h.Plain())
		}
		v := h.View()
		if !v.Now().Equal(at(9.5)) || h.Time(h.Record().LoopEnd) != at(14) || h.Time(h.Record().Began) != at(9.5) {
			t.Errorf("base %v: now %v, %+v", base, v.Now(), h.Record())
		}
		wantSpans(t, v.Span, map[int]float64{1: 0.5, 2: 5.5, 3: 6.5, 4: 7.5, 5: none})
		h.ObserveCrash(at(11), errCrash)
		if !v.Looping() || v.Ran() != sec(1.5) {
			t.Errorf("base %v: Looping = %t, ran %v; want true, 1.5s", base, v.Looping(), v.Ran())
		}
		wantSpans(t, v.Span, map[int]float64{1: 0, 2: 2, 5: 9})
		if _, end := restart(&h, 50); !h.Time(end).Equal(at(61)) {
			t.Errorf("base %v: held until %v, want 61", base, h.Time(end))
		}
	}
}

func TestLoadRebasesWhatHasNoEnd(t *testing.T) {
	r := eventfulRecord()
	r.LoopEnd = history.Never
	for _, base := range []time.Time{at(-1000), at(1000), {}, time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		var h history.Log
		h.ObserveStart(base)
		load(t, &h, r)
		h.ObserveCrash(at(11), errCrash)
		if verdict, end := restart(&h, 1); verdict != history.CrashLooping || end != history.Never {
			t.Errorf("base %v: verdict %d until %v, want a crash loop without end", base, verdict, end)
		}
		if h.LastDelay() < math.MaxInt64-sec(2000) {
			t.Errorf("base %v: LastDelay = %v, want one without end", base, h.LastDelay())
		}
	}
}

// Centuries are too much for the arithmetic, which must not take them for less: a
// log of another age takes the record's clock.
func TestLoadRebasesByCenturies(t *testing.T) {
	for _, year := range []int{-5, 1, 1700, 1970, 2300, 9000, 20000} {
		base := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		var h history.Log
		h.ObserveStart(base)
		load(t, &h, eventfulRecord())
		v := h.View()
		if !v.Now().Equal(at(9.5)) || !h.Base().Equal(base) {
			t.Errorf("year %d: now %v, base %v", year, v.Now(), h.Base())
		}
		h.ObserveCrash(at(11), errCrash)
		wantSpans(t, v.Span, map[int]float64{1: 0, 2: 2, 5: 9, 6: none})
		if !v.Looping() || v.Ran() != sec(1.5) {
			t.Errorf("year %d: Looping = %t, ran %v; want true, 1.5s", year, v.Looping(), v.Ran())
		}
	}
}

// A slate that is clean after a crash: a fresh decision counts that crash again.
func TestLoadAfterAForceRelease(t *testing.T) {
	h := eventful()
	h.Reset()
	var loaded history.Log
	load(t, &loaded, h.Record())
	for _, h := range []*history.Log{h, &loaded} {
		wipe(h)
		h.ObserveCrash(at(20), errCrash)
		if h.Streak() != 2 {
			t.Errorf("streak = %d, want 2", h.Streak())
		}
		wantSpans(t, h.View().Span, map[int]float64{1: 0, 2: none, 3: none})
	}
}

// A record without a seed is as a task that has none: no two of them draw alike.
func TestLoadWithoutASeed(t *testing.T) {
	r := eventfulRecord()
	r.Seed = 0
	var one, other history.Log
	for _, h := range []*history.Log{&one, &other} {
		load(t, h, r)
		h.ObserveCrash(at(11), errCrash)
	}
	if a, b := one.Record().Seed, other.Record().Seed; a == 0 || a == b {
		t.Errorf("seeds %d and %d, want two that are drawn", a, b)
	}
}

// The text of the error survives; which error it was does not.
func TestLoadKeepsTheTextOfTheError(t *testing.T) {
	var h history.Log
	load(t, &h, eventfulRecord())
	if err := h.Err(); err == nil || err.Error() != errConfig.Error() || errors.Is(err, errConfig) {
		t.Errorf("Err = %v, want one of the same text", err)
	}
}

func TestValidate(t *testing.T) {
	const far = 2*history.Reach + 1
	for _, test := range []struct {
		name  string
		spoil func(r *history.Record)
		want  string
	}{
		{"streak above total", func(r *history.Record) { r.Streak = 5 }, "policy: record: streak (5) is above total (4)"},
		{"total without bound", func(r *history.Record) { r.Streak, r.Total = math.MaxUint64, math.MaxUint64 }, fmt.Sprintf("policy: record: total (18446744073709551615) is above %d", math.MaxInt64/2)},
		{"crashes above total", func(r *history.Record) { r.Streak, r.Total = 3, 3 }, "policy: record: there are more crashes (4) than the total (3)"},
		{"crash of none", func(r *history.Record) { r.Total, r.Streak, r.Crashes = 0, 0, nil }, "policy: record: crashed is set, but total is 0"},
		{"no start", func(r *history.Record) { r.Start = time.Time{} }, "policy: record: start is missing"},
		{"no start of a run", func(r *history.Record) { *r = history.Record{Running: true} }, "policy: record: start is missing"},
		{"no start of time", func(r *history.Record) { *r = history.Record{Now: 1} }, "policy: record: start is missing"},
		{"began too late", func(r *history.Record) { r.Began = sec(10) }, "policy: record: began (10s) is after now (9.5s)"},
		{"began too early", func(r *history.Record) { r.Began = -far }, "policy: record: began (-320255h58m24.606846977s) is more than 36 years before start"},
		{"ran", func(r *history.Record) { r.Ran = -1 }, "policy: record: ran (-1ns) is negative"},
		{"last delay", func(r *history.Record) { r.LastDelay = -1 }, "policy: record: last_delay (-1ns) is negative"},
		{"now", func(r *history.Record) { r.Now = far }, "policy: record: now (320255h58m24.606846977s) is more than 36 years from start"},
		{"now, backwards", func(r *history.Record) { *r = history.Record{Start: start, Now: math.MinInt64} }, "policy: record: now (-2562047h47m16.854775808s) is more than 36 years from start"},
		{"order", func(r *history.Record) { r.Crashes[2] = 1 }, "policy: record: crash 3 (1ns) is out of order, after now (9.5s), or more than 36 years before start"},
		{"future", func(r *history.Record) { r.Crashes[3] = sec(10) }, "policy: record: crash 4 (10s) is out of order"},
		{"past", func(r *history.Record) { r.Crashes[0] = -far }, "policy: record: crash 1 (-320255h58m24.606846977s) is out of order"},
		{"too many", func(r *history.Record) {
			r.Crashes = make([]time.Duration, history.MaxLookBack+1)
			r.Total, r.Streak = 1<<21, 1<<21
		}, "policy: record: there are more crashes (1048577) than the 1048576 that are ever kept"},
		{"two faults", func(r *history.Record) { r.Ran, r.LastDelay = -1, -2 }, "policy: record: ran (-1ns) is negative\npolicy: record: last_delay (-2ns) is negative"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := eventfulRecord()
			test.spoil(&r)
			h := eventful()
			err := h.Load(r)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Load: %v\nwant: %s", err, test.want)
			}
			if got := h.Record(); !reflect.DeepEqual(got, eventfulRecord()) {
				t.Errorf("the log is changed, to %+v", got)
			}
		})
	}
}

// A record at the limits of what is valid can be loaded, and the task goes on.
func TestRecordAtItsLimits(t *testing.T) {
	const far = 2 * history.Reach
	for _, base := range []time.Time{{}, start, start.Add(history.Reach), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		for _, loopEnd := range []time.Duration{math.MinInt64, -far, 0, far, history.Never - 1, history.Never} {
			var h history.Log
			if !base.IsZero() {
				h.ObserveStart(base)
			}
			load(t, &h, history.Record{
				Start: start, Now: far, Running: true, Began: -far, Ran: math.MaxInt64, Err: "x", Crashed: true,
				Crashes: []time.Duration{-far, far}, Total: math.MaxInt64 / 2, Streak: math.MaxInt64 / 2,
				LastDelay: math.MaxInt64, Trips: math.MaxUint32, LoopEnd: loopEnd, Depth: math.MaxUint32,
			})
			v := h.View()
			if span := v.Span(2); span < far {
				t.Errorf("base %v: span of 2 = %v, want at least 36 years", base, span)
			}
			h.ObserveCrash(start, errCrash)
			if v.Streak() != math.MaxInt64/2+1 || v.Ran() < far {
				t.Errorf("base %v: streak %d, ran %v", base, v.Streak(), v.Ran())
			}
			if verdict, end := loop(&h, 1); verdict != history.CrashLooping || end < h.Last() {
				t.Errorf("base %v: verdict %d until %v", base, verdict, end)
			}
			if r := h.Record(); r.Validate() != nil {
				t.Errorf("base %v: its own record is refused: %v", base, r.Validate())
			}
		}
	}
}

// A first crash that is not counted leaves a record like that of a task without one.
func TestRecordOfAnUncountedCrash(t *testing.T) {
	var h history.Log
	h.ObserveStart(start)
	h.ObserveCrash(start, errCrash)
	h.View().Span(20)
	h.Apply(history.Restart, 0, false, true)
	first := h.Record()
	var next history.Log
	if err := next.Load(first); err != nil {
		t.Fatal(err)
	}
	if again := next.Record(); !reflect.DeepEqual(again, first) || first.Depth != 0 {
		t.Errorf("the record %+v becomes %+v", first, again)
	}
}
