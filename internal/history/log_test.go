package history_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

func TestLogOfNothing(t *testing.T) {
	for name, v := range map[string]history.View{
		"zero View":            {},
		"View of a zero Log":   new(history.Log).View(),
		"fresh zero View":      history.View{}.Fresh(),
		"fresh View of a zero": new(history.Log).View().Fresh(),
	} {
		if v.Err() != nil || v.Ran() != 0 || v.Streak() != 0 || v.Crashes() != 0 || !v.Now().IsZero() ||
			v.LastDelay() != 0 || v.Looping() || v.Running() || v.Trips() != 0 || v.Rehearsed() {
			t.Errorf("%s: it is not empty", name)
		}
		for _, span := range []func(int) time.Duration{v.Span, v.SpanAny} {
			wantSpans(t, span, map[int]float64{math.MinInt: none, -1: none, 0: none, 1: none, math.MaxInt: none})
		}
	}
	var h history.Log
	h.Reset()
	wipe(&h)
	if h.Streak() != 0 || h.Crashes() != 0 {
		t.Errorf("streak %d of %d crashes after a clean slate, want 0 of 0", h.Streak(), h.Crashes())
	}
}

func TestCrashes(t *testing.T) {
	var h history.Log
	h.ObserveStart(at(0))
	if !h.Running() {
		t.Error("Running = false after a start")
	}
	h.ObserveCrash(at(3), errCrash)
	v := h.View()
	if v.Running() || v.Ran() != sec(3) || v.Err() != errCrash || v.Streak() != 1 || v.Crashes() != 1 || !v.Now().Equal(at(3)) {
		t.Errorf("after a crash: %+v", h.Record())
	}
	wantSpans(t, v.Span, map[int]float64{-1: none, 0: none, 1: 0, 2: none, math.MaxInt: none, math.MinInt: none})
	restart(&h, 5)
	h.ObserveCrash(at(10), errConfig)
	if v.Ran() != 0 || v.Err() != errConfig || v.Streak() != 2 || v.LastDelay() != sec(5) {
		t.Errorf("after a crash of a run whose start was not seen: %+v", h.Record())
	}
	wantSpans(t, v.Span, map[int]float64{1: 0, 2: 7, 3: none})
	h.ObserveStart(at(11))
	wantSpans(t, v.Span, map[int]float64{1: 1, 2: 8, 3: none})
	h.ObserveCleanExit(at(13))
	if v.Err() != nil || v.Ran() != sec(2) || v.Streak() != 2 || v.Crashes() != 2 {
		t.Errorf("after a clean exit: %+v", h.Record())
	}
	wantSpans(t, v.Span, map[int]float64{1: 3, 2: 10, 3: none})
}

// A fresh decision wipes the slate, and the crash at hand is the first.
func TestFreshDecision(t *testing.T) {
	var h history.Log
	for i := range 3 {
		h.ObserveCrash(at(float64(i)), errCrash)
		loop(&h, 100)
	}
	v := h.View()
	if !v.Looping() || v.Trips() != 1 {
		t.Fatalf("Looping = %t, Trips = %d in the hold; want true, 1", v.Looping(), v.Trips())
	}
	for range 2 { // twice is once
		wipe(&h)
		if v.Streak() != 1 || v.LastDelay() != 0 || v.Looping() || v.Trips() != 0 || v.Crashes() != 3 || v.Err() != errCrash {
			t.Errorf("wiped: %+v", h.Record())
		}
		wantSpans(t, v.Span, map[int]float64{1: 0, 2: none})
		wantSpans(t, v.SpanAny, map[int]float64{1: 0, 2: 1, 3: 2, 4: none})
	}
	h.ObserveCrash(at(10), errCrash) // in a hold that is wiped
	if v.Streak() != 2 || v.Looping() {
		t.Errorf("streak = %d, Looping = %t; want 2, false", v.Streak(), v.Looping())
	}
	wantSpans(t, v.Span, map[int]float64{1: 0, 2: 8, 3: none})
	h.ObserveCleanExit(at(11))
	wipe(&h)
	if v.Streak() != 0 {
		t.Errorf("streak = %d after a clean exit, want 0", v.Streak())
	}
	wantSpans(t, v.Span, map[int]float64{1: none})
}

// What a fresh decision records is its own hold.
func TestFreshDecisionThatTrips(t *testing.T) {
	var h history.Log
	h.ObserveCrash(at(0), errCrash)
	loop(&h, 10)
	h.ObserveCrash(at(20), errCrash)
	if verdict, end := apply(&h, history.CrashLooping, sec(30), true, false); verdict != history.CrashLooping || end != sec(50) {
		t.Errorf("verdict %d until %v, want a crash loop until 50s", verdict, end)
	}
	if v := h.View(); v.Trips() != 1 || v.LastDelay() != sec(30) || v.Streak() != 1 {
		t.Errorf("Trips = %d, LastDelay = %v, streak %d; want 1, 30s, 1", v.Trips(), v.LastDelay(), v.Streak())
	}
}

// A fresh decision about a crash in the hold of a crash loop ends that loop, too.
func TestFreshDecisionInTheHold(t *testing.T) {
	var h history.Log
	h.ObserveCrash(at(0), errCrash)
	loop(&h, 1000)
	h.ObserveCrash(at(1), errCrash)
	if verdict, end := apply(&h, history.Restart, sec(5), true, false); verdict != history.Restart || end != sec(6) {
		t.Errorf("verdict %d until %v, want a restart at 6s", verdict, end)
	}
}

func TestUncountedDecision(t *testing.T) {
	var h history.Log
	crashes(&h, 0, 2)
	restart(&h, 5)
	h.ObserveStart(at(10))
	h.ObserveCrash(at(20), errConfig)
	draw := h.View().Rand(0)
	if verdict, end := apply(&h, history.Restart, sec(1), false, true); verdict != history.Restart || end != sec(21) {
		t.Errorf("verdict %d until %v, want a restart at 21s", verdict, end)
	}
	v := h.View()
	if v.Streak() != 2 || v.Crashes() != 2 || v.LastDelay() != sec(5) || v.Err() != nil || v.Ran() != sec(10) {
		t.Errorf("it is counted: %+v", h.Record())
	}
	wantSpans(t, v.Span, map[int]float64{1: 19, 2: 20, 3: none})
	h.ObserveCrash(at(30), errCrash)
	wantSpans(t, v.Span, map[int]float64{1: 0, 2: 29, 3: 30, 4: none})
	if got := v.Rand(0); got != draw {
		t.Errorf("the third crash draws %v, but drew %v when it was not counted", got, draw)
	}
}

// Ends that do not count leave what a policy looks back on as it was, however many
// there are and however far it looks.
func TestUncountedDecisionsLoseNoCrash(t *testing.T) {
	for _, depth := range []int{1, 7, 8, 9, 16, 64, 65, 100, 200} {
		var h, plain history.Log
		for i := range 3 * depth {
			for _, log := range []*history.Log{&h, &plain} {
				log.ObserveCrash(at(float64(10*i)), errCrash)
				restart(log, 1)
			}
			if got, want := h.View().Span(depth), plain.View().Span(depth); got != want {
				t.Fatalf("crash %d: the span of %d = %v, want %v", i+1, depth, got, want)
			}
			for k := range 3 {
				h.ObserveCrash(at(float64(10*i+k)), errConfig)
				h.View().Span(depth)
				h.Apply(history.Restart, 0, false, true)
			}
		}
	}
}

func TestUncountedDecisionInTheHold(t *testing.T) {
	var h history.Log
	h.ObserveCrash(at(0), errCrash)
	loop(&h, 100)
	h.ObserveCrash(at(10), errConfig)
	if verdict, end := apply(&h, history.Restart, 0, false, true); verdict != history.Restart || end != sec(10) {
		t.Errorf("verdict %d until %v, want a restart at once", verdict, end)
	}
	h.ObserveCrash(at(20), errCrash)
	if !h.View().Looping() {
		t.Error("Looping = false, want the next crash to be in the hold still")
	}
}

func TestUncountedCleanExit(t *testing.T) {
	var h history.Log
	h.ObserveCrash(at(0), errCrash)
	restart(&h, 5)
	h.ObserveCleanExit(at(10))
	h.Apply(history.Restart, sec(7), true, true)
	if v := h.View(); v.Streak() != 0 || v.Crashes() != 1 || v.LastDelay() != 0 {
		t.Errorf("%+v, want a clean slate and no hold", h.Record())
	}
}

func TestReset(t *testing.T) {
	var h history.Log
	crashes(&h, 0, 3)
	loop(&h, 100)
	h.Reset()
	v := h.View()
	if v.Streak() != 0 || v.LastDelay() != 0 || v.Trips() != 0 || v.Crashes() != 3 {
		t.Errorf("reset: %+v", h.Record())
	}
	wantSpans(t, v.Span, map[int]float64{1: none})
	wantSpans(t, v.SpanAny, map[int]float64{1: none, 3: none})
	h.ObserveCrash(at(3), errCrash)
	if v.Streak() != 1 || v.Looping() {
		t.Errorf("streak = %d, Looping = %t; want 1, false", v.Streak(), v.Looping())
	}
	wantSpans(t, v.SpanAny, map[int]float64{1: 0, 2: none})
}

func TestTimeThatRunsBackwards(t *testing.T) {
	var h history.Log
	v := h.View()
	h.ObserveStart(at(10))
	h.ObserveCrash(at(5), errCrash)
	if v.Ran() != 0 || !v.Now().Equal(at(10)) {
		t.Errorf("ran %v until %v, want 0 until the start", v.Ran(), v.Now())
	}
	h.ObserveStart(at(20))
	h.ObserveCrash(at(30), errCrash)
	h.ObserveStart(at(0)) // counts as 30
	h.ObserveCrash(at(31), errCrash)
	if v.Ran() != sec(1) {
		t.Errorf("ran %v, want 1s", v.Ran())
	}
	wantSpans(t, v.Span, map[int]float64{1: 0, 2: 1, 3: 21})
	if _, end := restart(&h, 5); h.Time(end) != at(36) || h.Offset(at(36)) != end {
		t.Errorf("held until %v, want 36", h.Time(end))
	}
}

func TestApply(t *testing.T) {
	for _, test := range []struct {
		name      string
		verdict   uint8
		hold      time.Duration
		want      uint8
		end, held time.Duration
	}{
		{"restart now", history.Restart, 0, history.Restart, sec(10), 0},
		{"hold", history.Restart, sec(5), history.Restart, sec(15), sec(5)},
		{"negative", history.Restart, -5, history.Restart, sec(10), 0},
		{"crash loop", history.CrashLooping, sec(5), history.CrashLooping, sec(15), sec(5)},
		{"unknown verdict", 9, 1, history.CrashLooping, sec(10) + 1, 1},
		{"forever", history.Restart, math.MaxInt64, history.Restart, history.Never, math.MaxInt64 - sec(10)},
		{"just too long", history.Restart, math.MaxInt64 - sec(10), history.Restart, history.Never, math.MaxInt64 - sec(10)},
		{"gives up", history.GiveUp, 5, history.GiveUp, history.Never, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var h history.Log
			h.ObserveStart(at(0))
			h.ObserveCrash(at(10), errCrash)
			if verdict, end := apply(&h, test.verdict, test.hold, false, false); verdict != test.want || end != test.end || h.LastDelay() != test.held {
				t.Errorf("verdict %d until %v, LastDelay %v; want %d until %v, %v", verdict, end, h.LastDelay(), test.want, test.end, test.held)
			}
		})
	}
}

// A crash in the hold of a crash loop renews that hold, or gives up, no less.
func TestApplyToACrashInTheHold(t *testing.T) {
	for _, test := range []struct {
		name    string
		verdict uint8
		hold    time.Duration
		want    uint8
		end     time.Duration
	}{
		{"restart", history.Restart, 0, history.CrashLooping, sec(100)},
		{"long restart", history.Restart, sec(500), history.CrashLooping, sec(510)},
		{"short loop", history.CrashLooping, sec(5), history.CrashLooping, sec(100)},
		{"long loop", history.CrashLooping, sec(500), history.CrashLooping, sec(510)},
		{"forever", history.Restart, math.MaxInt64, history.CrashLooping, history.Never},
		{"gives up", history.GiveUp, 0, history.GiveUp, history.Never},
	} {
		var h history.Log
		h.ObserveCrash(at(0), errCrash)
		loop(&h, 100)
		h.ObserveCrash(at(10), errCrash)
		verdict, end := apply(&h, test.verdict, test.hold, false, false)
		if verdict != test.want || end != test.end || h.View().Trips() != 1 {
			t.Errorf("%s: verdict %d until %v, trips %d; want %d until %v, 1", test.name, verdict, end, h.View().Trips(), test.want, test.end)
		}
	}
}

func TestTrips(t *testing.T) {
	var h history.Log
	for i, now := range []float64{0, 100, 200, 205, 300} { // 205 is in the hold of the third
		h.ObserveCrash(at(now), errCrash)
		loop(&h, 10)
		if got, want := h.View().Trips(), []int{1, 2, 3, 3, 4}[i]; got != want {
			t.Errorf("after the crash at %v: %d trips, want %d", now, got, want)
		}
	}
}

func TestTripsSaturate(t *testing.T) {
	var h history.Log
	if err := h.Load(history.Record{Start: start, Crashed: true, Total: 1, Streak: 1, Trips: math.MaxUint32}); err != nil {
		t.Fatal(err)
	}
	h.ObserveCrash(at(10), errCrash)
	loop(&h, 1)
	if got := h.View().Trips(); got != math.MaxUint16 {
		t.Errorf("Trips = %d, want the most there can be", got)
	}
}

func TestBeginInTheFuture(t *testing.T) {
	var h history.Log
	h.ObserveCrash(at(0), errCrash)
	_, end := restart(&h, 10)
	h.Begin(end)
	if h.Started() != sec(10) || !h.Running() {
		t.Errorf("started %v, running %t; want 10s, true", h.Started(), h.Running())
	}
	h.ObserveCrash(at(12), errCrash)
	if got := h.View().Ran(); got != sec(2) {
		t.Errorf("ran %v, want 2s", got)
	}
	h.Begin(history.Never)
	h.ObserveCrash(at(13), errCrash)
	if got := h.View().Ran(); got != 0 {
		t.Errorf("ran %v, want 0 for a run that was never to begin", got)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	for _, n := range []int{0, 3, 100} {
		var h history.Log
		for i := range n {
			h.ObserveCrash(at(float64(i)), errCrash)
			h.View().Span(100)
		}
		c := h.Clone()
		for i := range 200 {
			c.ObserveCrash(at(float64(1000+i)), errConfig)
			c.View().Span(200)
		}
		wipe(c)
		if h.Streak() != uint64(n) || n > 0 && !errors.Is(h.Err(), errCrash) {
			t.Errorf("%d crashes: the original changed: %+v", n, h.Record())
		}
		if n > 0 {
			wantSpans(t, h.View().Span, map[int]float64{1: 0, n: float64(n - 1), n + 1: none})
		}
	}
}

func TestRehearse(t *testing.T) {
	var h history.Log
	h.Rehearse()
	if !h.View().Rehearsed() || !h.View().Fresh().Rehearsed() || !h.Clone().View().Rehearsed() {
		t.Error("Rehearsed = false")
	}
}

func TestRand(t *testing.T) {
	draw := func(seed uint64, crashes int) float64 {
		var h history.Log
		h.Seed(seed)
		for range crashes {
			h.ObserveCrash(at(0), errCrash)
		}
		if v := h.View(); v.Rand(0) != v.Rand(0) || v.Rand(0) != v.Fresh().Rand(0) || v.Rand(0) == v.Rand(1) {
			t.Errorf("seed %d, crash %d: asked twice, it differs; or two salts draw the same", seed, crashes)
		}
		return h.View().Rand(0)
	}
	const bins, each = 10, 1000
	var count [bins]int
	for seed := range uint64(bins * each / 4) {
		for crash := range 4 {
			x := draw(seed+1, crash+1)
			if x < 0 || x >= 1 {
				t.Fatalf("Rand = %v, want [0, 1)", x)
			}
			count[int(x*bins)]++
		}
	}
	for i, n := range count { // the seeds are fixed, so this is no matter of luck
		if n < each*9/10 || n > each*11/10 {
			t.Errorf("%d draws in tenth %d, want about %d", n, i, each)
		}
	}
}

func TestRandOfCleanExits(t *testing.T) {
	var h history.Log
	h.Seed(1)
	seen := make(map[float64]bool)
	for i := range 100 {
		h.ObserveCleanExit(at(float64(i)))
		seen[h.View().Rand(0)] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d different draws of 100 clean exits, want 100", len(seen))
	}
}

func TestSeedIsDrawnWhenTheFirstRunEnds(t *testing.T) {
	for name, end := range map[string]func(h *history.Log){
		"crash":      func(h *history.Log) { h.ObserveCrash(at(1), errCrash) },
		"clean exit": func(h *history.Log) { h.ObserveCleanExit(at(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			var one, other, seeded history.Log
			seeded.Seed(7)
			for _, h := range []*history.Log{&one, &other, &seeded} {
				h.ObserveStart(at(0))
				end(h)
			}
			if a, b := one.Record().Seed, other.Record().Seed; a == 0 || b == 0 || a == b {
				t.Errorf("seeds %d and %d, want two that are drawn", a, b)
			}
			if got := seeded.Record().Seed; got != 7 {
				t.Errorf("seed = %d, want the 7 it was given", got)
			}
		})
	}
}

func TestCrashesAfterTheFirstDoNotAllocate(t *testing.T) {
	wantAllocs := func(want float64, what string, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(100, f); got != want {
			t.Errorf("%s: %v allocations, want %v", what, got, want)
		}
	}
	var h history.Log
	now := start
	wantAllocs(0, "runs before the first crash", func() {
		now = now.Add(time.Second)
		h.ObserveStart(now)
		h.ObserveCleanExit(now)
	})
	h.ObserveCrash(now, errCrash)
	wantAllocs(0, "crashes", func() {
		for range 20 {
			now = now.Add(time.Second)
			h.ObserveStart(now)
			h.ObserveCrash(now, errCrash)
			h.View().Span(5)
			h.Apply(history.Restart, 1, false, false)
		}
		wipe(&h)
	})
	wantAllocs(1, "the first crash", func() {
		var h history.Log
		for range 21 {
			h.ObserveCrash(now, errCrash)
		}
	})
}
