package policy_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

// oddities are instants that the clock of a healthy program does not show.
var oddities = map[string]time.Time{
	"zero time":         {},
	"before year 1":     year(-5),
	"1970":              time.Unix(0, 0),
	"1995":              year(1995),
	"2040":              year(2040),
	"2150":              year(2150),
	"9999":              time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC),
	"20000":             year(20_000),
	"beyond arithmetic": time.Unix(math.MaxInt64, 0),
	"two hours ago":     at(-7200),
	"in two hours":      at(7200),
}

// oddTask crashes at instants that are odd: always about the same, with its own
// clock going on; or one and then another.
func oddTask(name string) func(i int) time.Time {
	if name == "all of them" {
		all := slices.Sorted(func(yield func(string) bool) {
			for name := range oddities {
				if !yield(name) {
					return
				}
			}
		})
		return func(i int) time.Time { return oddities[all[i%len(all)]] }
	}
	return func(i int) time.Time { return oddities[name].Add(time.Duration(i) * time.Second) }
}

// TestBudgetAmongOddClocks has a thousand healthy tasks crash one after another, with
// more crashes than the budget has turns for, and between them one whose clock is odd.
// It takes the turns that it is charged for, and nothing else changes.
func TestBudgetAmongOddClocks(t *testing.T) {
	const turn = time.Second / 10
	wait := func(p policy.Policy, now time.Time) time.Duration {
		var log history.Log
		log.ObserveCrash(now, errCrash)
		return p.Decide(view(&log)).Delay
	}
	names := []string{"all of them"}
	for name := range oddities {
		names = append(names, name)
	}
	for _, name := range names {
		for _, gap := range []time.Duration{turn / 2, turn, 3 * turn, 90 * time.Second} {
			t.Run(fmt.Sprint(name, ", a crash each ", gap), func(t *testing.T) {
				alone, shared := policy.Budget(10, 5)(policy.Constant(0)), policy.Budget(10, 5)(policy.Constant(0))
				odd, charged := oddTask(name), 0
				for i := range 1000 {
					now := start.Add(time.Duration(i) * gap)
					least := wait(alone, now)
					got := wait(shared, now)
					if got < least || got > least+time.Duration(charged)*turn {
						t.Fatalf("crash %d: a healthy task waits for %v, alone for %v; the odd one was charged %d times", i, got, least, charged)
					}
					if i%10 == 9 {
						if got := wait(shared, odd(charged)); got > least+time.Duration(charged+2)*turn {
							t.Fatalf("crash %d: the odd task waits for %v, a healthy one for %v", i, got, least)
						}
						charged++
					}
				}
			})
		}
	}
}

// Each rule decides at odd instants as it does at others.
func TestRulesAtOddInstants(t *testing.T) {
	p := policy.Compose(policy.Exponential(time.Second, 2, time.Hour), policy.Jitter(policy.DecorrelatedJitter, time.Hour),
		policy.CrashLoop(4, time.Minute, time.Minute), policy.Probation(2*time.Minute, 3*time.Minute),
		policy.MaxCrashes(9, time.Hour), policy.RetryAfter(time.Minute), policy.PermanentErrors(errConfig),
		policy.Ignore(isConfig), policy.StableRun(time.Minute), policy.Spread(1))
	life := func(now time.Time) (decisions []policy.Decision) {
		var log history.Log
		log.Seed(1)
		for range 9 {
			log.ObserveStart(now)
			now = now.Add(time.Second)
			log.ObserveCrash(now, errCrash)
			d := p.Decide(view(&log))
			decisions = append(decisions, d)
			_, end := apply(&log, d)
			now = log.Time(end)
		}
		return decisions
	}
	want := life(start)
	for name, now := range oddities {
		if got := life(now); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %v\nwant %v", name, got, want)
		}
	}
}

// One odd instant in the life of a task changes its holds by no more than that the
// crash counts as one at the last instant.
func TestOneOddInstantInALife(t *testing.T) {
	for name, odd := range oddities {
		if odd.After(start) && odd.Year() < 2200 {
			continue // the clock may have been set
		}
		k, healthy := newTask(t, policy.Default()), newTask(t, policy.Default())
		for _, k := range []*task{k, healthy} {
			k.crash(0)
			k.start(1)
		}
		k.log.ObserveCrash(odd, errCrash)
		k.decide()
		healthy.crash(1)
		if !healthy.history().Now().Equal(k.history().Now()) && name != "1995" {
			t.Errorf("%s: it counts as %v", name, k.history().Now())
		}
		for i := range 8 {
			if a, b := k.crash(float64(3+i)), healthy.crash(float64(3+i)); a != b {
				t.Errorf("%s: crash %d: %v, want %v", name, i+3, a, b)
			}
		}
	}
}

// A clock that jumps back and forth at random harms neither the task nor the policy:
// every decision is one that the rules can come to.
func TestClockThatJumps(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	instants := []time.Time{start}
	for _, odd := range oddities {
		instants = append(instants, odd)
	}
	slices.SortFunc(instants, time.Time.Compare)
	k := newTask(t, policy.Compose(policy.Default(), policy.MaxCrashes(1000, time.Hour), policy.Budget(1000, 1)))
	for i := range 20_000 {
		now := instants[r.IntN(len(instants))].Add(time.Duration(r.IntN(100)) * time.Second)
		switch r.IntN(4) {
		case 0:
			k.log.ObserveStart(now)
		case 1:
			k.log.ObserveCleanExit(now)
			k.decide()
		default:
			k.log.ObserveCrash(now, errCrash)
			d := k.decide()
			if h := k.history(); d.Delay < 0 || d.Delay > 10*time.Minute || h.Ran() < 0 || k.end < k.log.Last() && d.Verdict != policy.GiveUp {
				t.Fatalf("event %d, at %v: %v, ran %v, held for %v", i, now, d, h.Ran(), k.held())
			}
		}
		if r := k.log.Record(); r.Validate() != nil {
			t.Fatalf("event %d: its record is refused: %v", i, r.Validate())
		}
	}
}

// A simulation may begin at any instant.
func TestSimulateAtOddInstants(t *testing.T) {
	runs := slices.Repeat([]policy.Run{{For: time.Second, Err: errCrash}}, 12)
	want := policy.Simulate(policy.Default(), runs)
	fleet := func(opts ...policy.SimulateOption) []int {
		return policy.SimulateFleet(policy.Default(), 20, time.Minute, func(int, time.Duration) policy.Run { return runs[0] }, opts...)
	}
	for name, from := range oddities {
		if got := policy.Simulate(policy.Default(), runs, policy.From(from)); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%v\nwant\n%v", name, got, want)
		}
		if got, want := fleet(policy.From(from)), fleet(); !slices.Equal(got, want) {
			t.Errorf("%s: a fleet: got\n%v\nwant\n%v", name, got, want)
		}
	}
}

// Neither of two simulations can disturb a task that shares a policy with them, but
// for a Budget, which says so.
func TestSwitchAtOddInstants(t *testing.T) {
	s := policy.NewSwitch(policy.Classic())
	odd, healthy := newTask(t, s), newTask(t, s)
	i := 0
	for _, now := range oddities {
		odd.log.ObserveCrash(now, errCrash)
		odd.decide()
		i++
	}
	healthy.wantCrash(0, hold(0.5))
	s.Set(policy.Constant(time.Hour))
	odd.log.ObserveCrash(time.Time{}, errCrash)
	if d := odd.decide(); d != hold(3600) {
		t.Errorf("the odd one: %v, want an hour", d)
	}
	healthy.wantCrash(1, hold(3600))
}
