package policy_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestSimulate(t *testing.T) {
	const s = time.Second
	runs := []policy.Run{{For: s, Err: errCrash}, {Err: errCrash}, {For: 3 * s}, {For: time.Minute, Err: errCrash}, {For: -s, Err: errConfig}}
	want := policy.Timeline{
		{0, s, errCrash, 1, policy.Restart, s / 2},
		{1500 * time.Millisecond, 1500 * time.Millisecond, errCrash, 2, policy.Restart, s},
		{2500 * time.Millisecond, 5500 * time.Millisecond, nil, 2, policy.Restart, s},
		{6500 * time.Millisecond, 66500 * time.Millisecond, errCrash, 1, policy.Restart, s / 2},
		{67 * s, 67 * s, errConfig, 2, policy.Restart, s},
	}
	if got := policy.Simulate(policy.Classic(), runs); !slices.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	if got, want := policy.Simulate(nil, runs), policy.Simulate(policy.Default(), runs); !slices.Equal(got, want) {
		t.Errorf("of nil: got\n%v\nwant\n%v", got, want)
	}
}

func TestSimulateTripsTheCrashLoop(t *testing.T) {
	got := policy.Simulate(policy.Classic(), slices.Repeat([]policy.Run{{Err: errCrash}}, 6))
	if trip := got[4]; trip.Verdict != policy.CrashLooping || trip.Hold != 5*time.Minute || trip.Streak != 5 {
		t.Errorf("crash 5: %+v, want a crash loop of 5m", trip)
	}
	if next := got[5]; next.Verdict != policy.Restart || next.Start != got[4].End+5*time.Minute || next.Streak != 1 {
		t.Errorf("crash 6: %+v, want the first of a new streak", next)
	}
}

func TestSimulateFrom(t *testing.T) {
	var asked []time.Time
	p := policy.Func(func(h policy.History) policy.Decision {
		asked = append(asked, h.Now())
		return hold(60)
	})
	runs := slices.Repeat([]policy.Run{{For: time.Second, Err: errCrash}}, 2)
	saturday := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		opts []policy.SimulateOption
		from time.Time
	}{
		"by default":      {nil, saturday},
		"a nil option":    {[]policy.SimulateOption{nil}, saturday},
		"the zero time":   {[]policy.SimulateOption{policy.From(time.Time{})}, saturday},
		"start":           {[]policy.SimulateOption{policy.From(start)}, start},
		"the year 20000":  {[]policy.SimulateOption{policy.From(year(20000))}, year(20000)},
		"before year 1":   {[]policy.SimulateOption{policy.From(year(-5))}, year(-5)},
		"1970":            {[]policy.SimulateOption{policy.From(time.Unix(0, 0))}, time.Unix(0, 0)},
		"the last counts": {[]policy.SimulateOption{policy.From(year(1)), policy.From(start)}, start},
	} {
		asked = nil
		policy.Simulate(p, runs, test.opts...)
		if want := []time.Time{test.from.Add(time.Second), test.from.Add(62 * time.Second)}; !slices.EqualFunc(asked, want, time.Time.Equal) {
			t.Errorf("%s: asked at %v, want %v", name, asked, want)
		}
	}
}

func year(y int) time.Time { return time.Date(y, time.June, 1, 0, 0, 0, 0, time.UTC) }

func TestSimulateWithSeed(t *testing.T) {
	p := policy.Jitter(policy.FullJitter, time.Hour)(policy.Constant(time.Hour))
	run := []policy.Run{{Err: errCrash}}
	byDefault := policy.Simulate(p, run)
	for seed, same := range map[uint64]bool{0: true, 1: true, 2: false, math.MaxUint64: false} {
		if got := policy.Simulate(p, run, policy.WithSeed(seed)); slices.Equal(got, byDefault) != same {
			t.Errorf("seed %d: held for %v, by default for %v", seed, got[0].Hold, byDefault[0].Hold)
		}
	}
}

func TestSimulateEndsWhereThePolicyGivesUp(t *testing.T) {
	got := policy.Simulate(policy.MaxCrashes(1, time.Hour)(policy.Constant(time.Second)), slices.Repeat([]policy.Run{{Err: errCrash}}, 9))
	if len(got) != 2 || got[1].Verdict != policy.GiveUp || got[1].Hold != 0 {
		t.Errorf("%v, want two runs, the second of which is given up", got)
	}
}

func TestSimulateEndsWhereTheHoldDoesNot(t *testing.T) {
	got := policy.Simulate(policy.Constant(math.MaxInt64), slices.Repeat([]policy.Run{{For: time.Second, Err: errCrash}}, 9))
	if len(got) != 1 || got[0].Hold != math.MaxInt64-time.Second {
		t.Errorf("%v, want one run, held forever", got)
	}
}

// A simulation ends after 18 years, whatever runs are left.
func TestSimulateEndsAfterYears(t *testing.T) {
	const y = 365 * 24 * time.Hour
	for name, test := range map[string]struct {
		policy policy.Policy
		run    time.Duration
		want   int
	}{
		"long runs":     {policy.Constant(1), 5 * y, 3},
		"long holds":    {policy.Constant(5 * y), 0, 4},
		"endless runs":  {policy.Constant(1), math.MaxInt64, 0},
		"endless holds": {policy.Constant(math.MaxInt64 - 1), 0, 1},
	} {
		got := policy.Simulate(test.policy, slices.Repeat([]policy.Run{{For: test.run, Err: errCrash}}, 99))
		if len(got) != test.want {
			t.Errorf("%s: %d runs, want %d\n%v", name, len(got), test.want, got)
		}
	}
}

func TestSimulateGuards(t *testing.T) {
	var f policy.Func // panics when asked
	got := policy.Simulate(f, []policy.Run{{Err: errCrash}})
	if want := policy.Simulate(nil, []policy.Run{{Err: errCrash}}); !slices.Equal(got, want) {
		t.Errorf("%v, want what the default policy decides", got)
	}
}

func TestSimulateIsAReplay(t *testing.T) {
	p := policy.Jitter(policy.FullJitter, time.Hour)(policy.Default())
	runs := slices.Repeat([]policy.Run{{For: time.Second, Err: errCrash}}, 20)
	if one, again := policy.Simulate(p, runs), policy.Simulate(p, runs); !slices.Equal(one, again) {
		t.Errorf("first\n%v\nagain\n%v", one, again)
	}
}

// rude is an error that cannot even be printed.
type rude struct{}

func (rude) Error() string { panic("no comment") }

func TestTimelineString(t *testing.T) {
	p := policy.Match(isConfig, policy.Func(func(policy.History) policy.Decision { return giveUp }))(policy.Classic())
	got := policy.Simulate(p, []policy.Run{
		{For: time.Second, Err: errors.New("two\tcolumns\nand two lines")},
		{For: time.Minute},
		{Err: rude{}},
		{For: time.Second, Err: errConfig},
	}).String()
	const want = `run  start   end     ended by                                     streak  decision             next start
1    0s      1s      two columns …                                1       restart after 500ms  1.5s
2    1.5s    1m1.5s  clean exit                                   0       restart after 500ms  1m2s
3    1m2s    1m2s    policy_test.rude, whose Error method panics  1       restart after 500ms  1m2.5s
4    1m2.5s  1m3.5s  bad configuration                            2       give up              never
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := (policy.Timeline{}).String(), "run  start  end  ended by  streak  decision  next start\n"; got != want {
		t.Errorf("empty: %q, want %q", got, want)
	}
}

// An endless hold is shown as such, not as centuries.
func TestTimelineOfAnEndlessHold(t *testing.T) {
	text := policy.Simulate(policy.Constant(math.MaxInt64), []policy.Run{{For: time.Second, Err: errCrash}}).String()
	if !strings.Contains(text, "held forever  never\n") {
		t.Errorf("got\n%s", text)
	}
}
