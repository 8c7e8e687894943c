package gate_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// restored is what a process has of a snapshot that takes over at now.
func restored(t testing.TB, p policy.Policy, s gate.Snapshot, now time.Time) *gate.Tracker {
	t.Helper()
	tracker := gate.NewTracker(p)
	if err := tracker.Restore(s.Resume(now)); err != nil {
		t.Fatal(err)
	}
	return tracker
}

func TestResumeContinuesTheHold(t *testing.T) {
	before := gate.NewTracker(policy.Classic())
	for i := range 5 {
		before.ObserveCrash(at(float64(i)), errCrash)
	}
	for _, test := range []struct {
		name     string
		now      float64
		wantHold float64 // from now, at least 0
	}{
		{"at once", 4, 300},
		{"after a minute", 64, 240},
		{"after the hold", 400, 0},
		{"clock set back by a second", 3, 300},
		{"clock set back by a day", 4 - 86400, 300},
		{"clock set forth by a century", 100 * 365 * 86400, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := at(4).Add(time.Duration((test.now - 4) * float64(time.Second)))
			after := restored(t, policy.Classic(), throughJSON(t, before.Snapshot()), now)
			wantState(t, after, held(gate.CrashLooping, now.Add(time.Duration(test.wantHold*float64(time.Second)))))
			if open := test.wantHold <= 0; after.Admissible(now) != open {
				t.Errorf("admissible = %v, want %v", !open, open)
			}
			if got := after.History().Streak(); got != 5 {
				t.Errorf("streak = %d, want 5", got)
			}
			state := after.ObserveCrash(now, errCrash)
			if hold := state.Until().Sub(now); hold > 5*time.Minute || hold <= 0 {
				t.Errorf("the next crash holds for %v, want no more than the policy allows", hold)
			}
		})
	}
}

// Downtime is not running: a task that ran for a second before its process died
// has not earned a clean slate by the night that the process was down.
func TestResumeDoesNotCountDowntimeAsARun(t *testing.T) {
	var before gate.Tracker
	before.ObserveCrash(at(0), errCrash)
	before.ObserveStart(at(1))
	saved := before.Snapshot()
	saved.History.Now = 2 * time.Second // seen alive at
	after := restored(t, nil, saved, at(36_000))
	after.ObserveCrash(at(36_000), errCrash)
	if h := after.History(); h.Ran() != time.Second || h.Streak() != 2 {
		t.Errorf("ran %v, streak %d; want 1s and 2", h.Ran(), h.Streak())
	}
}

// A gate restored goes by the monotonic clock of the process, as others do.
func TestResumeTakesTheMonotonicClock(t *testing.T) {
	var before gate.Tracker
	before.ObserveCrash(time.Now(), errCrash)
	now := time.Now()
	s := throughJSON(t, before.Snapshot()).Resume(now)
	for _, instant := range []time.Time{s.Until, s.History.Start} {
		if !strings.Contains(instant.String(), "m=") {
			t.Errorf("%v has no monotonic reading, want that of now", instant)
		}
	}
}

func TestResumeLeavesAloneWhatItCannotMove(t *testing.T) {
	var tracker gate.Tracker
	if s := tracker.Snapshot(); s.Resume(at(0)).History.Start != (time.Time{}) {
		t.Error("an unused gate has begun")
	}
	tracker.ObserveCrash(at(0), errCrash)
	corrupt := tracker.Snapshot()
	corrupt.History.Streak = 9
	if err := new(gate.Tracker).Restore(corrupt.Resume(at(1))); err == nil {
		t.Error("a corrupt snapshot was restored")
	}
	givesUp := gate.NewTracker(givesUp)
	givesUp.ObserveCrash(at(0), errCrash)
	wantState(t, restored(t, nil, givesUp.Snapshot(), at(1)), held(gate.GaveUp, endless))
	forEver := gate.NewTracker(policy.CrashLoop(1, time.Second, math.MaxInt64)(policy.Constant(0)))
	forEver.ObserveCrash(at(0), errCrash)
	after := restored(t, policy.Constant(time.Second), forEver.Snapshot(), at(1))
	wantState(t, after, held(gate.CrashLooping, endless))
	if s := after.ObserveCrash(at(2), errCrash); s.Phase() != gate.CrashLooping {
		t.Errorf("a crash has ended a crash loop that has no end: %v", s)
	}
}

// What is at the limits of a record can be resumed, and what has an end keeps one.
func TestResumeAtTheLimits(t *testing.T) {
	const farthest = 1 << 60
	for name, loopEnd := range map[string]time.Duration{"latest": math.MaxInt64 - 1, "earliest": math.MinInt64, "none": math.MaxInt64} {
		for _, now := range []time.Duration{-farthest, 0, farthest} {
			r := policy.Record{
				Start: start, Now: now, Running: true, Began: -farthest, Ran: math.MaxInt64, Crashed: true,
				Total: math.MaxInt64 / 2, Streak: 2, Crashes: []time.Duration{-farthest, now}, LastDelay: math.MaxInt64,
				Trips: math.MaxUint32, LoopEnd: loopEnd, Depth: math.MaxUint32, Seed: 1,
			}
			for _, at := range []time.Time{start, start.Add(now), {}, endless} {
				s := gate.Snapshot{Version: gate.SnapshotVersion, Phase: gate.CrashLooping, Until: start.Add(now).Add(time.Second), History: r}
				tracker := restored(t, policy.Constant(time.Second), s.Resume(at), at)
				if got := tracker.State(); got.Phase() != gate.CrashLooping {
					t.Errorf("%s, now %v, at %v: state = %v, want a crash loop", name, now, at, got)
				}
				wantRoundTrip(t, tracker)
				if (tracker.Snapshot().History.LoopEnd == math.MaxInt64) != (loopEnd == math.MaxInt64) {
					t.Errorf("%s, now %v, at %v: the loop ends at %v", name, now, at, tracker.Snapshot().History.LoopEnd)
				}
			}
		}
	}
}

// Whatever the clocks do between two lives, a hold lasts no longer in the second
// than what was left of it in the first, and a task is as near to its crash loop
// as it was.
func TestResumeModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := configs(t)
		p := composed(t, rules)
		before := gate.NewTracker(p)
		now := start
		for range rapid.IntRange(1, 8).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				before.ObserveStart(now)
			case 1, 2:
				before.ObserveCrash(now, errCrash)
			case 3:
				before.MaybeRelease(now)
			}
		}
		saved := before.Snapshot()
		last := before.History().Now()
		apart := time.Duration(rapid.Int64().Draw(t, "apart"))
		if rapid.Bool().Draw(t, "near") {
			apart %= time.Minute
		}
		now = last.Add(apart)
		after := gate.NewTracker(p)
		must(t, after.Restore(saved.Resume(now)))
		must(t, gate.NewTracker(p).Restore(after.Snapshot()))

		same(t, "phase", after.State().Phase(), before.State().Phase())
		same(t, "streak", after.History().Streak(), before.History().Streak())
		left := func(s gate.State, at time.Time) time.Duration {
			until, ends := s.ReleaseAt()
			if !ends {
				return 0
			}
			return max(until.Sub(at), 0)
		}
		want := left(before.State(), last)
		if apart > 0 && now.Year() < 2200 { // later than that no clock shows that is set
			want = left(before.State(), now)
		}
		same(t, "hold that is left", left(after.State(), now), want)
		if apart >= 0 && apart < 365*24*time.Hour { // the clocks agree: so must the two lives
			next := now.Add(time.Second)
			was, is := before.ObserveCrash(next, errCrash), after.ObserveCrash(next, errCrash)
			if !saved.History.Running && (!was.Equal(is)) {
				t.Fatalf("the next crash: %v, want %v", is, was)
			}
		}
	})
}
