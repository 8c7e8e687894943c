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

// configs draws tunables that lie close together, so that each of them matters
// in a short run of events.
func configs(t *rapid.T) policy.Config {
	millis := func(name string, least, most int) time.Duration {
		return time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Millisecond
	}
	c := policy.Config{
		Initial:     millis("initial", 0, 2000),
		Factor:      rapid.SampledFrom([]float64{1, 1.5, 2, 3, 10}).Draw(t, "factor"),
		Threshold:   rapid.IntRange(1, 12).Draw(t, "threshold"),
		Window:      millis("window", 1, 20_000),
		Cooldown:    millis("cooldown", 1, 20_000),
		StableAfter: millis("stable after", 1, 10_000),
	}
	c.Max = c.Initial + millis("max above initial", 0, 20_000)
	return c
}

// composed is the policy of c put together by hand, where it is not that which
// the Config makes: one that can never trip is refused there.
func composed(t *rapid.T, c policy.Config) policy.Policy {
	if p, err := c.Policy(); err == nil && rapid.Bool().Draw(t, "as a config") {
		return p
	}
	return policy.Compose(policy.Exponential(c.Initial, c.Factor, c.Max),
		policy.CrashLoop(c.Threshold, c.Window, c.Cooldown), policy.StableRun(c.StableAfter))
}

// clock draws instants, as distances from the common start. They mostly move on
// by little, or to where something is about to happen; sometimes they run back.
type clock struct {
	now    time.Duration
	limits []time.Duration // spans that matter
}

func (c *clock) draw(t *rapid.T, until time.Duration) time.Duration {
	span := func() time.Duration { return rapid.SampledFrom(c.limits).Draw(t, "span") }
	jitter := time.Duration(rapid.IntRange(-1, 1).Draw(t, "jitter"))
	switch rapid.IntRange(0, 6).Draw(t, "how") {
	case 0: // the same instant again
	case 1:
		c.now += time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond
	case 2:
		c.now += span() + jitter
	case 3, 4:
		c.now = until + jitter
	case 5:
		c.now -= time.Duration(rapid.IntRange(0, 30_000).Draw(t, "ms back")) * time.Millisecond
	case 6:
		return c.now - span() // for once
	}
	return c.now
}

// TestModel holds a Tracker against the naive model of these rules:
//
//  1. The rolling window (inclusive at its far edge) holds the threshold:
//     CrashLooping. Otherwise BackingOff by min(initial × factor^(streak−1), max).
//  2. A crash after a crash loop's hold starts from a clean slate; one before
//     its end renews it, and never shortens it.
//  3. A run of at least the stable threshold wipes the slate, however it ends.
//  4. A clean exit opens the gate, and wipes the slate only under rule 3.
//  5. A start opens the gate; a second one ends the first run, as clean.
//  6. Force release opens the gate and wipes the slate.
//  7. Time that runs backwards is clamped to the last instant seen.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := configs(t)
		tracker := gate.NewTracker(composed(t, rules))
		model := naive{rules: rules}
		clock := clock{limits: []time.Duration{rules.Initial, rules.Max, rules.Window, rules.Cooldown, rules.StableAfter}}
		draw := func(t *rapid.T) moment {
			offset := clock.draw(t, model.until)
			return moment{offset, start.Add(offset)}
		}

		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				now := draw(t)
				model.start(now.offset)
				tracker.ObserveStart(now.instant)
			},
			"crash": func(t *rapid.T) {
				now := draw(t)
				model.crash(now.offset)
				same(t, "ObserveCrash", tracker.ObserveCrash(now.instant, errCrash), model.state())
			},
			"clean exit": func(t *rapid.T) {
				now := draw(t)
				model.cleanExit(now.offset)
				same(t, "ObserveCleanExit", tracker.ObserveCleanExit(now.instant), model.state())
			},
			"restart": func(t *rapid.T) {
				now := draw(t)
				model.restart(now.offset)
				same(t, "ObserveRestart", tracker.ObserveRestart(now.instant), model.state())
			},
			"maybe release": func(t *rapid.T) {
				now := draw(t)
				same(t, "MaybeRelease", tracker.MaybeRelease(now.instant), model.maybeRelease(now.offset))
			},
			"force release": func(t *rapid.T) {
				same(t, "ForceRelease", tracker.ForceRelease(), model.forceRelease())
			},
			"admissible": func(t *rapid.T) {
				now := draw(t)
				same(t, "Admissible", tracker.Admissible(now.instant), model.admissible(now.offset))
			},
			"": func(t *rapid.T) {
				same(t, "State", tracker.State(), model.state())
				same(t, "Streak", tracker.History().Streak(), len(model.crashes))
			},
		})
	})
}

// moment is a time as the model and as the gate have it.
type moment struct {
	offset  time.Duration
	instant time.Time
}

func same[T comparable](t *rapid.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}

// policies whose decisions depend on nothing but the history.
var policies = map[string]policy.Policy{
	"default":     policy.Default(),
	"steps":       policy.Steps(0, time.Second, 0, time.Minute, time.Millisecond),
	"for ever":    policy.CrashLoop(3, time.Minute, math.MaxInt64)(policy.Constant(time.Second)),
	"gives up":    policy.MaxCrashes(2, 10*time.Second)(policy.Constant(time.Second)),
	"jitter":      policy.Jitter(policy.FullJitter, time.Minute)(policy.Default()),
	"panics":      policy.Func(func(h *policy.History) policy.Decision { panic(h) }),
	"any verdict": policy.Func(anyVerdict),
	"far back":    policy.CrashLoop(20, time.Hour, time.Second)(policy.Constant(time.Millisecond)),
}

// anyVerdict takes the verdict, and whether to forget, from the history.
func anyVerdict(h *policy.History) policy.Decision {
	if h.Ran() > 10*time.Second {
		h.Forget()
	}
	return policy.Decision{
		Verdict: policy.Verdict(h.Crashes() % 4),
		Delay:   time.Duration(h.Streak()-2) * time.Second,
	}
}

// Gate and Tracker agree, under any policy, with observers and without, and so
// do those that are saved and restored all the time.
func TestShellsAgree(t *testing.T) {
	gatherLog(t) // of the policy that panics
	rapid.Check(t, func(t *rapid.T) {
		p := policies[rapid.SampledFrom(names(policies)).Draw(t, "policy")]
		var rec gatetest.Recorder
		tracker := gate.NewTracker(p)
		seeded := tracker.Snapshot()
		seeded.History.Seed = 1
		others := map[string]machine{
			"gate": gate.New(p), "observed gate": gate.New(p, gate.OnTransition(rec.Observe)), "saved tracker": gate.NewTracker(p),
		}
		must(t, tracker.Restore(seeded))
		for _, other := range others {
			must(t, other.Restore(seeded))
		}
		clock := clock{limits: []time.Duration{time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 365 * 24 * time.Hour}}
		on := func(event func(m machine, now time.Time) any) func(*rapid.T) {
			return func(t *rapid.T) {
				var until time.Duration
				if end, ends := tracker.State().ReleaseAt(); ends {
					until = end.Sub(start)
				}
				now := start.Add(clock.draw(t, until))
				want := event(tracker, now)
				for name, other := range others {
					if got := event(other, now); got != want {
						t.Fatalf("the %s has %v, the tracker has %v", name, got, want)
					}
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"start":         on(func(m machine, now time.Time) any { m.ObserveStart(now); return m.State() }),
			"crash":         on(func(m machine, now time.Time) any { return m.ObserveCrash(now, errCrash) }),
			"clean exit":    on(func(m machine, now time.Time) any { return m.ObserveCleanExit(now) }),
			"restart":       on(func(m machine, now time.Time) any { return m.ObserveRestart(now) }),
			"maybe release": on(func(m machine, now time.Time) any { return m.MaybeRelease(now) }),
			"admissible":    on(func(m machine, now time.Time) any { return m.Admissible(now) }),
			"force release": on(func(m machine, _ time.Time) any { return m.ForceRelease() }),
			"save": func(t *rapid.T) {
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
	})
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
