package policy_test

import (
	"errors"
	"math"
	"reflect"
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
	if got := policy.Simulate(nil, runs); !slices.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

func TestSimulateTripsTheCrashLoop(t *testing.T) {
	got := policy.Simulate(policy.Default(), slices.Repeat([]policy.Run{{Err: errCrash}}, 6))
	if trip := got[4]; trip.Verdict != policy.CrashLooping || trip.Hold != 5*time.Minute || trip.Streak != 5 {
		t.Errorf("crash 5: %+v, want a crash loop of 5m", trip)
	}
	if next := got[5]; next.Verdict != policy.Restart || next.Start != got[4].End+5*time.Minute || next.Streak != 1 {
		t.Errorf("crash 6: %+v, want the first of a new streak", next)
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
		t.Errorf("%v, want one run, held for ever", got)
	}
	got = policy.Simulate(policy.Constant(1), slices.Repeat([]policy.Run{{For: math.MaxInt64 - 10, Err: errCrash}}, 9))
	if len(got) != 2 || got[1].End != math.MaxInt64 {
		t.Errorf("%v, want two runs, the second of which lasts for ever", got)
	}
}

func TestSimulateGuards(t *testing.T) {
	var f policy.Func // panics when asked
	got := policy.Simulate(f, []policy.Run{{Err: errCrash}})
	if len(got) != 1 || got[0].Hold != 500*time.Millisecond {
		t.Errorf("%v, want what the default policy decides", got)
	}
}

func TestSimulateIsAReplay(t *testing.T) {
	p := policy.Jitter(policy.FullJitter, time.Hour)(policy.Default())
	runs := slices.Repeat([]policy.Run{{For: time.Second, Err: errCrash}}, 20)
	if one, again := policy.Simulate(p, runs), policy.Simulate(p, runs); !reflect.DeepEqual(one, again) {
		t.Errorf("first\n%v\nagain\n%v", one, again)
	}
}

// rude is an error that cannot even be printed.
type rude struct{}

func (rude) Error() string { panic("no comment") }

func TestTimelineString(t *testing.T) {
	p := policy.Match(isConfig, policy.Func(func(*policy.History) policy.Decision { return giveUp }))(policy.Default())
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

// TestTimelineOfAnEndlessHold tells that one is shown as such, not as centuries.
func TestTimelineOfAnEndlessHold(t *testing.T) {
	text := policy.Simulate(policy.Constant(math.MaxInt64), []policy.Run{{For: time.Second, Err: errCrash}}).String()
	if !strings.Contains(text, "held for ever  never\n") {
		t.Errorf("got\n%s", text)
	}
}
