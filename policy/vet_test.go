package policy_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/policy"
)

const minute, hour = time.Minute, time.Hour

// The rules of the stacks that are vetted.
var (
	doubling  = policy.Exponential(time.Second/2, 2, minute)
	everySec  = policy.Constant(time.Second)
	trips5    = policy.CrashLoop(5, minute, 30*time.Second)
	probation = policy.Probation(minute, 5*minute)
	stable    = policy.StableRun(minute)
	spread    = policy.Spread(0.1)
	ignore    = policy.Ignore(isConfig)
	// own is a decorator of someone else, which may do anything.
	own = func(inner policy.Policy) policy.Policy { return policy.Func(inner.Decide) }
	// ownSeen is one that can be looked through.
	ownSeen = func(inner policy.Policy) policy.Policy { return seeThrough{inner} }
)

type seeThrough struct{ inner policy.Policy }

func (s seeThrough) Decide(h policy.History) policy.Decision { return s.inner.Decide(h) }
func (s seeThrough) Unwrap() policy.Policy                   { return s.inner }

// listed is one that cannot be compared.
type listed struct {
	_     []int
	inner policy.Policy
}

func (l listed) Decide(h policy.History) policy.Decision { return l.inner.Decide(h) }
func (l listed) Unwrap() policy.Policy                   { return l.inner }

// vetTest is a stack and the warnings wanted.
type vetTest struct {
	name   string
	policy policy.Policy
	want   []string
}

func runVet(t *testing.T, tests []vetTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := policy.Vet(test.policy); !slices.Equal(got, test.want) {
				t.Errorf("%v:\ngot  %s\nwant %s", test.policy, strings.Join(got, "\n     "), strings.Join(test.want, "\n     "))
			}
		})
	}
}

// stack composes rules inside a stable run, without which most bases are warned of.
func stack(base policy.Policy, outward ...policy.Decorator) policy.Policy {
	return policy.Compose(base, append(outward, stable)...)
}

func TestVetFindsNothing(t *testing.T) {
	runVet(t, []vetTest{
		{"nil", nil, nil},
		{"default", policy.Default(), nil},
		{"classic", policy.Classic(), nil},
		{"constant", everySec, nil},
		{"never restarts", policy.Constant(math.MaxInt64), nil},
		{"someone's own", policy.Func(func(policy.History) policy.Decision { return hold(1) }), nil},
		{"all that fit together", policy.Compose(doubling, policy.Jitter(policy.FullJitter, minute), trips5, probation,
			policy.MaxCrashes(20, 2*hour), policy.RetryAfter(hour), policy.PermanentErrors(), stable, ignore, spread, policy.Budget(1, 5)), nil},
		{"a switch", policy.NewSwitch(policy.Default()), nil},
		{"guarded", policy.Guard(stack(doubling, policy.RetryAfter(hour)), nil), nil},
		{"ignores everything", stack(doubling, policy.MaxCrashes(3, 1), policy.Ignore(func(error) bool { return true })), nil},
		{"gives up on everything", stack(doubling, trips5, policy.PermanentErrors(policy.ErrUnknown)), nil},
	})
}

func TestVetLoopNeverTrips(t *testing.T) {
	const words = " never trips on a task that fails at once: "
	fresh := func(inner policy.Policy) policy.Policy { // wipes the slate at each third crash
		return policy.Func(func(h policy.History) policy.Decision {
			if h.Streak() > 3 {
				h = h.Fresh()
				return policy.Decision{Delay: inner.Decide(h).Delay, Fresh: true}
			}
			return inner.Decide(h)
		})
	}
	runVet(t, []vetTest{
		{"the delays outlast the window", stack(doubling, policy.CrashLoop(10, minute, hour)), []string{
			"CrashLoop(10 in 1m: 1h)" + words + "10 crashes take 3m3.5s at least; raise its window above that, or lower its threshold"}},
		{"they just fit", stack(doubling, policy.CrashLoop(10, 183500*time.Millisecond, hour)), nil},
		{"they just do not", stack(doubling, policy.CrashLoop(10, 183500*time.Millisecond-1, hour)), []string{
			"CrashLoop(10 in 3m3.499999999s: 1h)" + words + "10 crashes take 3m3.5s at least; raise its window above that, or lower its threshold"}},
		{"a spread makes them too long", policy.Compose(doubling, policy.CrashLoop(10, 183500*time.Millisecond, hour), stable, spread), []string{
			"CrashLoop(10 in 3m3.5s: 1h)" + words + "10 crashes take 3m11.145s at least; raise its window above that, or lower its threshold"}},
		{"a million crashes", stack(doubling, policy.CrashLoop(1_000_000, hour, hour)), []string{
			"CrashLoop(1000000 in 1h: 1h)" + words + "1000000 crashes take 15892h56m45.5s at least; raise its window above that, or lower its threshold"}},
		{"a million crashes in years", stack(doubling, policy.CrashLoop(1_000_000, 20_000*hour, hour)), nil},
		{"a million crashes at once", stack(policy.Constant(0), policy.CrashLoop(1_000_000, 1, hour)), nil},
		{"held forever", policy.Compose(policy.Constant(math.MaxInt64), trips5), []string{
			"CrashLoop(5 in 1m: 30s)" + words + "there are no 5 crashes, as one before is held forever; bound that hold, or lower its threshold"}},
		{"another wipes the slate", stack(everySec, policy.CrashLoop(5, minute, minute), policy.CrashLoop(20, 3*hour, hour)), []string{
			"CrashLoop(20 in 3h: 1h)" + words + "the slate is wiped after 5 crashes; lower its threshold to that, or use Probation for holds that grow"}},
		{"another seldom trips", stack(policy.Constant(20*time.Second), policy.CrashLoop(5, minute, minute), policy.CrashLoop(20, 3*hour, hour)), []string{
			"CrashLoop(5 in 1m: 1m)" + words + "5 crashes take 1m20s at least; raise its window above that, or lower its threshold"}},
		{"someone else wipes the slate", policy.Compose(everySec, fresh, trips5), []string{
			"CrashLoop(5 in 1m: 30s)" + words + "the slate is wiped after 3 crashes; lower its threshold to that, or use Probation for holds that grow"}},
		{"someone else wipes it late enough", policy.Compose(everySec, fresh, policy.CrashLoop(3, minute, minute)), nil},
	})
}

func TestVetRivals(t *testing.T) {
	const loops = "; leave one of them out, or use Probation for holds that grow"
	runVet(t, []vetTest{
		{"one around trips first", stack(everySec, trips5, policy.CrashLoop(5, minute, hour)), []string{
			"CrashLoop(5 in 1m: 30s) never trips, since CrashLoop(5 in 1m: 1h) comes first" + loops}},
		{"one inside trips first", stack(everySec, trips5, policy.CrashLoop(6, 30*time.Second, hour)), []string{
			"CrashLoop(6 in 30s: 1h) never trips, since CrashLoop(5 in 1m: 30s) comes first" + loops}},
		{"limit around", stack(everySec, trips5, policy.MaxCrashes(4, minute)), []string{
			"CrashLoop(5 in 1m: 30s) never trips, since MaxCrashes(4 in 1m) gives up first; raise its n to 5 at least, or leave one of them out"}},
		{"limit around, one more", stack(everySec, trips5, policy.MaxCrashes(5, minute)), nil},
		{"limit around, in a shorter window", stack(everySec, trips5, policy.MaxCrashes(4, minute-1)), nil},
		{"limit inside", stack(everySec, policy.MaxCrashes(3, minute), trips5), []string{
			"CrashLoop(5 in 1m: 30s) never trips, since MaxCrashes(3 in 1m) gives up first; raise its n to 5 at least, or leave one of them out"}},
		{"limit inside, one more", stack(everySec, policy.MaxCrashes(4, hour), trips5), nil},
		{"limits", stack(everySec, policy.MaxCrashes(20, hour), policy.MaxCrashes(3, hour)), []string{
			"MaxCrashes(20 in 1h) changes nothing beside MaxCrashes(3 in 1h); leave it out"}},
		{"limits, the other way round", stack(everySec, policy.MaxCrashes(3, hour), policy.MaxCrashes(20, hour)), []string{
			"MaxCrashes(20 in 1h) changes nothing beside MaxCrashes(3 in 1h); leave it out"}},
		{"the same limit twice", stack(everySec, policy.MaxCrashes(3, hour), policy.MaxCrashes(3, hour)), []string{
			"MaxCrashes(3 in 1h) changes nothing beside MaxCrashes(3 in 1h); leave it out"}},
		{"limits that complete each other", stack(everySec, policy.MaxCrashes(20, hour), policy.MaxCrashes(3, 4*time.Second)), nil},
		{"limits with something between", stack(everySec, policy.MaxCrashes(3, hour), ownSeen, policy.MaxCrashes(20, hour)), nil},
		{"limits around policies that cannot be compared", policy.MaxCrashes(3, hour)(listed{nil, policy.MaxCrashes(3, hour)(listed{nil, everySec})}), []string{
			"MaxCrashes(3 in 1h) changes nothing beside MaxCrashes(3 in 1h); leave it out"}},
		{"limits of some errors", policy.Match(isConfig, policy.Compose(everySec, policy.MaxCrashes(3, hour)))(policy.Compose(everySec, policy.MaxCrashes(20, hour))), nil},
		{"stable runs", policy.Compose(doubling, policy.StableRun(hour), stable), []string{
			"StableRun(1h) changes nothing beside StableRun(1m); leave it out"}},
		{"stable runs, the other way round", policy.Compose(doubling, stable, policy.StableRun(hour)), []string{
			"StableRun(1h) changes nothing beside StableRun(1m); leave it out"}},
		{"the same stable run twice", policy.Compose(doubling, stable, stable), []string{
			"StableRun(1m) changes nothing beside StableRun(1m); leave it out"}},
		{"stable runs with something between", policy.Compose(doubling, stable, ownSeen, policy.StableRun(hour)), nil},
		{"probations", stack(everySec, trips5, probation, policy.Probation(hour)), []string{
			"Probation(1m, 5m) changes nothing beside Probation(1h); leave it out"}},
		{"retry after", stack(everySec, policy.RetryAfter(hour), policy.RetryAfter(minute)), []string{
			"RetryAfter(≤ 1m) changes nothing beside RetryAfter(≤ 1h); leave it out"}},
		{"the same twice", stack(everySec, policy.RetryAfter(hour), policy.RetryAfter(hour)), []string{
			"RetryAfter(≤ 1h) changes nothing beside RetryAfter(≤ 1h); leave it out"}},
		{"retry after, of restarts alone", stack(everySec, policy.RetryAfter(hour), trips5, policy.RetryAfter(minute)), nil},
		{"spreads add up", policy.Compose(everySec, spread, spread), nil},
	})
}

func TestVetGivesUp(t *testing.T) {
	const words = " never gives up on a task that fails at once: "
	procfile := func(n int, window time.Duration) policy.Policy {
		return policy.Compose(doubling, trips5, policy.Probation(minute, 150*time.Second, 5*minute), policy.MaxCrashes(n, window), stable)
	}
	runVet(t, []vetTest{
		{"twenty an hour beside the default holds", procfile(20, hour), []string{
			"MaxCrashes(20 in 1h)" + words + "21 crashes take 1h9m7.5s at least; raise its window above that, or lower its n"}},
		{"as long as is said", procfile(20, hour+9*minute+7500*time.Millisecond), nil},
		{"a nanosecond less", procfile(20, hour+9*minute+7500*time.Millisecond-1), []string{
			"MaxCrashes(20 in 1h9m7.499999999s)" + words + "21 crashes take 1h9m7.5s at least; raise its window above that, or lower its n"}},
		{"seventeen an hour", procfile(17, hour), nil},
		{"twenty an hour beside the classic hold", stack(doubling, policy.CrashLoop(5, minute, 5*minute), policy.MaxCrashes(20, hour)), nil},
		{"the dense crashes come last", stack(policy.Steps(minute, 0, 0, 0, 0, 0, hour), policy.MaxCrashes(4, 1)), nil},
		{"delays of a minute", stack(policy.Constant(minute), policy.MaxCrashes(60, hour)), nil},
		{"delays of a minute, one more", stack(policy.Constant(minute), policy.MaxCrashes(61, hour)), []string{
			"MaxCrashes(61 in 1h)" + words + "62 crashes take 1h1m at least; raise its window above that, or lower its n"}},
		{"a million", stack(everySec, policy.MaxCrashes(1_000_000, hour)), []string{
			"MaxCrashes(1000000 in 1h)" + words + "1000001 crashes take 277h46m40s at least; raise its window above that, or lower its n"}},
		{"a million in a year", stack(everySec, policy.MaxCrashes(1_000_000, 365*24*hour)), nil},
		{"held forever", policy.Compose(policy.Steps(0, 0, math.MaxInt64), policy.MaxCrashes(3, hour), stable), []string{
			"MaxCrashes(3 in 1h)" + words + "there are no 4 crashes, as one before is held forever; bound that hold, or lower its n"}},
		{"held forever too late to matter", policy.Compose(policy.Steps(0, 0, math.MaxInt64), policy.MaxCrashes(2, hour), stable), nil},
		{"inside a probation", stack(everySec, trips5, policy.MaxCrashes(20, 9*hour), probation), []string{
			"MaxCrashes(20 in 9h) is inside Probation(1m, 5m), which answers without asking it; put MaxCrashes outside it"}},
		{"inside a probation, but sooner", stack(everySec, trips5, policy.MaxCrashes(4, 9*hour), probation), []string{
			"CrashLoop(5 in 1m: 30s) never trips, since MaxCrashes(4 in 9h) gives up first; raise its n to 5 at least, or leave one of them out"}},
		{"inside a crash loop that trips each time", stack(everySec, policy.MaxCrashes(20, 9*hour), policy.CrashLoop(1, minute, minute)), []string{
			"MaxCrashes(20 in 9h) is inside CrashLoop(1 in 1m: 1m), which answers without asking it; put MaxCrashes outside it"}},
		{"inside a crash loop", stack(everySec, policy.MaxCrashes(20, 9*hour), trips5), nil},
		{"a thousand inside a crash loop", stack(everySec, policy.MaxCrashes(1000, 9*hour), trips5), nil},
		{"inside something that asks seldom", policy.Compose(everySec, policy.MaxCrashes(20, hour), own), nil},
	})
}

func TestVetFigures(t *testing.T) {
	constant := func(d time.Duration) policy.Policy {
		return policy.FromBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(d) })
	}
	runVet(t, []vetTest{
		{"a hold shorter than the delay", stack(doubling, policy.CrashLoop(5, minute, 7*time.Second)), []string{
			"CrashLoop(5 in 1m: 7s) holds for less than the delay that it replaces, which is 8s by then; raise its cool-down above that"}},
		{"a hold as long", stack(doubling, policy.CrashLoop(5, minute, 8*time.Second)), nil},
		{"a hold shorter than the delay of many crashes", stack(doubling, policy.CrashLoop(1000, 24*hour, 59*time.Second)), []string{
			"CrashLoop(1000 in 24h: 59s) holds for less than the delay that it replaces, which is 1m by then; raise its cool-down above that"}},
		{"a probation that begins below", stack(doubling, policy.CrashLoop(5, minute, 2*minute), probation), []string{
			"Probation(1m, 5m) begins with a shorter hold than the 2m of CrashLoop(5 in 1m: 2m), which it follows; raise its first cool-down to that"}},
		{"a probation that begins with it", stack(doubling, policy.CrashLoop(5, minute, minute), probation), nil},
		{"jitter cuts", stack(doubling, policy.Jitter(policy.FullJitter, 59*time.Second)), []string{
			"Jitter(full ≤ 59s) cuts the delays inside it short, which are up to 1m; raise its max to that"}},
		{"jitter fits", stack(doubling, policy.Jitter(policy.FullJitter, minute)), nil},
		{"jitter cuts steps", stack(policy.Steps(0, minute, time.Second), policy.Jitter(policy.EqualJitter, 59*time.Second)), []string{
			"Jitter(equal ≤ 59s) cuts the delays inside it short, which are up to 1m; raise its max to that"}},
		{"jitter cuts what has no end", policy.Jitter(policy.FullJitter, minute)(policy.Constant(math.MaxInt64)), []string{
			"Jitter(full ≤ 1m) cuts the delays inside it short, which are up to forever; raise its max to that"}},
		{"jitter over a backoff", stack(constant(minute), policy.Jitter(policy.FullJitter, time.Second)), []string{
			"Jitter(full ≤ 1s) cuts the delays inside it short, which are up to 1m; raise its max to that"}},
	})
}

func TestVetStartsOver(t *testing.T) {
	const words = ", and nothing makes it start over; add StableRun, outside the rules that count"
	growing := func() backoff.BackOff { return backoff.NewExponentialBackOff(backoff.WithRandomizationFactor(0)) }
	runVet(t, []vetTest{
		{"exponential", doubling, []string{"Exponential(500ms ×2 ≤ 1m) grows up to 1m" + words}},
		{"exponential that does not grow", policy.Exponential(minute, 2, minute), nil},
		{"exponential in a crash loop", trips5(doubling), []string{"Exponential(500ms ×2 ≤ 1m) grows up to 1m" + words}},
		{"exponential in a stable run", stable(doubling), nil},
		{"exponential in something of someone's", own(doubling), nil},
		{"exponential in something to look through", ownSeen(doubling), nil},
		{"steps", policy.Steps(0, minute, time.Second), []string{"Steps(0s, 1m, 1s) grows up to 1m" + words}},
		{"steps that fall", policy.Steps(minute, time.Second), nil},
		{"steps that end", policy.Steps(0, math.MaxInt64), []string{"Steps(0s, 2562047h47m16.854775807s) grows up to forever" + words}},
		{"backoff", policy.FromBackOff(growing), []string{"FromBackOff grows up to 1m" + words}},
		{"constant backoff", policy.FromBackOff(func() *backoff.ZeroBackOff { return &backoff.ZeroBackOff{} }), nil},
		{"decorrelated jitter", policy.Jitter(policy.DecorrelatedJitter, minute)(everySec), []string{
			"Jitter(decorrelated ≤ 1m) grows from hold to hold" + words}},
		{"full jitter", policy.Jitter(policy.FullJitter, minute)(everySec), nil},
	})
}

func TestVetOrder(t *testing.T) {
	runVet(t, []vetTest{
		{"a stable run inside a crash loop", policy.Compose(doubling, stable, trips5), []string{
			"StableRun(1m) is inside CrashLoop(5 in 1m: 30s), which counts the crashes from before a stable run; put StableRun outside it"}},
		{"a stable run inside a probation", policy.Compose(doubling, trips5, stable, probation), []string{
			"StableRun(1m) is inside Probation(1m, 5m), which counts the crashes from before a stable run; put StableRun outside it"}},
		{"a stable run inside a limit, which counts on", policy.Compose(doubling, stable, policy.MaxCrashes(20, hour)), nil},
		{"a probation without a crash loop", stack(everySec, probation), []string{
			"Probation(1m, 5m) has no CrashLoop inside, so it never begins; put one inside it"}},
		{"a probation around something that may trip", policy.Compose(everySec, own, probation, stable), nil},
		{"a probation inside a crash loop", stack(everySec, probation, trips5), []string{
			"Probation(1m, 5m) is inside CrashLoop(5 in 1m: 30s), which wipes the slate once its hold is over; put Probation outside it"}},
		{"a probation without end", policy.Compose(everySec, trips5, probation), []string{
			"Probation(1m, 5m) has no StableRun outside, so a task that has tripped once stays on probation forever; put one outside it"}},
		{"a probation that someone may end", policy.Compose(everySec, trips5, probation, ownSeen), nil},
		{"a spread inside a crash loop", stack(everySec, spread, trips5), []string{
			"Spread(10%) is inside CrashLoop(5 in 1m: 30s), whose holds it does not spread; put Spread outside it"}},
		{"a spread between crash loop and probation", stack(everySec, trips5, spread, probation), []string{
			"Spread(10%) is inside Probation(1m, 5m), whose holds it does not spread; put Spread outside it"}},
		{"a spread outside", stack(everySec, trips5, probation, spread), nil},
		{"a spread inside and one outside", stack(everySec, spread, trips5, policy.Spread(0.5)), nil},
		{"a spread inside a limit", stack(everySec, spread, policy.MaxCrashes(3, hour)), nil},
		{"an ignore inside a crash loop", stack(everySec, ignore, trips5), []string{
			"Ignore is inside CrashLoop(5 in 1m: 30s), which counts what it ignores; put Ignore outside it"}},
		{"an ignore inside a limit", stack(everySec, ignore, policy.MaxCrashes(3, hour)), []string{
			"Ignore is inside MaxCrashes(3 in 1h), which counts what it ignores; put Ignore outside it"}},
		{"an ignore inside a stable run", stack(everySec, trips5, ignore), nil},
	})
}

// What is inside a Match is vetted with what is around it.
func TestVetMatch(t *testing.T) {
	match := func(other policy.Policy) policy.Decorator { return policy.Match(isConfig, other) }
	runVet(t, []vetTest{
		{"sound", stack(doubling, match(policy.Steps(hour, 2*hour))), nil},
		{"grows", policy.Compose(everySec, match(policy.Steps(hour, 2*hour))), []string{
			"Steps(1h, 2h) grows up to 2h, and nothing makes it start over; add StableRun, outside the rules that count"}},
		{"a limit that never is reached", policy.Compose(everySec, match(policy.MaxCrashes(3, hour)(policy.Constant(hour)))), []string{
			"MaxCrashes(3 in 1h) never gives up on a task that fails at once: 4 crashes take 3h at least; raise its window above that, or lower its n"}},
		{"a spread inside what is around", stack(everySec, match(spread(policy.Constant(minute))), trips5), []string{
			"Spread(10%) is inside CrashLoop(5 in 1m: 30s), whose holds it does not spread; put Spread outside it"}},
		{"the same warning once", stack(spread(everySec), match(spread(policy.Constant(minute))), trips5), []string{
			"Spread(10%) is inside CrashLoop(5 in 1m: 30s), whose holds it does not spread; put Spread outside it"}},
		{"a stable run inside, the same around", stack(doubling, match(stable(policy.Steps(0, hour)))), []string{
			"StableRun(1m) changes nothing beside StableRun(1m); leave it out"}},
		{"a shorter stable run inside", stack(doubling, match(policy.StableRun(time.Second)(policy.Steps(0, hour)))), nil},
	})
}

func TestVetPanics(t *testing.T) {
	const want = "the policy panics on a crash, and gates then decide as policy.Default() does; package policytest finds out more"
	panics := policy.Func(func(h policy.History) policy.Decision {
		if h.Streak() == 100 {
			panic("a hundred")
		}
		return policy.Decision{}
	})
	runVet(t, []vetTest{
		{"alone", panics, []string{want}},
		{"inside others", stack(panics, policy.Jitter(policy.FullJitter, minute), policy.CrashLoop(200, minute, hour), policy.MaxCrashes(300, 1)), []string{want}},
		{"on another error only", policy.Func(func(h policy.History) policy.Decision {
			if !errors.Is(h.Err(), policy.ErrUnknown) {
				panic("a known error")
			}
			return policy.Decision{}
		}), nil},
		{"a nil Func", policy.Func(nil), []string{want}},
	})
}

// Vet leaves the policy as it was: nothing is charged, and nothing is decided.
func TestVetChangesNothing(t *testing.T) {
	p := policy.Budget(1, 1)(everySec)
	for range 5 {
		policy.Vet(p)
	}
	newTask(t, p).wantCrash(0, hold(1))
	newTask(t, p).wantCrash(0, hold(2))
	policy.Vet(p)
	newTask(t, p).wantCrash(0, hold(3))
}

// A configuration is vetted as the stack that it makes.
func TestVetConfig(t *testing.T) {
	c := change(func(c *policy.Config) { c.MaxCrashes = policy.Limit{N: 20, Window: hour} })
	got := policy.Vet(mustPolicy(t, c))
	if len(got) != 1 || !strings.HasPrefix(got[0], "MaxCrashes(20 in 1h) never gives up on a task that fails at once: 21 crashes take 1h1") {
		t.Errorf("got %q", got)
	}
	c.MaxCrashes.Window = 2 * hour
	if got := policy.Vet(mustPolicy(t, c)); got != nil {
		t.Errorf("got %q", got)
	}
}

// vettedStacks are compositions without a draw, so that what Vet says of them is what
// a simulation shows.
var vettedStacks = rapid.Custom(func(t *rapid.T) (p policy.Policy) {
	c := configs.Draw(t, "config")
	p = policy.Exponential(c.Initial, c.Factor, c.Max)
	var outward []policy.Decorator
	add := func(name string, d policy.Decorator) {
		if rapid.Bool().Draw(t, name) {
			outward = append(outward, d)
		}
	}
	add("loop", policy.CrashLoop(c.Threshold, c.Window, c.Cooldown))
	if len(c.Cooldowns) > 0 {
		add("probation", policy.Probation(c.Cooldowns...))
	}
	add("stable", policy.StableRun(c.StableAfter))
	add("other loop", policy.CrashLoop(rapid.IntRange(1, 40).Draw(t, "threshold"), ms(t, "other window", 1, 3_600_000), ms(t, "other cooldown", 1, 3_600_000)))
	return policy.Compose(p, rapid.Permutation(outward).Draw(t, "order")...)
})

// Vet warns of a limit if, and only if, a task that fails at once is never given up.
func TestVetOfLimitsIsWhatASimulationShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := policy.MaxCrashes(rapid.IntRange(0, 200).Draw(t, "n"), ms(t, "window", 1, 7_200_000))
		p := limit(vettedStacks.Draw(t, "stack"))
		timeline := policy.Simulate(p, slices.Repeat([]policy.Run{{Err: policy.ErrUnknown}}, 2000))
		gaveUp := timeline[len(timeline)-1].Verdict == policy.GiveUp
		warned := slices.ContainsFunc(policy.Vet(p), func(w string) bool { return strings.Contains(w, "never gives up") })
		if gaveUp == warned && len(timeline) <= 256 || gaveUp && warned {
			t.Fatalf("%v: given up: %t, after %d crashes; warned: %t", p, gaveUp, len(timeline), warned)
		}
	})
}

// It warns of a crash loop only if such a task does not trip it.
func TestVetOfLoopsIsWhatASimulationShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := vettedStacks.Draw(t, "stack")
		trips := false
		for _, step := range policy.Simulate(p, slices.Repeat([]policy.Run{{Err: policy.ErrUnknown}}, 300)) {
			trips = trips || step.Verdict == policy.CrashLooping
		}
		loops, warnings := strings.Count(p.(interface{ String() string }).String(), "CrashLoop("), 0
		for _, w := range policy.Vet(p) {
			if strings.HasPrefix(w, "CrashLoop(") && strings.Contains(w, " never trips") {
				warnings++
			}
		}
		if trips && loops > 0 && warnings == loops || !trips && warnings < loops {
			t.Fatalf("%v: trips: %t, but of %d crash loops %d never do: %s", p, trips, loops, warnings, strings.Join(policy.Vet(p), "\n"))
		}
	})
}
