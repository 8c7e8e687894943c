package gate_test

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

// policies whose decisions depend on nothing but the history.
var policies = map[string]policy.Policy{
	"default":     policy.Default(),
	"classic":     policy.Classic(),
	"probation":   probation,
	"steps":       policy.Steps(0, time.Second, 0, time.Minute, time.Millisecond),
	"for ever":    policy.CrashLoop(3, time.Minute, math.MaxInt64)(policy.Constant(time.Second)),
	"gives up":    policy.MaxCrashes(2, 10*time.Second)(policy.Constant(time.Second)),
	"jitter":      policy.Jitter(policy.FullJitter, time.Minute)(policy.Default()),
	"panics":      helpless,
	"any verdict": policy.Func(anyVerdict),
	"far back":    policy.CrashLoop(20, time.Hour, time.Second)(policy.Constant(time.Millisecond)),
}

// probation has short figures, so that a few events reach all of its cool-downs.
var probation = valid(policy.Config{
	Initial: time.Second, Factor: 1.5, Max: 2 * time.Second, Threshold: 3, Window: 10 * time.Second, Cooldown: 5 * time.Second,
	Cooldowns: []time.Duration{10 * time.Second, time.Minute}, StableAfter: 10 * time.Second, Spread: 0.5,
}.Policy())

func valid[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// anyVerdict takes all of its decision from the history.
func anyVerdict(h policy.History) policy.Decision {
	return policy.Decision{
		Verdict:   policy.Verdict(h.Crashes() % 4),
		Delay:     time.Duration(h.Streak()-2) * time.Second,
		Fresh:     h.Ran() > 10*time.Second,
		Uncounted: h.Crashes()%7 == 6,
	}
}

// oddInstants are what clocks show that are not set, or are set to another time.
var oddInstants = []time.Time{
	time.Time{}.Add(1), time.Time{}.AddDate(5, 0, 0), time.Unix(0, 0), time.Unix(0, -1), time.UnixMilli(0).AddDate(10, 0, 0),
	time.Date(1989, time.December, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC),
	start.AddDate(-30, 0, 0), start.AddDate(30, 0, 0), start.AddDate(17, 0, 0), start.AddDate(-17, 0, 0), start.AddDate(0, 0, -2),
	time.Date(2199, time.December, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC),
	time.Date(9000, time.May, 1, 0, 0, 0, 0, time.FixedZone("", -11*3600)),
}

// unsaveableInstants are odd ones that JSON cannot express, that leave no room for a
// hold before the last that it can, or that stand for none.
var unsaveableInstants = []time.Time{
	{}, endless, endless.Add(1), endless.AddDate(0, 0, -1), time.Date(20_000, time.January, 1, 0, 0, 0, 0, time.UTC),
	time.Date(0, time.December, 31, 0, 0, 0, 0, time.UTC), time.Date(-5, time.January, 1, 0, 0, 0, 0, time.UTC),
	time.Date(-290_000_000, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(290_000_000, time.January, 1, 0, 0, 0, 0, time.UTC),
}

// Gate and Tracker agree, under any policy, with observers and without, at odd
// instants too. So do trackers that are saved and restored all the time, and those that
// ask their policy where others know what the usual rules say.
func TestShellsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policies[rapid.SampledFrom(names(policies)).Draw(t, "policy")]
		var rec gatetest.Recorder
		tracker := gate.NewTracker(p)
		others := map[string]machine{
			"gate": gate.New(p), "observed gate": gate.New(p, gate.OnTransition(rec.Observe)), "saved tracker": gate.NewTracker(p),
			"tracker that asks": gate.NewTracker(policy.Func(p.Decide)), // though the rules are the usual ones
		}
		odd := oddInstants
		if rapid.Bool().Draw(t, "beyond JSON") {
			odd = append(slices.Clone(odd), unsaveableInstants...)
			delete(others, "saved tracker")
		}
		seeded := tracker.Snapshot()
		seeded.History.Seed = 1
		must(t, tracker.Restore(seeded))
		for _, other := range others {
			must(t, other.Restore(seeded))
		}
		clock := clock{limits: []time.Duration{time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 365 * 24 * time.Hour}}
		draw := func(t *rapid.T) time.Time {
			if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
				return rapid.SampledFrom(odd).Draw(t, "instant")
			}
			var until time.Duration
			if end, ends := tracker.State().ReleaseAt(); ends {
				until = end.Sub(start)
			}
			return start.Add(clock.draw(t, until))
		}
		on := func(event func(m machine, now time.Time) any) func(*rapid.T) {
			return func(t *rapid.T) {
				now := draw(t)
				want := event(tracker, now)
				for name, other := range others {
					if got := event(other, now); !alike(got, want) {
						t.Fatalf("the %s has %v at %v, the tracker has %v", name, got, now, want)
					}
				}
			}
		}
		by := gate.By{Who: "ann", Why: "why not"}
		t.Repeat(map[string]func(*rapid.T){
			"start":         on(func(m machine, now time.Time) any { m.ObserveStart(now); return m.State() }),
			"try start":     on(func(m machine, now time.Time) any { return m.TryStart(now) }),
			"crash":         on(func(m machine, now time.Time) any { return m.ObserveCrash(now, errCrash) }),
			"clean exit":    on(func(m machine, now time.Time) any { return m.ObserveCleanExit(now) }),
			"restart":       on(func(m machine, now time.Time) any { return m.ObserveRestart(now) }),
			"maybe release": on(func(m machine, now time.Time) any { return m.MaybeRelease(now) }),
			"admissible":    on(func(m machine, now time.Time) any { return m.Admissible(now) }),
			"state admits":  on(func(m machine, now time.Time) any { return m.State().Admissible(now) == m.Admissible(now) }),
			"force release": on(func(m machine, _ time.Time) any { return m.ForceRelease(by) }),
			"probe":         on(func(m machine, _ time.Time) any { return m.Probe(by) }),
			"pause":         on(func(m machine, _ time.Time) any { return m.Pause(by) }),
			"paused by":     on(func(m machine, _ time.Time) any { by, paused := m.PausedBy(); return pausedBy{by, paused} }),
			"save": func(t *rapid.T) {
				if others["saved tracker"] == nil {
					return
				}
				text, err := json.Marshal(others["saved tracker"].Snapshot())
				must(t, err)
				var s gate.Snapshot
				must(t, json.Unmarshal(text, &s))
				others["saved tracker"] = gate.NewTracker(p)
				must(t, others["saved tracker"].Restore(s))
			},
			"": on(func(m machine, _ time.Time) any { return m.State() }),
		})
		must(t, rec.Check())
		want, err := json.Marshal(tracker.Snapshot())
		must(t, err)
		for name, other := range others {
			got, err := json.Marshal(other.Snapshot())
			must(t, err)
			if name != "saved tracker" && string(got) != string(want) { // that one counts from another instant
				t.Fatalf("the %s is saved as\n%s, the tracker as\n%s", name, got, want)
			}
		}
	})
}

type pausedBy struct {
	by     gate.By
	paused bool
}

// alike compares what events return. States of different gates are compared by Equal.
func alike(got, want any) bool {
	if state, ok := got.(gate.State); ok {
		return state.Equal(want.(gate.State))
	}
	return got == want
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
