package gate_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// FuzzObservations has any events come at any times, under a policy that the
// first byte chooses. Each event is a byte for its kind, one for the unit of
// time, and two for how many of them have passed, or passed back; from 128 on, the
// second byte chooses an odd instant instead.
func FuzzObservations(f *testing.F) {
	f.Add([]byte{0, 1, 3, 0, 0, 1, 3, 0, 1, 1, 3, 0, 1, 1, 3, 0, 1, 1, 3, 0, 1})
	f.Add([]byte{3, 1, 5, 0, 0, 1, 5, 0x7f, 0xff, 0, 4, 0xff, 0xff, 1, 1, 0, 9})
	f.Add([]byte{2, 1, 6, 0x7f, 0xff, 5, 0, 0, 0, 4, 6, 0x80, 0, 1, 6, 0x7f, 0xff})
	f.Add([]byte{1, 1, 3, 0, 0, 1, 128, 0, 0, 1, 3, 0, 1, 8, 0, 0, 0, 1, 150, 0, 0, 7, 0, 0, 0, 6, 131, 0, 0, 1, 3, 0, 2})
	f.Add([]byte{4, 1, 145, 0, 0, 9, 3, 0, 1, 1, 3, 0, 1, 1, 137, 0, 0, 0, 137, 0, 0, 1, 3, 0, 9})
	f.Add([]byte{0, 0, byte(128 + len(oddInstants)), 0, 0}) // the zero time
	names := names(policies)
	odd := slices.Concat(oddInstants, unsaveableInstants)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		m := seeded(t, gate.NewTracker(policies[names[int(data[0])%len(names)]]))
		clock := start
		for data = data[1:]; len(data) >= 4; data = data[4:] {
			var now time.Time
			if data[1] < 128 {
				clock = clock.Add(units[data[1]%uint8(len(units))] * time.Duration(int16(binary.BigEndian.Uint16(data[2:]))))
				now = clock
			} else {
				now = odd[int(data[1]-128)%len(odd)]
			}
			before, seen := m.State(), m.History().Now()
			event := data[0] % kinds
			observe(m, event, now)
			after := m.State()
			wantSound(t, after)
			if event == crash && before.Phase() == gate.CrashLooping && after.Phase() != gate.GaveUp && m.History().Looping() &&
				left(after, m.History().Now()) < left(before, seen)-passed(seen, m.History().Now()) {
				t.Fatalf("a crash at %v moved the end from %v, seen at %v, to %v, seen at %v", now, before, seen, after, m.History().Now())
			}
			if until, ends := after.ReleaseAt(); ends && (m.Admissible(until.Add(-1)) || !m.Admissible(until)) {
				t.Fatalf("%v is not open from its end on, or before it", after)
			}
			if after.Admissible(now) != m.Admissible(now) {
				t.Fatalf("%v and its tracker disagree at %v", after, now)
			}
		}
		wantRoundTrip(t, m)
	})
}

// left returns how long a hold lasts from an instant on.
func left(s gate.State, from time.Time) time.Duration {
	until, ends := s.ReleaseAt()
	switch {
	case s == gate.State{}:
		return 0
	case !ends:
		return math.MaxInt64
	}
	return until.Sub(from)
}

// passed returns how much time a gate takes to have passed between two instants that it
// has seen: none if the clock was set.
func passed(from, to time.Time) time.Duration {
	const longest = 1 << 59
	if d := to.Sub(from); 0 < d && d <= longest {
		return d
	}
	return 0
}

// units of time, from the least to years.
var units = [...]time.Duration{0, 1, time.Microsecond, time.Second, time.Minute, time.Hour, 24 * time.Hour}

// The kinds of events.
const (
	startRun = iota
	crash
	cleanExit
	restart
	maybeRelease
	forceRelease
	tryStart
	probe
	pause
	look
	kinds
)

func observe(m machine, event byte, now time.Time) {
	switch event {
	case startRun:
		m.ObserveStart(now)
	case crash:
		m.ObserveCrash(now, errCrash)
	case cleanExit:
		m.ObserveCleanExit(now)
	case restart:
		m.ObserveRestart(now)
	case maybeRelease:
		m.MaybeRelease(now)
	case forceRelease:
		m.ForceRelease()
	case tryStart:
		m.TryStart(now)
	case probe:
		m.Probe()
	case pause:
		m.Pause()
	case look:
		m.Admissible(now)
	}
}

// FuzzSnapshotJSON restores any JSON, onto a tracker that has a past.
func FuzzSnapshotJSON(f *testing.F) {
	for _, m := range []machine{new(gate.Tracker), used(gate.NewTracker(nil)), used(gate.NewTracker(givesUp))} {
		f.Add([]byte(mustMarshal(f, m.Snapshot())))
		for range 5 {
			m.ObserveCrash(at(9), errCrash)
		}
		m.ObserveStart(at(10))
		f.Add([]byte(mustMarshal(f, m.Snapshot())))
	}
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":2,"phase":"paused","until":"9999-12-31T23:59:59.999999999Z","paused_by":{"who":"ann","why":"rain"},"history":{}}`))
	f.Add([]byte(`{"version":2,"phase":"backing off","until":"0000-01-01T00:00:00Z","history":{"start":"0001-01-01T00:00:00.000000001Z","now":"-1ns","crashed":true,"total":1}}`))
	f.Add([]byte(`{"version":1,"phase":"crash looping","until":"2099-01-01T00:00:00Z","history":{"start":"1999-01-01T00:00:00Z",` +
		`"now":"-2000000h","crashed":true,"crashes":["-2000001h"],"total":18446744073709551615,"streak":9,"looped":true,"loop_end":"-9ns"}}`))
	f.Add([]byte(`{"version":1,"phase":"idle","history":{"start":"7000-01-01T00:00:00Z","now":"1s","total":7}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s gate.Snapshot
		if json.Unmarshal(text, &s) != nil {
			return
		}
		for _, m := range []machine{gate.NewTracker(nil), used(gate.NewTracker(nil)), used(gate.New(nil))} {
			state, saved := m.State(), mustMarshal(t, m.Snapshot())
			if m.Restore(s) != nil {
				if m.State() != state || mustMarshal(t, m.Snapshot()) != saved {
					t.Fatalf("a restore that failed changed %s to %s", saved, mustMarshal(t, m.Snapshot()))
				}
				continue
			}
			wantSound(t, m.State())
			wantRoundTrip(t, m)
			for event := range byte(look) {
				observe(m, event, at(20))
				wantSound(t, m.State())
			}
		}
	})
}

// wantRoundTrip fails unless m can be saved, and what is restored from it is
// saved the same.
func wantRoundTrip(t *testing.T, m machine) {
	t.Helper()
	saved := mustMarshal(t, m.Snapshot())
	again := new(gate.Tracker)
	if err := again.Restore(throughJSON(t, m.Snapshot())); err != nil {
		t.Fatalf("%s cannot be restored: %v", saved, err)
	}
	if got := mustMarshal(t, again.Snapshot()); got != saved {
		t.Fatalf("restored:\n got %s\nwant %s", got, saved)
	}
}

// FuzzStateText reads any text as a state. One that can be read is one that can
// be written.
func FuzzStateText(f *testing.F) {
	for _, text := range []string{
		"idle", "gave up", "backing off for ever", "crash looping until 2006-01-02T15:04:05.5+07:00",
		"backing off until 9999-12-31T23:59:59.999999999Z", "idle for ever", "phase(4)", " until ",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var s gate.State
		if s.UnmarshalText(text) != nil {
			if s != (gate.State{}) {
				t.Fatalf("%q is malformed, but changed the state to %v", text, s)
			}
			return
		}
		wantSound(t, s)
		written, err := s.MarshalText()
		if err != nil || string(written) != s.String() {
			t.Fatalf("%v, read from %q, is written as %q, %v", s, text, written, err)
		}
		var again gate.State
		if err := again.UnmarshalText(written); err != nil || !again.Equal(s) {
			t.Fatalf("%q, read from %q, is read as %v, %v", written, text, again, err)
		}
	})
}
