package policy_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/policy"
)

// model is a history written from the rules alone: instants, and all crashes
// there ever were.
type model struct {
	crashes []time.Time
	wiped   int // of these, before the slate was last clean

	err            error
	now, began     time.Time
	running        bool
	ran, lastDelay time.Duration

	looped, looping bool
	loopEnd         time.Time
	endless         bool // the crash loop's hold
}

func (m *model) see(now time.Time) {
	if now.After(m.now) {
		m.now = now
	}
}

func (m *model) end(now time.Time, err error) {
	m.see(now)
	m.ran = 0
	if m.running {
		m.ran = m.now.Sub(m.began)
	}
	m.running, m.looping, m.err = false, false, err
}

func (m *model) start(now time.Time) {
	m.see(now)
	m.running, m.began = true, m.now
}

func (m *model) crash(now time.Time, err error) {
	m.end(now, err)
	if m.looped {
		if m.endless || m.now.Before(m.loopEnd) {
			m.looping = true
		} else {
			m.reset()
		}
	}
	m.crashes = append(m.crashes, m.now)
}

func (m *model) reset() {
	m.wiped, m.lastDelay, m.looped, m.looping = len(m.crashes), 0, false, false
}

func (m *model) forget() {
	m.reset()
	if m.err != nil {
		m.wiped--
	}
}

func (m *model) apply(d policy.Decision) (policy.Verdict, time.Time, bool) {
	if d.Verdict == policy.GiveUp {
		return policy.GiveUp, time.Time{}, true
	}
	end, endless := m.now.Add(max(d.Delay, 0)), d.Delay == math.MaxInt64
	verdict := d.Verdict
	if m.looping {
		verdict, endless = policy.CrashLooping, endless || m.endless
		if end.Before(m.loopEnd) {
			end = m.loopEnd
		}
	}
	if verdict != policy.Restart {
		verdict = policy.CrashLooping
		m.looped, m.loopEnd, m.endless = true, end, endless
	}
	m.lastDelay = end.Sub(m.now)
	return verdict, end, endless
}

func (m *model) since(k int) (time.Duration, bool) {
	if k < 1 || k > len(m.crashes)-m.wiped {
		return 0, false
	}
	at := m.crashes[len(m.crashes)-k]
	if at.IsZero() {
		return 0, false
	}
	return m.now.Sub(at), true
}

// save loses what a record does not have: the instants of crashes before the
// slate was clean, the last of which Forget may bring back.
func (m *model) save() {
	m.looping = false
	clear(m.crashes[:m.wiped])
}

func TestHistoryModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m model
		h := new(policy.History)
		depth := rapid.SampledFrom([]int{1, 5, 8, 9, 30, 64, 70, 150}).Draw(t, "depth")
		m.now = start
		h.ObserveStart(start)
		m.start(start)

		gaps := []time.Duration{-time.Hour, -1, 0, 1, time.Second, time.Minute, time.Hour}
		clock := func(t *rapid.T) time.Time { return m.now.Add(rapid.SampledFrom(gaps).Draw(t, "gap")) }
		errs := []error{errCrash, errConfig}
		crash := func(t *rapid.T) {
			now, err := clock(t), rapid.SampledFrom(errs).Draw(t, "error")
			h.ObserveCrash(now, err)
			m.crash(now, err)
			h.Since(depth)
		}
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				now := clock(t)
				h.ObserveStart(now)
				m.start(now)
			},
			"crash": crash,
			"crashes": func(t *rapid.T) {
				for range rapid.IntRange(1, 40).Draw(t, "crashes") {
					crash(t)
				}
			},
			"exit": func(t *rapid.T) {
				now := clock(t)
				h.ObserveCleanExit(now)
				m.end(now, nil)
			},
			"apply": func(t *rapid.T) {
				d := policy.Decision{
					Verdict: rapid.SampledFrom([]policy.Verdict{0, 0, 0, 1, 1, 2, 3}).Draw(t, "verdict"),
					Delay:   rapid.SampledFrom([]time.Duration{-5, 0, 1, time.Second, time.Minute, time.Hour, math.MaxInt64}).Draw(t, "delay"),
				}
				verdict, end := h.Apply(d)
				wantVerdict, wantEnd, endless := m.apply(d)
				const never = math.MaxInt64 / 2 // or later; nothing else that is drawn here comes near
				if verdict != wantVerdict || (end >= never) != endless || !endless && !h.Time(end).Equal(wantEnd) {
					t.Fatalf("Apply(%v) = %v until %v, want %v until %v (endless: %t)", d, verdict, h.Time(end), wantVerdict, wantEnd, endless)
				}
				if endless { // what is left of all time is not the model's to know
					m.lastDelay = h.LastDelay()
				}
			},
			"forget": func(*rapid.T) {
				h.Forget()
				m.forget()
			},
			"reset": func(*rapid.T) {
				h.Reset()
				m.reset()
			},
			"clone": func(*rapid.T) {
				old := h
				clone := h.Clone()
				h = &clone
				old.ObserveCrash(m.now.Add(time.Hour), errConfig) // shows if they share anything
				old.Forget()
			},
			"save and load": func(t *rapid.T) {
				h = reload(t, h, rapid.SampledFrom([]string{"fresh", "earlier", "later"}).Draw(t, "into"))
				m.save()
			},
			"": func(t *rapid.T) { m.check(t, h, depth) },
		})
	})
}

// reload returns a history of h's record, which has been through JSON.
func reload(t *rapid.T, h *policy.History, into string) *policy.History {
	text, err := json.Marshal(h.Record())
	if err != nil {
		t.Fatal(err)
	}
	var r policy.Record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	loaded := new(policy.History)
	switch into {
	case "earlier":
		loaded.ObserveStart(start.Add(-1000 * time.Hour))
	case "later":
		loaded.ObserveCrash(start.Add(1000*time.Hour), errors.New("another past"))
	}
	if err := loaded.Load(r); err != nil {
		t.Fatal(err)
	}
	return loaded
}

func (m *model) check(t *rapid.T, h *policy.History, depth int) {
	if got, want := h.Streak(), len(m.crashes)-m.wiped; got != want || h.Crashes() != uint64(len(m.crashes)) {
		t.Fatalf("streak = %d of %d, want %d of %d", got, h.Crashes(), want, len(m.crashes))
	}
	if !h.Now().Equal(m.now) || h.Running() != m.running || h.Ran() != m.ran {
		t.Fatalf("now %v, running %t, ran %v; want %v, %t, %v", h.Now(), h.Running(), h.Ran(), m.now, m.running, m.ran)
	}
	if got := h.Err(); (got == nil) != (m.err == nil) || got != nil && got.Error() != m.err.Error() {
		t.Fatalf("Err = %v, want %v", got, m.err)
	}
	if h.LastDelay() != m.lastDelay || h.Looping() != m.looping {
		t.Fatalf("LastDelay = %v, Looping = %t; want %v, %t", h.LastDelay(), h.Looping(), m.lastDelay, m.looping)
	}
	if x := h.Rand(); x < 0 || x >= 1 {
		t.Fatalf("Rand = %v", x)
	}
	// Asking deeper is done to a copy: it is only at the one depth that the
	// history is asked at every crash, and so has all the answers.
	clone := h.Clone()
	for k := range 2 * depth {
		want, wanted := m.since(k)
		got, ok := clone.Since(k)
		if k > max(depth, 8) && !ok {
			continue // lost, as it may be
		}
		if ok != wanted || got != want {
			t.Fatalf("Since(%d) = %v, %t, want %v, %t", k, got, ok, want, wanted)
		}
	}
}
