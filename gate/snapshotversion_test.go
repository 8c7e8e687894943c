package gate_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// What programs wrote with the first edition is in testdata/v1, and can be restored.
func TestRestoreTheFirstVersion(t *testing.T) {
	tests := map[string]struct {
		state   gate.State
		streak  int
		trips   int
		running bool
		next    gate.State // after a crash that follows, under the classic rules
	}{
		"fresh":           {next: held(gate.BackingOff, at(20.5))},
		"running":         {running: true, next: held(gate.BackingOff, at(20.5))},
		"released":        {next: held(gate.BackingOff, at(20.5))},
		"backing_off":     {held(gate.BackingOff, at(3)), 2, 0, false, held(gate.BackingOff, at(22))},
		"looping":         {held(gate.CrashLooping, at(304)), 5, 1, false, held(gate.CrashLooping, at(320))},
		"looping_running": {gate.State{}, 5, 1, true, held(gate.CrashLooping, at(320))},
		"gave_up":         {held(gate.GaveUp, endless), 1, 0, false, held(gate.BackingOff, at(21))},
		"for_ever":        {held(gate.CrashLooping, endless), 1, 1, false, held(gate.CrashLooping, endless)},
		// The clock was set after the first event, which then made all holds endless.
		"from_1970": {held(gate.BackingOff, time.Date(2020, time.January, 1, 0, 0, 2, 0, time.UTC)), 2, 0, false, held(gate.BackingOff, at(22))},
		// A file that had doubled from life to life. The next crash comes from a clock that
		// was set back, so that it follows at once.
		"grown": {held(gate.BackingOff, at(600_060)), 30_000, 0, false, held(gate.CrashLooping, at(320))},
	}
	files, err := filepath.Glob("testdata/v1/*.json")
	if err != nil || len(files) != len(tests) {
		t.Fatalf("there are %d files, for %d tests (%v)", len(files), len(tests), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		test, ok := tests[name]
		if !ok {
			t.Fatalf("there is no test of %s", file)
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s gate.Snapshot
			if err := json.Unmarshal(text, &s); err != nil {
				t.Fatal(err)
			}
			onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
				m := fresh(policy.Classic())
				if err := m.Restore(s); err != nil {
					t.Fatal(err)
				}
				wantState(t, m, test.state)
				h := m.History()
				if h.Streak() != test.streak || h.Trips() != test.trips || h.Running() != test.running {
					t.Errorf("streak %d, %d trips, running %t; want %d, %d, %t", h.Streak(), h.Trips(), h.Running(), test.streak, test.trips, test.running)
				}
				saved := m.Snapshot()
				if saved.Version != gate.SnapshotVersion || len(saved.History.Crashes) > 64 {
					t.Errorf("saved again as version %d with %d crashes", saved.Version, len(saved.History.Crashes))
				}
				again := restored(t, policy.Classic(), throughJSON(t, s), h.Now())
				if got := again.State(); !got.Equal(test.state) {
					t.Errorf("resumed as %v, want %v", got, test.state)
				}
				m.ObserveCrash(at(20), errCrash)
				wantState(t, m, test.next)
			})
		})
	}
}

// A file that had grown until it was refused can be restored, too.
func TestRestoreTheFirstVersionGrownBeyondAllBounds(t *testing.T) {
	const crashes = 1 << 21
	s := gate.Snapshot{Version: 1, History: policy.Record{
		Start: start, Now: crashes, Err: "exit status 1", Crashed: true, Crashes: make([]time.Duration, crashes),
		Total: crashes, Streak: crashes, Depth: math.MaxUint32, Seed: 1,
	}}
	for i := range s.History.Crashes {
		s.History.Crashes[i] = time.Duration(i)
	}
	for name, s := range map[string]gate.Snapshot{"restored": s, "resumed": s.Resume(at(3600))} {
		var tracker gate.Tracker
		if err := tracker.Restore(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := tracker.History().Streak(); got != crashes {
			t.Errorf("%s: streak = %d, want %d", name, got, crashes)
		}
		if got := tracker.History().Now(); name == "resumed" && !got.Equal(at(3600)) {
			t.Errorf("%s: the present is %v, want that of the resumption", name, got)
		}
	}
}

// A first version that is corrupt is refused as one of today.
func TestRestoreRefusesAFirstVersionThatIsCorrupt(t *testing.T) {
	for fault, r := range map[string]policy.Record{
		"now (2562047h47m16.854775807s) is more than":  {Start: start, Now: math.MaxInt64},
		"now (-2562047h47m16.854775808s) is more than": {Start: start, Now: math.MinInt64},
		"began (1ns) is after now (0s)":                {Start: start, Now: time.Hour, Running: true, Began: time.Hour + 1},
		"crash 1 (1ns) is out of order":                {Start: start, Now: 1, Total: 1, Crashes: []time.Duration{2}},
		"crash 2 (-1ns) is out of order":               {Start: start, Now: 9, Total: 2, Crashes: []time.Duration{9, 8}},
		"start is missing":                             {Total: 1},
	} {
		s := gate.Snapshot{Version: 1, History: r}
		for _, s := range []gate.Snapshot{s, s.Resume(at(5))} {
			if err := new(gate.Tracker).Restore(s); err == nil || !strings.Contains(err.Error(), fault) {
				t.Errorf("error = %v, want one that says %q", err, fault)
			}
		}
	}
}

// What a newer program wrote is refused by its version, whatever it has in its fields.
func TestRestoreRefusesAFutureVersion(t *testing.T) {
	const want = "gate: snapshot version (3) is not one that this program reads, 1 to 2; " +
		"restore it with the program that wrote it, or start from a fresh gate"
	for _, text := range []string{
		`{"version":3,"phase":"idle","history":{}}`,
		`{"version":3,"phase":"idle","history":{},"fairness":{"a":[1]}}`,
		`{"phase":"quarantined","version":3,"history":{}}`,
		`{"version":3,"phase":7,"until":"soon","history":[]}`,
		`{"version":3,"paused_by":["ann","bob"]}`,
		`{"version":3,"until":null}`,
	} {
		var s gate.Snapshot
		err := json.Unmarshal([]byte(text), &s)
		if err == nil {
			err = new(gate.Tracker).Restore(s)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestSnapshotFromJSON(t *testing.T) {
	var s gate.Snapshot
	if err := json.Unmarshal([]byte(`{"version":2,"colour":"red","phase":"paused","until":"9999-12-31T23:59:59.999999999Z",`+
		`"paused_by":{"who":"ann","when":"now"},"history":{"shape":"round"}}`), &s); err != nil {
		t.Errorf("what is unknown is not ignored: %v", err)
	}
	if s.Phase != gate.Paused || *s.PausedBy != (gate.By{Who: "ann"}) {
		t.Errorf("read %+v", s)
	}
	for text, want := range map[string]string{
		`{"version":2,"version":2}`:               "gate: snapshot: version: it is given twice; leave one out",
		`{"version":2,"phase":null}`:              "gate: snapshot: phase: it is null; give it a value or leave it out",
		`{"history":{"total":1,"total":2}}`:       "gate: snapshot: history: policy: record: total: it is given twice; leave one out",
		`{"history":{"total":1,"Total":2}}`:       "gate: snapshot: history: policy: record: Total: it is given twice; leave one out",
		`{"history":{"now":null}}`:                "gate: snapshot: history: policy: record: now: it is null; give it a value or leave it out",
		`{"history":null}`:                        "gate: snapshot: history: it is null; give it a value or leave it out",
		`{"paused_by":{"who":"ann","who":"bob"}}`: "gate: snapshot: paused_by: who: it is given twice; leave one out",
		`{"paused_by":{"why":null}}`:              "gate: snapshot: paused_by: why: it is null; give it a value or leave it out",
		`{"paused_by":{"who":7,"why":[]}}`:        "gate: snapshot: paused_by: who: 7 is not a string; put it in quotes\nwhy: [] is not a string; put it in quotes",
		`{"version":"2"}`:                         `gate: snapshot: version: "2" is not a version, which is a whole number`,
		`{"version":1.5}`:                         "gate: snapshot: version: 1.5 is not a version, which is a whole number",
		`{"phase":"asleep"}`:                      `gate: snapshot: phase: gate: phase "asleep" is unknown; use one of ["idle" "backing off" "crash looping" "gave up" "paused"]`,
		`{"phase":3}`:                             "gate: snapshot: phase: 3 is not a string; put it in quotes",
		`{"until":"tomorrow"}`:                    `gate: snapshot: until: "tomorrow" is not an instant; write it as "2006-01-02T15:04:05Z07:00"`,
		`{"version":"x","phase":9}`:               "gate: snapshot: version: \"x\" is not a version, which is a whole number\nphase: 9 is not a string; put it in quotes",
		`[]`:                                      `gate: snapshot: [] is not a JSON object; write {"name": value, …}`,
	} {
		s := gate.Snapshot{Version: 2, Phase: gate.GaveUp}
		err := json.Unmarshal([]byte(text), &s)
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
		if s.Version != 2 || s.Phase != gate.GaveUp {
			t.Errorf("%s: changed to %+v", text, s)
		}
	}
	if err := json.Unmarshal([]byte("null"), &s); err != nil || s.Phase != gate.Paused {
		t.Errorf("null: %v, %+v; want no change", err, s)
	}
	by := gate.By{Who: "ann"}
	if err := json.Unmarshal([]byte("null"), &by); err != nil || by.Who != "ann" {
		t.Errorf("null: %v, %+v; want no change", err, by)
	}
	if err := json.Unmarshal([]byte(`{"who":1}`), &by); err == nil || by.Who != "ann" {
		t.Errorf("an error (%v) has changed it to %+v", err, by)
	}
}

// Each policy that there is, as it is used.
func builtIn() map[string]policy.Policy {
	seconds := policy.Constant(time.Second)
	return map[string]policy.Policy{
		"default":     policy.Default(),
		"classic":     policy.Classic(),
		"constant":    seconds,
		"exponential": policy.Exponential(time.Second, 2, time.Minute),
		"steps":       policy.Steps(time.Second, time.Minute),
		"crash loop":  policy.CrashLoop(100, time.Hour, time.Minute)(seconds),
		"probation":   policy.Probation(time.Minute)(policy.CrashLoop(20, time.Hour, time.Minute)(seconds)),
		"max crashes": policy.MaxCrashes(300, 24*time.Hour)(policy.CrashLoop(9, time.Hour, time.Minute)(seconds)),
		"jitter":      policy.Jitter(policy.DecorrelatedJitter, time.Minute)(seconds),
		"spread":      policy.Spread(0.5)(seconds),
		"stable run":  policy.StableRun(time.Second)(policy.CrashLoop(70, time.Hour, time.Minute)(seconds)),
		"retry after": policy.RetryAfter(time.Minute)(policy.CrashLoop(10, time.Hour, time.Minute)(seconds)),
		"match":       policy.Match(func(error) bool { return true }, policy.CrashLoop(33, time.Hour, time.Minute)(seconds))(seconds),
		"permanent":   policy.PermanentErrors(errors.New("another"))(policy.Default()),
		"ignore":      policy.Ignore(func(error) bool { return false })(policy.Default()),
		"budget":      policy.Budget(1, 1)(policy.Default()),
		"switch":      policy.NewSwitch(policy.Classic()),
		"guard":       policy.Guard(helpless, nil),
	}
}

// A record is as long as a policy looks back, however many lives there were: of a life
// in which nothing happens all bytes are those of the one before, and otherwise the
// number of crashes that are kept.
func TestRecordsDoNotGrowFromLifeToLife(t *testing.T) {
	for name, p := range builtIn() {
		m, now, kept := gate.NewTracker(p), 0, 0
		for life := range 20 {
			for range 400 {
				now++
				m.ObserveStart(at(float64(now)))
				m.ObserveCrash(at(float64(now)+0.5), errCrash)
			}
			s := m.Snapshot()
			if life == 1 {
				kept = len(s.History.Crashes)
			}
			if life > 1 && len(s.History.Crashes) != kept {
				t.Fatalf("%s: life %d keeps %d crashes, one before kept %d", name, life, len(s.History.Crashes), kept)
			}
			saved := mustMarshal(t, s)
			for range 3 {
				m = gate.NewTracker(p)
				if err := m.Restore(throughJSON(t, s)); err != nil {
					t.Fatal(err)
				}
				s = m.Snapshot()
				if again := mustMarshal(t, s); again != saved {
					t.Fatalf("%s: life %d saves\n%s, want\n%s", name, life, again, saved)
				}
			}
		}
		if kept < 8 || kept > 301 {
			t.Errorf("%s: %d crashes are kept, want those that the policy looks at", name, kept)
		}
	}
}
