package gate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// endless is the Until of a hold without an end, as State documents it.
var endless = time.Date(9999, time.December, 31, 23, 59, 59, 999999999, time.UTC)

func TestPhaseText(t *testing.T) {
	for phase, words := range map[gate.Phase]string{
		gate.Idle: "idle", gate.BackingOff: "backing off", gate.CrashLooping: "crash looping", gate.GaveUp: "gave up", gate.Paused: "paused",
	} {
		if got := phase.String(); got != words {
			t.Errorf("String of %d = %q, want %q", uint8(phase), got, words)
		}
		text, err := phase.MarshalText()
		if err != nil || string(text) != words {
			t.Errorf("MarshalText of %v = %q, %v; want %q", phase, text, err, words)
		}
		read := gate.Phase(99)
		if err := read.UnmarshalText(text); err != nil || read != phase {
			t.Errorf("UnmarshalText of %q = %v, %v; want %v", text, read, err, phase)
		}
	}
}

func TestPhaseUnknown(t *testing.T) {
	unknown := gate.Paused + 1
	if got := unknown.String(); got != "phase(5)" {
		t.Errorf("String = %q, want phase(5)", got)
	}
	if text, err := unknown.MarshalText(); err == nil {
		t.Errorf("MarshalText = %q, want an error", text)
	}
	for _, text := range []string{"", "Idle", "idle ", "phase(5)", "backing  off"} {
		phase := gate.BackingOff
		if err := phase.UnmarshalText([]byte(text)); err == nil || phase != gate.BackingOff {
			t.Errorf("UnmarshalText of %q = %v, %v; want an error, and no change", text, phase, err)
		}
	}
}

func TestStateText(t *testing.T) {
	until := time.Date(2006, time.January, 2, 15, 4, 5, 500_000_000, time.UTC)
	for _, test := range []struct {
		state gate.State
		words string
	}{
		{gate.State{}, "idle"},
		{held(gate.BackingOff, until), "backing off until 2006-01-02T15:04:05.5Z"},
		{held(gate.CrashLooping, until.Truncate(time.Second)), "crash looping until 2006-01-02T15:04:05Z"},
		{held(gate.BackingOff, until.Add(1).In(time.FixedZone("", 3600))), "backing off until 2006-01-02T16:04:05.500000001+01:00"},
		{held(gate.BackingOff, endless), "backing off for ever"},
		{held(gate.CrashLooping, endless), "crash looping for ever"},
		{held(gate.GaveUp, endless), "gave up"},
		{held(gate.Paused, endless), "paused"},
	} {
		if got := test.state.String(); got != test.words {
			t.Errorf("String = %q, want %q", got, test.words)
		}
		text, err := json.Marshal(test.state)
		if err != nil || string(text) != `"`+test.words+`"` {
			t.Errorf("JSON of %v = %s, %v; want its words", test.state, text, err)
		}
		var read gate.State
		if err := json.Unmarshal(text, &read); err != nil || !read.Equal(test.state) {
			t.Errorf("%s read back = %v, %v; want %v", text, read, err, test.state)
		}
	}
}

func TestStateTextMalformed(t *testing.T) {
	if text, err := held(gate.Paused+1, endless).MarshalText(); err == nil {
		t.Errorf("MarshalText of an unknown phase = %q, want an error", text)
	}
	for text, fault := range map[string]string{
		"":                             "is unknown",
		"asleep":                       "is unknown",
		"backing off":                  "is malformed",
		"crash looping":                "is malformed",
		"crash looping until":          "is unknown",
		"backing off until ":           "has no instant",
		"backing off until tomorrow":   "has no instant",
		"backing off until 2006-01-02": "has no instant",
		"backing off until 2006-01-02T15:04:05Z for ever":     "has no instant",
		"backing off for ever until 2006-01-02T15:04:05Z":     "is malformed",
		"idle until 2006-01-02T15:04:05Z":                     "is malformed",
		"idle for ever":                                       "is malformed",
		"idle for ever until 2006-01-02T15:04:05Z":            "is malformed",
		"gave up for ever":                                    "is malformed",
		"gave up until 2006-01-02T15:04:05Z":                  "is malformed",
		"for ever":                                            "is unknown",
		" until 2006-01-02T15:04:05Z":                         "is unknown",
		"backing off until 2006-01-02T15:04:05Z until \u2026": "has no instant",
	} {
		before := held(gate.CrashLooping, start)
		state := before
		err := state.UnmarshalText([]byte(text))
		if err == nil || !strings.Contains(err.Error(), fault) || !strings.HasPrefix(err.Error(), "gate: ") {
			t.Errorf("%q: error = %v, want one of gate that says %q", text, err, fault)
		}
		if state != before {
			t.Errorf("%q: changed the state to %v", text, state)
		}
	}
}

func TestStateReleaseAt(t *testing.T) {
	for _, test := range []struct {
		state gate.State
		at    time.Time
		ends  bool
	}{
		{gate.State{}, time.Time{}, false},
		{held(gate.BackingOff, start), start, true},
		{held(gate.CrashLooping, start), start, true},
		{held(gate.BackingOff, endless), time.Time{}, false},
		{held(gate.CrashLooping, endless.Local()), time.Time{}, false},
		{held(gate.GaveUp, endless), time.Time{}, false},
		{held(gate.GaveUp, start), time.Time{}, false},
	} {
		if at, ends := test.state.ReleaseAt(); at != test.at || ends != test.ends {
			t.Errorf("%v: ReleaseAt = %v, %v; want %v, %v", test.state, at, ends, test.at, test.ends)
		}
	}
}

func TestStateAdmissible(t *testing.T) {
	for _, test := range []struct {
		state gate.State
		now   time.Time
		want  bool
	}{
		{gate.State{}, time.Time{}, true},
		{gate.State{}, start, true},
		{held(gate.BackingOff, start), start.Add(-1), false},
		{held(gate.BackingOff, start), start, true},
		{held(gate.BackingOff, start), start.In(time.FixedZone("", 3600)), true},
		{held(gate.CrashLooping, start), start.Add(-1), false},
		{held(gate.CrashLooping, start), start.Add(1), true},
		{held(gate.CrashLooping, endless), endless.Add(1), false},
		{held(gate.GaveUp, endless), endless, false},
	} {
		if got := test.state.Admissible(test.now); got != test.want {
			t.Errorf("%v at %v: admissible = %t, want %t", test.state, test.now, got, test.want)
		}
	}
}

// The zero time in text is an end as any other, though it stands for none in Held.
func TestStateTextOfTheZeroTime(t *testing.T) {
	var s gate.State
	if err := s.UnmarshalText([]byte("backing off until 0001-01-01T00:00:00Z")); err != nil {
		t.Fatal(err)
	}
	if until, ends := s.ReleaseAt(); !ends || until.Sub(time.Time{}) > 1 {
		t.Errorf("held until %v, %t; want the zero time, to the nanosecond", until, ends)
	}
}

// Held makes any state that a gate can be in, and no other.
func TestHeld(t *testing.T) {
	for _, test := range []struct {
		state gate.State
		phase gate.Phase
		until time.Time
	}{
		{gate.Held(gate.Idle, start), gate.Idle, time.Time{}},
		{gate.Held(gate.BackingOff, start), gate.BackingOff, start},
		{gate.Held(gate.CrashLooping, time.Time{}), gate.CrashLooping, endless},
		{gate.Held(gate.BackingOff, endless.Local()), gate.BackingOff, endless},
		{gate.Held(gate.GaveUp, start), gate.GaveUp, endless},
		{gate.Held(gate.Paused, time.Time{}), gate.Paused, endless},
		{gate.Held(gate.Paused+1, start), gate.Paused + 1, endless},
		{gate.Held(8, start), 7, endless},
		{gate.Held(255, start), 7, endless},
	} {
		if got := test.state; got.Phase() != test.phase || !got.Until().Equal(test.until) {
			t.Errorf("phase %d until %v, want %d until %v", got.Phase(), got.Until(), test.phase, test.until)
		}
		if idle := test.phase == gate.Idle; (test.state == gate.State{}) != idle || test.state.Admissible(start.Add(-1)) != idle {
			t.Errorf("%#v: is it idle or not?", test.state)
		}
	}
	for _, odd := range slices.Concat(oddInstants, unsaveableInstants) {
		s := gate.Held(gate.BackingOff, odd)
		if at, ends := s.ReleaseAt(); (odd.IsZero() || odd.Equal(endless)) == ends || ends && at != odd {
			t.Errorf("held until %v: ReleaseAt = %v, %t", odd, at, ends)
		}
		if _, ends := s.ReleaseAt(); ends && (s.Admissible(odd.Add(-1)) || !s.Admissible(odd)) {
			t.Errorf("held until %v: want it open from then on, and not before", odd)
		}
	}
}

// States are equal by what they say, whatever clock and gate it comes from.
func TestStateEqual(t *testing.T) {
	now := time.Now()
	tracker := gate.NewTracker(policy.Constant(time.Hour))
	crashed := tracker.ObserveCrash(now, errCrash)
	beforeTheEnd := endless.Add(-time.Hour)
	late := gate.NewTracker(policy.Constant(time.Hour)).ObserveCrash(beforeTheEnd, errCrash)
	if !late.Until().Equal(endless) {
		t.Fatalf("%v does not end as late as never", late)
	}
	early := gate.NewTracker(policy.Constant(time.Hour)).ObserveCrash(time.Time{}.Add(-time.Hour), errCrash)
	if until, ends := early.ReleaseAt(); !until.IsZero() || !ends {
		t.Fatalf("%v does not end at the zero time", early)
	}
	for _, test := range []struct {
		a, b gate.State
		want bool
	}{
		{gate.State{}, gate.State{}, true},
		{gate.State{}, held(gate.Idle, start), true},
		{crashed, held(gate.BackingOff, now.Add(time.Hour).Round(0).UTC()), true},
		{crashed, held(gate.BackingOff, now.Add(time.Hour+1)), false},
		{crashed, held(gate.CrashLooping, now.Add(time.Hour)), false},
		{crashed, gate.State{}, false},
		{held(gate.GaveUp, start), held(gate.GaveUp, endless), true},
		{held(gate.BackingOff, endless), held(gate.BackingOff, time.Time{}), true},
		{late, held(gate.BackingOff, endless), false},
		{early, held(gate.BackingOff, endless), false},
		{early, early, true},
	} {
		if test.a.Equal(test.b) != test.want || test.b.Equal(test.a) != test.want {
			t.Errorf("%v equals %v: want %t", test.a, test.b, test.want)
		}
	}
}

// States of one gate are equal exactly if they are the same hold, so that
// callers may compare them with ==.
func TestStateComparable(t *testing.T) {
	for _, shell := range shells {
		m := shell.fresh(policy.Classic())
		first := m.ObserveCrash(at(0), errCrash)
		if again := m.State(); again != first {
			t.Errorf("%s: State = %v, then %v: they differ", shell.name, first, again)
		}
		if second := m.ObserveCrash(at(0), errCrash); second == first {
			t.Errorf("%s: the second hold equals the first: %v", shell.name, second)
		}
		m.ForceRelease()
		if idle := m.State(); idle != (gate.State{}) {
			t.Errorf("%s: idle = %#v, want the zero value", shell.name, idle)
		}
	}
}

func TestCauseString(t *testing.T) {
	for cause, want := range map[gate.Cause]string{
		0: "cause(0)", gate.CauseCrash: "crash", gate.CauseCleanExit: "clean exit", gate.CauseStart: "start",
		gate.CauseElapsed: "elapsed", gate.CauseForce: "force release", gate.CauseRestore: "restore",
		gate.CauseProbe: "probe", gate.CausePause: "pause", gate.CausePause + 1: "cause(9)",
	} {
		if got := cause.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}
