package policy_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestHistoryOfNothing(t *testing.T) {
	var h policy.History
	if h.Err() != nil || h.Ran() != 0 || h.Streak() != 0 || h.Crashes() != 0 || !h.Now().IsZero() ||
		h.LastDelay() != 0 || h.Looping() || h.Running() {
		t.Errorf("it is not empty: %+v", h.Record())
	}
	wantSince(t, &h, map[int]float64{-1: none, 0: none, 1: none, math.MaxInt: none})
	h.Forget()
	h.Reset()
	if h.Streak() != 0 {
		t.Errorf("streak = %d after Forget, want 0", h.Streak())
	}
}

// none stands for a crash that Since does not know of.
const none = -1

func wantSince(t testing.TB, h *policy.History, want map[int]float64) {
	t.Helper()
	for k, seconds := range want {
		got, ok := h.Since(k)
		if seconds == none {
			if ok || got != 0 {
				t.Errorf("Since(%d) = %v, %t, want 0, false", k, got, ok)
			}
		} else if !ok || got != sec(seconds) {
			t.Errorf("Since(%d) = %v, %t, want %vs", k, got, ok, seconds)
		}
	}
}

func TestHistoryOfCrashes(t *testing.T) {
	var h policy.History
	h.ObserveStart(at(0))
	if !h.Running() {
		t.Error("Running = false after a start")
	}
	h.ObserveCrash(at(3), errCrash)
	if h.Running() || h.Ran() != sec(3) || !errors.Is(h.Err(), errCrash) || h.Streak() != 1 || h.Crashes() != 1 || !h.Now().Equal(at(3)) {
		t.Errorf("after a crash: %+v", h.Record())
	}
	wantSince(t, &h, map[int]float64{-1: none, 0: none, 1: 0, 2: none, math.MaxInt: none, math.MinInt: none})
	h.Apply(hold(5))
	h.ObserveCrash(at(10), errConfig)
	if h.Ran() != 0 || !errors.Is(h.Err(), errConfig) || h.Streak() != 2 || h.LastDelay() != sec(5) {
		t.Errorf("after a crash of a run whose start was not seen: %+v", h.Record())
	}
	wantSince(t, &h, map[int]float64{1: 0, 2: 7, 3: none})
	h.ObserveStart(at(11))
	wantSince(t, &h, map[int]float64{1: 1, 2: 8, 3: none})
	h.ObserveCleanExit(at(13))
	if h.Err() != nil || h.Ran() != sec(2) || h.Streak() != 2 || h.Crashes() != 2 {
		t.Errorf("after a clean exit: %+v", h.Record())
	}
	wantSince(t, &h, map[int]float64{1: 3, 2: 10, 3: none})
}

func TestForget(t *testing.T) {
	var h policy.History
	for i := range 3 {
		h.ObserveCrash(at(float64(i)), errCrash)
		h.Apply(loop(100))
	}
	if !h.Looping() {
		t.Fatal("Looping = false in the hold")
	}
	for range 2 { // twice is once
		h.Forget()
		if h.Streak() != 1 || h.LastDelay() != 0 || h.Looping() || h.Crashes() != 3 || !errors.Is(h.Err(), errCrash) {
			t.Errorf("forgotten: %+v", h.Record())
		}
		wantSince(t, &h, map[int]float64{1: 0, 2: none})
	}
	h.ObserveCrash(at(10), errCrash) // in the hold that is forgotten
	if h.Streak() != 2 || h.Looping() {
		t.Errorf("streak = %d, Looping = %t; want 2, false", h.Streak(), h.Looping())
	}
	wantSince(t, &h, map[int]float64{1: 0, 2: 8, 3: none})
	h.ObserveCleanExit(at(11))
	h.Forget()
	if h.Streak() != 0 {
		t.Errorf("streak = %d after a clean exit, want 0", h.Streak())
	}
	wantSince(t, &h, map[int]float64{1: none})
}

func TestReset(t *testing.T) {
	var h policy.History
	h.ObserveCrash(at(0), errCrash)
	h.Apply(loop(100))
	h.Reset()
	if h.Streak() != 0 || h.LastDelay() != 0 || h.Crashes() != 1 {
		t.Errorf("reset: %+v", h.Record())
	}
	wantSince(t, &h, map[int]float64{1: none})
	h.ObserveCrash(at(1), errCrash)
	if h.Streak() != 1 || h.Looping() {
		t.Errorf("streak = %d, Looping = %t; want 1, false", h.Streak(), h.Looping())
	}
}

func TestTimeThatRunsBackwards(t *testing.T) {
	var h policy.History
	h.ObserveStart(at(10))
	h.ObserveCrash(at(5), errCrash)
	if h.Ran() != 0 || !h.Now().Equal(at(10)) {
		t.Errorf("ran %v until %v, want 0 until the start", h.Ran(), h.Now())
	}
	h.ObserveStart(at(20))
	h.ObserveCrash(at(30), errCrash)
	h.ObserveStart(at(0)) // counts as 30
	h.ObserveCrash(at(31), errCrash)
	if h.Ran() != sec(1) {
		t.Errorf("ran %v, want 1s", h.Ran())
	}
	wantSince(t, &h, map[int]float64{1: 0, 2: 1, 3: 21})
	if _, end := h.Apply(hold(5)); h.Time(end) != at(36) || h.Offset(at(36)) != end {
		t.Errorf("held until %v, want 36", h.Time(end))
	}
}

func TestApply(t *testing.T) {
	for _, test := range []struct {
		name     string
		decision policy.Decision
		verdict  policy.Verdict
		end      time.Duration
		delay    time.Duration
	}{
		{"restart now", hold(0), policy.Restart, sec(10), 0},
		{"hold", hold(5), policy.Restart, sec(15), sec(5)},
		{"negative", hold(-5), policy.Restart, sec(10), 0},
		{"crash loop", loop(5), policy.CrashLooping, sec(15), sec(5)},
		{"unknown verdict", policy.Decision{Verdict: 9, Delay: 1}, policy.CrashLooping, sec(10) + 1, 1},
		{"for ever", policy.Decision{Delay: math.MaxInt64}, policy.Restart, math.MaxInt64, math.MaxInt64 - sec(10)},
		{"gives up", policy.Decision{Verdict: policy.GiveUp, Delay: 5}, policy.GiveUp, math.MaxInt64, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var h policy.History
			h.ObserveStart(at(0))
			h.ObserveCrash(at(10), errCrash)
			if verdict, end := h.Apply(test.decision); verdict != test.verdict || end != test.end || h.LastDelay() != test.delay {
				t.Errorf("%v until %v, LastDelay %v; want %v until %v, %v", verdict, end, h.LastDelay(), test.verdict, test.end, test.delay)
			}
		})
	}
}

// A crash in the hold of a crash loop can renew it or be given up, no less.
func TestApplyToACrashInTheHold(t *testing.T) {
	for _, test := range []struct {
		decision policy.Decision
		verdict  policy.Verdict
		end      time.Duration
	}{
		{hold(0), policy.CrashLooping, sec(100)},
		{hold(500), policy.CrashLooping, sec(510)},
		{loop(5), policy.CrashLooping, sec(100)},
		{loop(500), policy.CrashLooping, sec(510)},
		{policy.Decision{Delay: math.MaxInt64}, policy.CrashLooping, math.MaxInt64},
		{giveUp, policy.GiveUp, math.MaxInt64},
	} {
		var h policy.History
		h.ObserveCrash(at(0), errCrash)
		h.Apply(loop(100))
		h.ObserveCrash(at(10), errCrash)
		if verdict, end := h.Apply(test.decision); verdict != test.verdict || end != test.end {
			t.Errorf("%v: %v until %v, want %v until %v", test.decision, verdict, end, test.verdict, test.end)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	var h policy.History
	for i := range 3 {
		h.ObserveCrash(at(float64(i)), errCrash)
	}
	c := h.Clone()
	for i := range 8 {
		c.ObserveCrash(at(float64(10+i)), errConfig)
	}
	c.Forget()
	if h.Streak() != 3 || !errors.Is(h.Err(), errCrash) {
		t.Errorf("the original changed: %+v", h.Record())
	}
	wantSince(t, &h, map[int]float64{1: 0, 2: 1, 3: 2, 4: none})
}

func TestHistoryKeepsTheMonotonicClock(t *testing.T) {
	var h policy.History
	now := time.Now()
	h.ObserveCrash(now, errCrash)
	if h.Now() != now {
		t.Errorf("Now = %v, want %v, with its monotonic reading and location", h.Now(), now)
	}
	if got := h.Time(h.Offset(now.Add(5))); got != now.Add(5) {
		t.Errorf("Time(Offset) = %v, want the same", got)
	}
	if got := h.Offset(now.Add(math.MaxInt64).Add(math.MaxInt64)); got != math.MaxInt64 {
		t.Errorf("Offset of an instant too far off = %v, want the longest", got)
	}
}

func TestRand(t *testing.T) {
	draw := func(seed uint64, crashes int) float64 {
		var h policy.History
		h.Seed(seed)
		for range crashes {
			h.ObserveCrash(at(0), errCrash)
		}
		if h.Rand() != h.Rand() {
			t.Errorf("seed %d, crash %d: asked twice, it differs", seed, crashes)
		}
		return h.Rand()
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

func TestSeedIsDrawnWhenTheFirstRunEnds(t *testing.T) {
	for name, end := range map[string]func(h *policy.History){
		"crash":      func(h *policy.History) { h.ObserveCrash(at(1), errCrash) },
		"clean exit": func(h *policy.History) { h.ObserveCleanExit(at(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			var one, other, seeded policy.History
			seeded.Seed(7)
			for _, h := range []*policy.History{&one, &other, &seeded} {
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
