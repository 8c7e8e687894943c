package gate_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// oddClock draws instants: those of a healthy clock, which never goes back, with a
// monotonic reading or without, and among them odd ones.
type oddClock struct {
	healthy time.Time
	odd     []time.Time
}

func drawOddClock(t *rapid.T) *oddClock {
	return &oddClock{
		healthy: rapid.SampledFrom([]time.Time{start, processStart, start.AddDate(-20, 0, 0)}).Draw(t, "healthy clock"),
		odd:     slices.Concat(oddInstants, unsaveableInstants),
	}
}

// processStart is what the clock of this process shows, with its monotonic reading.
var processStart = time.Now()

// draw returns an instant, and whether it is the healthy clock's.
func (c *oddClock) draw(t *rapid.T) (now time.Time, healthy bool) {
	switch rapid.IntRange(0, 3).Draw(t, "clock") {
	case 0:
		return rapid.SampledFrom(c.odd).Draw(t, "odd instant"), false
	case 1:
		years := rapid.IntRange(-12_000, 12_000).Draw(t, "years")
		if -1 <= years && years <= 1 {
			years = 2 // news of up to a day ago is late, not odd
		}
		return c.healthy.AddDate(years, 0, 0), false
	}
	c.healthy = c.healthy.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Hour)).Draw(t, "passed")))
	if rapid.Bool().Draw(t, "without monotonic reading") {
		return c.healthy.Round(0), true
	}
	return c.healthy, true
}

func shell(t *rapid.T, p policy.Policy) machine {
	return shells[rapid.IntRange(0, len(shells)-1).Draw(t, "shell")].fresh(p)
}

// Whatever instants come, each crash holds for the hour that the policy says, from
// the last instant seen: that of the crash, unless that counts as an earlier one. One
// that a healthy clock shows is always seen.
func TestOddInstantsNeverShortenOrLengthenAHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := shell(t, policy.Constant(time.Hour))
		clock := drawOddClock(t)
		t.Repeat(map[string]func(*rapid.T){
			"crash": func(t *rapid.T) {
				before := m.History().Now()
				now, healthy := clock.draw(t)
				s := m.ObserveCrash(now, errCrash)
				seen := m.History().Now()
				switch {
				case healthy && !seen.Equal(now):
					t.Fatalf("a crash at %v counts as one at %v", now, seen)
				case !seen.Equal(now) && !seen.Equal(before):
					t.Fatalf("a crash at %v, after %v, counts as one at %v", now, before, seen)
				case s.Phase() != gate.BackingOff || s != m.State() || !s.Until().Equal(seen.Add(time.Hour)):
					t.Fatalf("a crash at %v, seen at %v: %v, want a hold of an hour", now, seen, s)
				case m.Admissible(s.Until().Add(-1)) || !m.Admissible(s.Until()):
					t.Fatalf("%v: want it open from its end on, and not before", s)
				}
			},
			"start": func(t *rapid.T) {
				now, healthy := clock.draw(t)
				m.ObserveStart(now)
				if seen := m.History().Now(); healthy && !seen.Equal(now) {
					t.Fatalf("a start at %v counts as one at %v", now, seen)
				}
			},
			"try start":     func(t *rapid.T) { m.TryStart(first(clock.draw(t))) },
			"clean exit":    func(t *rapid.T) { m.ObserveCleanExit(first(clock.draw(t))) },
			"restart":       func(t *rapid.T) { m.ObserveRestart(first(clock.draw(t))) },
			"maybe release": func(t *rapid.T) { m.MaybeRelease(first(clock.draw(t))) },
			"": func(t *rapid.T) {
				h := m.History()
				if h.Ran() < 0 || h.Running() != m.Snapshot().History.Running {
					t.Fatalf("ran %v, running %t", h.Ran(), h.Running())
				}
				last := time.Duration(0)
				for k := range min(h.Streak(), 8) {
					since, ok := h.Since(k + 1)
					if ok && since < last {
						t.Fatalf("crash %d was %v ago, the one after it %v", k+1, since, last)
					}
					last = max(last, since)
				}
			},
		})
	})
}

func first[A, B any](a A, _ B) A { return a }

// What a clock shows that is not set never opens a hold of one that is, whatever came
// before that.
func TestOddInstantsNeverOpenAHealthyHold(t *testing.T) {
	unset := slices.DeleteFunc(slices.Concat(oddInstants, unsaveableInstants), func(odd time.Time) bool {
		return 1990 <= odd.Year() && odd.Year() < 2200
	})
	rapid.Check(t, func(t *rapid.T) {
		m := shell(t, policy.Constant(time.Hour))
		clock := drawOddClock(t)
		for range rapid.IntRange(0, 10).Draw(t, "events before") {
			now, _ := clock.draw(t)
			observe(m, rapid.Byte().Draw(t, "event")%kinds, now)
		}
		m.ForceRelease()
		held := m.ObserveCrash(clock.healthy, errCrash)
		for range rapid.IntRange(1, 10).Draw(t, "odd instants") {
			odd := rapid.SampledFrom(unset).Draw(t, "odd")
			if m.Admissible(odd) || held.Admissible(odd) || m.State().Admissible(odd) || m.MaybeRelease(odd) || m.TryStart(odd) {
				t.Fatalf("%v is open at %v", held, odd)
			}
			if rapid.Bool().Draw(t, "crash") {
				m.ObserveCrash(odd, errCrash)
			}
			if got := m.State(); got != held {
				t.Fatalf("%v makes %v of %v", odd, got, held)
			}
		}
		end := clock.healthy.Add(time.Hour)
		if m.Admissible(end.Add(-1)) || !m.Admissible(end) || !m.MaybeRelease(end) {
			t.Fatalf("%v does not end at %v", held, end)
		}
	})
}

// A gate that has only seen a clock that is not set does not wait for a year that may
// never come: once the clock is set, its task may start.
func TestHoldsOfAnUnsetClockEndWhenItIsSet(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		for _, odd := range slices.Concat(oddInstants, unsaveableInstants) {
			if 1990 <= odd.Year() && odd.Year() < 2200 {
				continue
			}
			m := fresh(policy.Constant(time.Hour))
			s := m.ObserveCrash(odd, errCrash)
			if m.Admissible(odd) || s.Admissible(odd.Add(time.Hour-1)) || !m.Admissible(odd.Add(time.Hour)) {
				t.Errorf("%v is not held for an hour by its own clock", s)
			}
			if !m.Admissible(start) || !s.Admissible(start) || !m.TryStart(start) {
				t.Errorf("%v is held at %v", s, start)
			}
		}
	})
}

// A task whose clock is set between its start and its first crash draws a seed as any
// other, or all of them would return in the same instant.
func TestOddInstantsLeaveTheDrawsRandom(t *testing.T) {
	for name, p := range builtIn() {
		seeds := map[uint64]bool{0: true}
		for range 3 {
			tracker := gate.NewTracker(p)
			tracker.ObserveStart(time.Unix(0, 0))
			tracker.ObserveCrash(start, errCrash)
			if seed := tracker.Snapshot().History.Seed; seeds[seed] {
				t.Errorf("%s: seed %d, which is none or another's", name, seed)
			} else {
				seeds[seed] = true
			}
		}
	}
}

// A gate can be saved at any point, whatever it has seen, and from the first save on
// it is the same in each life.
func TestOddInstantsNeverSpoilASnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policies[rapid.SampledFrom(names(policies)).Draw(t, "policy")]
		m := shell(t, p)
		clock := drawOddClock(t)
		for range rapid.IntRange(0, 20).Draw(t, "events") {
			now, _ := clock.draw(t)
			observe(m, rapid.Byte().Draw(t, "event")%kinds, now)
		}
		s := m.Snapshot()
		wantLives(t, p, s, func(s gate.Snapshot) gate.Snapshot { return s })
		for range rapid.IntRange(0, 3).Draw(t, "other clocks") {
			now, _ := clock.draw(t)
			s = wantLives(t, p, s, func(s gate.Snapshot) gate.Snapshot { return s.Resume(now) })
		}
	})
}

// wantLives fails unless s can go through ten lives, each of which takes it over as
// told, and from the second on finds the same. It returns what the last one saves.
func wantLives(t *rapid.T, p policy.Policy, s gate.Snapshot, taken func(gate.Snapshot) gate.Snapshot) gate.Snapshot {
	var before []byte
	for life := range 10 {
		text, err := json.Marshal(s)
		must(t, err)
		if life > 1 && string(text) != string(before) {
			t.Fatalf("life %d saves\n%s, life %d saved\n%s", life, text, life-1, before)
		}
		before = text
		var read gate.Snapshot
		must(t, json.Unmarshal(text, &read))
		tracker := gate.NewTracker(p)
		must(t, tracker.Restore(taken(read)))
		if tracker.State().Phase() != s.Phase {
			t.Fatalf("life %d is %v, want %v", life, tracker.State(), s.Phase)
		}
		s = tracker.Snapshot()
	}
	return s
}
