package gate_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
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
	cooldown := c.Cooldown
	for range rapid.IntRange(0, 3).Draw(t, "cooldowns") {
		cooldown += millis("longer", 0, 20_000)
		c.Cooldowns = append(c.Cooldowns, cooldown)
	}
	return c
}

// composed is the policy of c put together by hand, where it is not that which
// the Config makes: one that can never trip is refused there.
func composed(t *rapid.T, c policy.Config) policy.Policy {
	if p, err := c.Policy(); err == nil && rapid.Bool().Draw(t, "as a config") {
		return p
	}
	p := policy.CrashLoop(c.Threshold, c.Window, c.Cooldown)(policy.Exponential(c.Initial, c.Factor, c.Max))
	if len(c.Cooldowns) > 0 {
		p = policy.Probation(c.Cooldowns...)(p)
	}
	return policy.StableRun(c.StableAfter)(p)
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
//  2. A crash after a crash loop's hold starts from a clean slate, where there is no
//     probation; one before its end renews it, and never shortens it.
//  3. A run of at least the stable threshold wipes the slate, however it ends.
//  4. A clean exit opens the gate, and wipes the slate only under rule 3.
//  5. A start opens the gate; a second one ends the first run, as clean.
//  6. Force release opens the gate and wipes the slate.
//  7. Time that runs backwards is clamped to the last instant seen.
//  8. On probation, which follows a crash loop until the slate is wiped, each crash
//     is another crash loop, for the next of the cool-downs and at last for the last.
//  9. Pause holds the gate until rule 5, 6 or 11 opens it. What happens meanwhile
//     counts, but changes nothing of the hold.
//  10. TryStart is a start if no run is under way and the gate is admissible;
//     otherwise it is nothing.
//  11. Probe opens the gate, and nothing else.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := configs(t)
		tracker := gate.NewTracker(composed(t, rules))
		model := naive{rules: rules}
		clock := clock{limits: append([]time.Duration{rules.Initial, rules.Max, rules.Window, rules.Cooldown, rules.StableAfter}, rules.Cooldowns...)}
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
			"try start": func(t *rapid.T) {
				now := draw(t)
				same(t, "TryStart", tracker.TryStart(now.instant), model.tryStart(now.offset))
			},
			"crash": func(t *rapid.T) {
				now := draw(t)
				model.crash(now.offset)
				sameState(t, "ObserveCrash", tracker.ObserveCrash(now.instant, errCrash), model.state())
			},
			"clean exit": func(t *rapid.T) {
				now := draw(t)
				model.cleanExit(now.offset)
				sameState(t, "ObserveCleanExit", tracker.ObserveCleanExit(now.instant), model.state())
			},
			"restart": func(t *rapid.T) {
				now := draw(t)
				model.restart(now.offset)
				sameState(t, "ObserveRestart", tracker.ObserveRestart(now.instant), model.state())
			},
			"maybe release": func(t *rapid.T) {
				now := draw(t)
				same(t, "MaybeRelease", tracker.MaybeRelease(now.instant), model.maybeRelease(now.offset))
			},
			"force release": func(t *rapid.T) {
				same(t, "ForceRelease", tracker.ForceRelease(), model.forceRelease())
			},
			"probe": func(t *rapid.T) {
				same(t, "Probe", tracker.Probe(), model.probe())
			},
			"pause": func(t *rapid.T) {
				same(t, "Pause", tracker.Pause(), model.pause())
			},
			"admissible": func(t *rapid.T) {
				now := draw(t)
				same(t, "Admissible", tracker.Admissible(now.instant), model.admissible(now.offset))
			},
			"": func(t *rapid.T) {
				sameState(t, "State", tracker.State(), model.state())
				same(t, "Streak", tracker.History().Streak(), len(model.crashes))
				same(t, "Trips", tracker.History().Trips(), model.trips)
				_, paused := tracker.PausedBy()
				same(t, "paused", paused, model.phase == gate.Paused)
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

func sameState(t *rapid.T, what string, got, want gate.State) {
	t.Helper()
	if !got.Equal(want) {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}
