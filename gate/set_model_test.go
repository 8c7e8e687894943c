package gate_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// naiveSet is a Set as its documentation describes it: a tracker for each key, looked
// through from end to end for whatever is asked.
type naiveSet map[string]*gate.Tracker

func (n naiveSet) get(p policy.Policy, key string) *gate.Tracker {
	if n[key] == nil {
		n[key] = gate.NewTracker(p)
	}
	return n[key]
}

func (n naiveSet) nextDeadline() (first time.Time, any bool) {
	for _, g := range n {
		if until, ends := g.State().ReleaseAt(); ends && (!any || until.Before(first)) {
			first, any = until, true
		}
	}
	return first, any
}

// tick releases what is due, and returns its keys in order.
func (n naiveSet) tick(now time.Time) (keys []string) {
	for key, g := range n {
		if g.MaybeRelease(now) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// TestSetModel has the same happen to a Set and to trackers of each key.
func TestSetModel(t *testing.T) {
	keys := []string{"a", "b", "c", "d", "e", "f"}
	rapid.Check(t, func(t *rapid.T) {
		p := policies[rapid.SampledFrom(names(policies)).Draw(t, "policy")]
		if rapid.Bool().Draw(t, "classic") {
			p = policy.Classic()
		}
		set, model := gate.NewSet[string](p), naiveSet{}
		clock := clock{limits: []time.Duration{time.Second, time.Minute, 5 * time.Minute}}
		now := func(t *rapid.T) time.Time {
			var until time.Duration
			if next, ok := model.nextDeadline(); ok {
				until = next.Sub(start)
			}
			return start.Add(clock.draw(t, until))
		}
		// The draws of two gates are the same only if their seeds are.
		seeded := func(key string) *gate.Tracker {
			g := model.get(p, key)
			if saved, ok := set.Snapshot(key); !ok || saved.History.Seed != g.Snapshot().History.Seed {
				s := g.Snapshot()
				s.History.Seed = 7
				must(t, g.Restore(s))
				must(t, set.Restore(start, func(yield func(string, gate.Snapshot) bool) { yield(key, s) }))
			}
			return g
		}
		event := func(f func(t *rapid.T, key string, g *gate.Tracker)) func(*rapid.T) {
			return func(t *rapid.T) {
				key := rapid.SampledFrom(keys).Draw(t, "key")
				f(t, key, seeded(key))
			}
		}
		state := func(t *rapid.T, got, want gate.State) {
			if !got.Equal(want) {
				t.Fatalf("state %v, want %v", got, want)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"start": event(func(t *rapid.T, key string, g *gate.Tracker) {
				at := now(t)
				set.ObserveStart(key, at)
				g.ObserveStart(at)
			}),
			"try": event(func(t *rapid.T, key string, g *gate.Tracker) {
				at := now(t)
				same(t, "TryStart", set.TryStart(key, at), g.TryStart(at))
			}),
			"crash": event(func(t *rapid.T, key string, g *gate.Tracker) {
				at := now(t)
				state(t, set.ObserveCrash(key, at, errCrash), g.ObserveCrash(at, errCrash))
			}),
			"exit": event(func(t *rapid.T, key string, g *gate.Tracker) {
				at := now(t)
				state(t, set.ObserveCleanExit(key, at), g.ObserveCleanExit(at))
			}),
			"restart": event(func(t *rapid.T, key string, g *gate.Tracker) {
				at := now(t)
				state(t, set.ObserveRestart(key, at), g.ObserveRestart(at))
			}),
			"release": event(func(t *rapid.T, key string, g *gate.Tracker) {
				at := now(t)
				same(t, "MaybeRelease", set.MaybeRelease(key, at), g.MaybeRelease(at))
			}),
			"force": event(func(t *rapid.T, key string, g *gate.Tracker) {
				same(t, "ForceRelease", set.ForceRelease(key), g.ForceRelease())
			}),
			"probe": event(func(t *rapid.T, key string, g *gate.Tracker) {
				same(t, "Probe", set.Probe(key), g.Probe())
			}),
			"pause": event(func(t *rapid.T, key string, g *gate.Tracker) {
				same(t, "Pause", set.Pause(key), g.Pause())
			}),
			"delete": event(func(t *rapid.T, key string, _ *gate.Tracker) {
				set.Delete(key)
				delete(model, key)
			}),
			"tick": func(t *rapid.T) {
				at := now(t)
				if got, want := keysOf(set.Tick(at)), model.tick(at); !slices.Equal(got, want) {
					t.Fatalf("Tick releases %v, want %v", got, want)
				}
			},
			"": func(t *rapid.T) {
				got, ok := set.NextDeadline()
				want, any := model.nextDeadline()
				if ok != any || !got.Equal(want) {
					t.Fatalf("the next deadline is %v, %v; want %v, %v", got, ok, want, any)
				}
				for key, g := range model {
					state(t, set.State(key), g.State())
					same(t, "Admissible", set.Admissible(key, start), g.Admissible(start))
				}
			},
		})
	})
}
