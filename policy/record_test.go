package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// eventful is a history with something in every field of its record.
func eventful() *policy.History {
	h := new(policy.History)
	h.Seed(7)
	h.ObserveStart(at(0))
	for i := range 3 {
		h.ObserveCrash(at(float64(i+2)), errCrash)
		h.Since(12)
		h.Apply(loop(10))
	}
	h.ObserveStart(at(5))
	h.ObserveCrash(at(9), errConfig)
	h.Since(2)
	h.ObserveStart(at(9.5))
	return h
}

func eventfulRecord() policy.Record {
	return policy.Record{
		Start: at(0), Now: sec(9.5), Running: true, Began: sec(9.5), Ran: sec(4),
		Err: errConfig.Error(), Crashed: true, Crashes: []time.Duration{sec(2), sec(3), sec(4), sec(9)},
		Total: 4, Streak: 4, LastDelay: sec(10), Looped: true, LoopEnd: sec(14), Depth: 12, Seed: 7,
	}
}

const eventfulJSON = `{"start":"2026-01-02T03:04:05Z","now":"9.5s","running":true,"began":"9.5s","ran":"4s",` +
	`"error":"bad configuration","crashed":true,"crashes":["2s","3s","4s","9s"],"total":4,"streak":4,` +
	`"last_delay":"10s","looped":true,"loop_end":"14s","depth":12,"seed":7}`

func TestRecord(t *testing.T) {
	if got, want := eventful().Record(), eventfulRecord(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if got := new(policy.History).Record(); !reflect.DeepEqual(got, policy.Record{}) {
		t.Errorf("of nothing: %+v, want the zero Record", got)
	}
}

func TestRecordHasNoMonotonicReading(t *testing.T) {
	var h policy.History
	h.ObserveStart(time.Now())
	if got := h.Record().Start; got != got.Round(0) {
		t.Errorf("Start = %v, want it without", got)
	}
}

func TestRecordOfAnErrorThatPanics(t *testing.T) {
	var h policy.History
	h.ObserveCrash(at(0), rude{})
	if got, want := h.Record().Err, "policy_test.rude, whose Error method panics"; got != want {
		t.Errorf("Err = %q, want %q", got, want)
	}
}

func TestLoad(t *testing.T) {
	h := new(policy.History)
	if err := h.Load(eventfulRecord()); err != nil {
		t.Fatal(err)
	}
	if got, want := h.Record(), eventfulRecord(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	// From here on, it does what the one it was made of does.
	for i, k := range []*policy.History{eventful(), h} {
		k.ObserveCrash(at(11), errCrash)
		if !k.Looping() || k.Ran() != sec(1.5) || k.Streak() != 5 {
			t.Errorf("history %d: %+v", i, k.Record())
		}
		wantSince(t, k, map[int]float64{1: 0, 2: 2, 4: 8, 5: 9, 6: none})
		k.Apply(hold(1))
		k.ObserveCrash(at(14), errCrash)
		if k.Looping() || k.Streak() != 1 {
			t.Errorf("history %d, after the hold: %+v", i, k.Record())
		}
	}
	if a, b := eventful().Rand(), h.Rand(); a == b {
		t.Error("the draw is the same for another crash")
	}
}

func TestLoadOfNothing(t *testing.T) {
	h := eventful()
	if err := h.Load(policy.Record{}); err != nil {
		t.Fatal(err)
	}
	if h.Streak() != 0 || h.Err() != nil || h.Running() || h.Crashes() != 0 || !h.Now().Equal(at(0)) {
		t.Errorf("%+v, want no more than where it began", h.Record())
	}
	h.ObserveCrash(at(1), errCrash)
	wantSince(t, h, map[int]float64{1: 0, 2: none})
}

// The next crash does not take the place of the oldest that is known, where a
// policy looks that far.
func TestLoadLeavesRoomForTheNextCrash(t *testing.T) {
	r := policy.Record{Start: at(0), Now: sec(7), Err: "x", Crashed: true, Total: 9, Streak: 9, Depth: 9, Seed: 1}
	for i := range 8 {
		r.Crashes = append(r.Crashes, sec(float64(i)))
	}
	var h policy.History
	if err := h.Load(r); err != nil {
		t.Fatal(err)
	}
	h.ObserveCrash(at(8), errCrash)
	wantSince(t, &h, map[int]float64{9: 8, 10: none})
}

func TestLoadOfMoreThanIsKept(t *testing.T) {
	r := policy.Record{Start: at(0), Now: sec(99), Err: "x", Crashed: true, Total: 300, Streak: 200, Seed: 1}
	for i := range 100 {
		r.Crashes = append(r.Crashes, sec(float64(i)))
	}
	var h policy.History
	if err := h.Load(r); err != nil {
		t.Fatal(err)
	}
	wantSince(t, &h, map[int]float64{1: 0, 100: 99, 101: none, 200: none})
	h.ObserveCrash(at(100), errCrash)
	wantSince(t, &h, map[int]float64{1: 0, 101: 100, 102: none})
	if h.Streak() != 201 {
		t.Errorf("streak = %d, want 201", h.Streak())
	}
}

// A history that has seen an instant goes on counting from that one: what its
// owner has reckoned by Offset stays right.
func TestLoadRebases(t *testing.T) {
	for _, base := range []float64{-1000, 3, 1000} {
		var h policy.History
		h.ObserveStart(at(base))
		if err := h.Load(eventfulRecord()); err != nil {
			t.Fatal(err)
		}
		if got := h.Time(0); !got.Equal(at(base)) {
			t.Errorf("base %v: it counts from %v", base, got)
		}
		if !h.Now().Equal(at(9.5)) || h.Time(h.Record().LoopEnd) != at(14) || h.Time(h.Record().Began) != at(9.5) {
			t.Errorf("base %v: now %v, %+v", base, h.Now(), h.Record())
		}
		wantSince(t, &h, map[int]float64{1: 0.5, 2: 5.5, 3: 6.5, 4: 7.5, 5: none})
		h.ObserveCrash(at(11), errCrash)
		if !h.Looping() || h.Ran() != sec(1.5) {
			t.Errorf("base %v: Looping = %t, ran %v; want true, 1.5s", base, h.Looping(), h.Ran())
		}
		wantSince(t, &h, map[int]float64{1: 0, 2: 2, 5: 9})
		if _, end := h.Apply(hold(50)); !h.Time(end).Equal(at(61)) {
			t.Errorf("base %v: held until %v, want 61", base, h.Time(end))
		}
	}
}

func TestLoadRebasesWhatHasNoEnd(t *testing.T) {
	r := eventfulRecord()
	r.LoopEnd = math.MaxInt64
	for _, base := range []float64{-1000, 1000} {
		var h policy.History
		h.ObserveStart(at(base))
		if err := h.Load(r); err != nil {
			t.Fatal(err)
		}
		h.ObserveCrash(at(11), errCrash)
		if verdict, end := h.Apply(hold(1)); verdict != policy.CrashLooping || end != math.MaxInt64 {
			t.Errorf("base %v: %v until %v, want a crash loop without end", base, verdict, end)
		}
		if h.LastDelay() < math.MaxInt64-sec(2000) {
			t.Errorf("base %v: LastDelay = %v, want one without end", base, h.LastDelay())
		}
	}
}

// Centuries are too much for the arithmetic, which must not take them for less.
func TestLoadRebasesByCenturies(t *testing.T) {
	for _, year := range []int{1, 1700, 2300, 9000} {
		var h policy.History
		h.ObserveStart(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		if err := h.Load(eventfulRecord()); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			h.ObserveCrash(time.Date(year, 1, 1, 0, i, 0, 0, time.UTC), errCrash)
			last := time.Duration(0)
			for k := range h.Streak() {
				since, ok := h.Since(k + 1)
				if !ok || since < last {
					t.Errorf("year %d: Since(%d) = %v, %t after %v", year, k+1, since, ok, last)
				}
				last = since
			}
			if h.Ran() < 0 {
				t.Errorf("year %d: ran %v", year, h.Ran())
			}
			h.Apply(hold(1))
		}
	}
}

// A slate that is clean, after a crash: Forget counts that crash again.
func TestLoadAfterAForceRelease(t *testing.T) {
	h := eventful()
	h.Reset()
	var loaded policy.History
	if err := loaded.Load(h.Record()); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*policy.History{h, &loaded} {
		h.Forget()
		h.ObserveCrash(at(20), errCrash)
		if h.Streak() != 2 {
			t.Errorf("streak = %d, want 2", h.Streak())
		}
		wantSince(t, h, map[int]float64{1: 0, 3: none})
	}
}

// A record without a seed is as a task that has none: no two of them draw alike.
func TestLoadWithoutASeed(t *testing.T) {
	r := eventfulRecord()
	r.Seed = 0
	var one, other policy.History
	for _, h := range []*policy.History{&one, &other} {
		if err := h.Load(r); err != nil {
			t.Fatal(err)
		}
		h.ObserveCrash(at(11), errCrash)
	}
	if a, b := one.Record().Seed, other.Record().Seed; a == 0 || a == b {
		t.Errorf("seeds %d and %d, want two that are drawn", a, b)
	}
}

func TestRecordValidate(t *testing.T) {
	const far = math.MaxInt64/2 + 1
	for _, test := range []struct {
		name  string
		spoil func(r *policy.Record)
		want  string
	}{
		{"streak above total", func(r *policy.Record) { r.Streak = 5 }, "policy: record: streak (5) is above total (4)"},
		{"streak without bound", func(r *policy.Record) { r.Streak, r.Total = math.MaxUint64, math.MaxUint64 }, fmt.Sprintf("policy: record: streak (18446744073709551615) is above %d", math.MaxInt/2)},
		{"crashes above streak", func(r *policy.Record) { r.Streak = 3 }, "policy: record: there are more crashes (4) than the streak has (3)"},
		{"crash of none", func(r *policy.Record) { r.Total, r.Streak, r.Crashes = 0, 0, nil }, "policy: record: crashed is set, but total is 0"},
		{"no start", func(r *policy.Record) { r.Start = time.Time{} }, "policy: record: start is missing"},
		{"no start of a run", func(r *policy.Record) { *r = policy.Record{Running: true} }, "policy: record: start is missing"},
		{"no start of time", func(r *policy.Record) { *r = policy.Record{Now: 1} }, "policy: record: start is missing"},
		{"began too late", func(r *policy.Record) { r.Began = sec(10) }, "policy: record: began (10s) is after now (9.5s)"},
		{"began too early", func(r *policy.Record) { r.Began = -far }, "policy: record: began (-1281023h53m38.427387904s) is more than 146 years before start"},
		{"ran", func(r *policy.Record) { r.Ran = -1 }, "policy: record: ran (-1ns) is negative"},
		{"last delay", func(r *policy.Record) { r.LastDelay = -1 }, "policy: record: last_delay (-1ns) is negative"},
		{"now", func(r *policy.Record) { r.Now = far }, "policy: record: now (1281023h53m38.427387904s) is more than 146 years from start"},
		{"now, backwards", func(r *policy.Record) { *r = policy.Record{Start: start, Now: math.MinInt64} }, "policy: record: now (-2562047h47m16.854775808s) is more than 146 years from start"},
		{"order", func(r *policy.Record) { r.Crashes[2] = 1 }, "policy: record: crash 3 (1ns) is out of order, after now (9.5s), or more than 146 years before start"},
		{"future", func(r *policy.Record) { r.Crashes[3] = sec(10) }, "policy: record: crash 4 (10s) is out of order"},
		{"past", func(r *policy.Record) { r.Crashes[0] = -far }, "policy: record: crash 1 (-1281023h53m38.427387904s) is out of order"},
		{"too many", func(r *policy.Record) {
			r.Crashes = make([]time.Duration, 1<<20+1)
			r.Total, r.Streak = 1<<21, 1<<21
		}, "policy: record: there are more crashes (1048577) than the 1048576 that are ever kept"},
		{"two faults", func(r *policy.Record) { r.Ran, r.LastDelay = -1, -2 }, "policy: record: ran (-1ns) is negative\npolicy: record: last_delay (-2ns) is negative"},
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
				t.Errorf("the history is changed, to %+v", got)
			}
		})
	}
}

// What is at the limits of what is valid can go on from there.
func TestRecordAtItsLimits(t *testing.T) {
	const far = math.MaxInt64 / 2
	var h policy.History
	if err := h.Load(policy.Record{
		Start: start, Now: far, Running: true, Began: -far, Ran: math.MaxInt64, Err: "x", Crashed: true,
		Crashes: []time.Duration{-far, far}, Total: math.MaxUint64, Streak: math.MaxInt / 2,
		LastDelay: math.MaxInt64, Looped: true, LoopEnd: math.MinInt64, Depth: math.MaxUint32,
	}); err != nil {
		t.Fatal(err)
	}
	if since, ok := h.Since(2); !ok || since != math.MaxInt64-1 {
		t.Errorf("Since(2) = %v, %t, want the longest there is", since, ok)
	}
	h.ObserveCrash(start, errCrash)
	if h.Streak() != 1 || h.Crashes() != 0 || h.Ran() != math.MaxInt64-1 {
		t.Errorf("streak %d of %d, ran %v", h.Streak(), h.Crashes(), h.Ran())
	}
	wantSince(t, &h, map[int]float64{1: 0, 2: none})
}

func TestRecordJSON(t *testing.T) {
	for want, r := range map[string]policy.Record{eventfulJSON: eventfulRecord(), `{}`: {}} {
		text, err := json.Marshal(r)
		if err != nil || string(text) != want {
			t.Errorf("%s, %v\nwant %s", text, err, want)
		}
		var read policy.Record
		if err := json.Unmarshal(text, &read); err != nil || !reflect.DeepEqual(read, r) {
			t.Errorf("read back: %+v, %v\nwant %+v", read, err, r)
		}
	}
}

func TestRecordFromJSON(t *testing.T) {
	r := eventfulRecord()
	if err := json.Unmarshal([]byte(`{"from_the_future": 1, "total": 3}`), &r); err != nil || !reflect.DeepEqual(r, policy.Record{Total: 3}) {
		t.Errorf("%+v, %v, want no more than what is there, and what is unknown ignored", r, err)
	}
	for _, bad := range []string{`{"now": 5}`, `{"now": "5"}`, `{"total": -1}`, `{"start": "today"}`, `{"crashes": ["x"]}`, `[]`} {
		r := eventfulRecord()
		err := json.Unmarshal([]byte(bad), &r)
		if err == nil || !strings.HasPrefix(err.Error(), "policy: record: ") || !reflect.DeepEqual(r, eventfulRecord()) {
			t.Errorf("%s: %+v, %v", bad, r, err)
		}
	}
}

// The text of the error survives; which error it was does not.
func TestLoadKeepsTheTextOfTheError(t *testing.T) {
	var h policy.History
	if err := h.Load(eventfulRecord()); err != nil {
		t.Fatal(err)
	}
	if err := h.Err(); err == nil || err.Error() != errConfig.Error() || errors.Is(err, errConfig) {
		t.Errorf("Err = %v, want one of the same text", err)
	}
	var silent policy.History
	if err := silent.Load(policy.Record{Start: start, Crashed: true, Total: 1}); err != nil || silent.Err() == nil {
		t.Errorf("Load = %v, Err = %v; want a crash, though its error had no text", err, silent.Err())
	}
}

// TestRecordFromNull tells that a JSON null changes nothing, as encoding/json has
// it.
func TestRecordFromNull(t *testing.T) {
	r := policy.Record{Total: 3}
	if err := json.Unmarshal([]byte("null"), &r); err != nil || r.Total != 3 {
		t.Errorf("%v: %+v", err, r)
	}
	if err := r.UnmarshalJSON([]byte("null")); err != nil || r.Total != 3 {
		t.Errorf("called directly: %v: %+v", err, r)
	}
}
