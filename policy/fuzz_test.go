package policy_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func FuzzConfigJSON(f *testing.F) {
	for _, seed := range []string{
		defaultJSON, `{}`, `null`, `[]`, `{"initial":5}`, `{"max":"1h","threshold":3}`, `{"factor":1e308,"initial":"1ns","max":"2562047h"}`,
		`{"threshold":1,"window":"1ns"}`, `{"factor":1.0000000001,"initial":"1s"}`, `{"initial":"0s","max":"0s","threshold":1000000}`, `{"x":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := policy.DefaultConfig()
		if err := c.UnmarshalJSON(data); err != nil {
			if c != policy.DefaultConfig() {
				t.Fatalf("refused, but changed to %+v", c)
			}
			return
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var read policy.Config
		if err := json.Unmarshal(text, &read); err != nil || read != c {
			t.Fatalf("%+v is read back as %+v, %v", c, read, err)
		}
		p, err := c.Policy()
		if (err == nil) != (c.Validate() == nil) {
			t.Fatalf("Policy: %v, Validate: %v", err, c.Validate())
		}
		if err == nil {
			wantSane(t, c, p)
		}
	})
}

// wantSane has a task fail at once, again and again.
func wantSane(t *testing.T, c policy.Config, p policy.Policy) {
	var h policy.History
	now, last := start, time.Duration(0)
	for range min(c.Threshold+2, 300) {
		h.ObserveCrash(now, errCrash)
		d := p.Decide(&h)
		if h.Streak() == 1 {
			last = 0
		}
		switch d.Verdict {
		case policy.Restart:
			if d.Delay < last || d.Delay < c.Initial || d.Delay > c.Max || h.Streak() == 1 && d.Delay != c.Initial {
				t.Fatalf("crash %d of %+v: %v after %v", h.Streak(), c, d, last)
			}
			last = d.Delay
		case policy.CrashLooping:
			if d.Delay != c.Cooldown || h.Streak() < c.Threshold {
				t.Fatalf("crash %d of %+v: %v", h.Streak(), c, d)
			}
		default:
			t.Fatalf("crash %d of %+v: %v", h.Streak(), c, d)
		}
		_, end := h.Apply(d)
		now = h.Time(end)
	}
}

func FuzzRecordJSON(f *testing.F) {
	for _, seed := range []string{
		eventfulJSON, `{}`, `null`, `{"start":"2026-01-02T03:04:05Z"}`,
		`{"start":"2026-01-02T03:04:05Z","crashed":true,"total":1}`,
		`{"start":"2026-01-02T03:04:05Z","crashed":true,"total":18446744073709551615,"streak":4611686018427387903,"depth":4294967295}`,
		`{"start":"2026-01-02T03:04:05Z","now":"1h","began":"-1000000h","running":true,"looped":true,"loop_end":"2562047h47m16.854775807s"}`,
		`{"start":"0001-01-01T00:00:01Z","crashes":["-1281000h","0s"],"total":2,"streak":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r policy.Record
		if json.Unmarshal(data, &r) != nil {
			return
		}
		h := eventful()
		if err := h.Load(r); err != nil {
			if r.Validate() == nil || !reflect.DeepEqual(h.Record(), eventfulRecord()) {
				t.Fatalf("refused (%v), but changed to %+v", err, h.Record())
			}
			return
		}
		var fresh policy.History
		if err := fresh.Load(r); err != nil {
			t.Fatalf("loads into one history and not into another: %v", err)
		}
		saved := fresh.Record()
		var again policy.History
		if err := again.Load(saved); err != nil || !reflect.DeepEqual(again.Record(), saved) {
			t.Fatalf("%+v is loaded as %+v, %v", saved, again.Record(), err)
		}
		wantAlive(t, &fresh)
		if h.Now().Sub(start).Abs() < 100*365*24*time.Hour { // beyond that, time saturates
			wantAlive(t, h)
		}
	})
}

// wantAlive has a task go on from whatever its history is.
func wantAlive(t *testing.T, h *policy.History) {
	p := policy.Compose(policy.Default(), policy.Jitter(policy.DecorrelatedJitter, time.Hour), policy.MaxCrashes(100, time.Hour))
	p.Decide(h)
	h.Forget()
	for i := range 20 {
		h.ObserveStart(h.Now().Add(time.Second))
		h.ObserveCrash(h.Now().Add(time.Second), errCrash)
		if h.Ran() != time.Second {
			t.Fatalf("ran %v, want 1s", h.Ran())
		}
		last := time.Duration(0)
		for k := 1; k <= 10; k++ {
			since, ok := h.Since(k)
			if ok && since < last || k == 1 && (!ok || since != 0) {
				t.Fatalf("crash %d: Since(%d) = %v, %t after %v", i, k, since, ok, last)
			}
			last = max(last, since)
		}
		d := p.Decide(h)
		before := h.Streak()
		if _, end := h.Apply(d); d.Verdict != policy.GiveUp && h.LastDelay() < 0 || before < 1 {
			t.Fatalf("crash %d: streak %d, %v, held for %v until %v", i, before, d, h.LastDelay(), end)
		}
	}
}
