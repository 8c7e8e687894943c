package policy_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

// goWords are what a user of a program must not need to know to read an error.
var goWords = []string{
	"json:", "cannot unmarshal", "unmarshal", "strconv", "time:", "Go value", "Go struct", "float64", "int64", "uint", "invalid character",
	"unexpected end", "parsing", "reflect", "[]byte", "time.Duration", "JitterKind", "syntax error", "policy.", "map[", "%!", "0x", "<nil>",
}

// wantOwnWords checks an error that some text was refused with.
func wantOwnWords(t testing.TB, text string, err error) {
	t.Helper()
	if strings.Contains(text, `\`) { // what is quoted of it may be anything
		return
	}
	if !utf8.ValidString(err.Error()) {
		t.Fatalf("%q: the error is no text: %q", text, err)
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		if !strings.HasPrefix(line, "policy: ") {
			t.Fatalf("%q: a fault without its package: %s", text, line)
		}
		for _, word := range goWords {
			if strings.Contains(line, word) && !strings.Contains(text, word) {
				t.Fatalf("%q: %q is a word of Go's own in: %s", text, word, line)
			}
		}
	}
}

var configSeeds = []string{
	`{}`, `null`, `[]`, `{"initial":5}`, `{"max":"1h","threshold":3}`, `{"factor":1e308,"initial":"1ns","max":"2562047h"}`,
	`{"threshold":1,"window":"1ns"}`, `{"factor":1.0000000001,"initial":"1s"}`, `{"initial":"0s","max":"0s","threshold":1000000}`, `{"x":1}`,
	`{"steps":["1s","2s"],"jitter":"full","cooldowns":[],"max_crashes":"20 in 1h","retry_after_max":"1h","spread":1}`,
	`{"steps":[1,null],"jitter":5,"cooldowns":"1m","max_crashes":"many","spread":"a tenth"}`, `{"max":null,"max":"1s"}`, `{"max":"1s"`,
}

func FuzzConfig(f *testing.F) {
	for _, seed := range append(configSeeds, defaultJSON) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := policy.DefaultConfig()
		if err := c.UnmarshalJSON(data); err != nil {
			wantOwnWords(t, string(data), err)
			if !reflect.DeepEqual(c, policy.DefaultConfig()) {
				t.Fatalf("refused, but changed to %+v", c)
			}
			return
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var read policy.Config
		if err := json.Unmarshal(text, &read); err != nil || !sameConfig(read, c) {
			t.Fatalf("%+v is read back as %+v, %v", c, read, err)
		}
		p, err := c.Policy()
		if invalid := c.Validate(); (err == nil) != (invalid == nil) {
			t.Fatalf("Policy: %v, Validate: %v", err, invalid)
		}
		if err != nil {
			wantOwnWords(t, string(data), err)
			return
		}
		wantSane(t, c, p)
		var set policy.Config
		if err := set.Set(c.String()); err != nil || !sameConfig(set, c) {
			t.Fatalf("%s is set as %+v, %v", c, set, err)
		}
	})
}

func FuzzConfigText(f *testing.F) {
	for _, seed := range append(configSeeds, "default", "classic", "initial=1s,max=30s,cooldowns=1m/5m/15m,max_crashes=20/1h", "steps=none,jitter=full",
		"steps=1s/x,jitter=no,factor=NaN,threshold=1.5", "initial", "=", ",,", "max=1s,max=2s", "classic,default", "spread=1e999", " factor = 2 , ") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := policy.ClassicConfig()
		if err := c.Set(text); err != nil {
			wantOwnWords(t, text, err)
			if !reflect.DeepEqual(c, policy.ClassicConfig()) {
				t.Fatalf("refused, but changed to %+v", c)
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("%q is accepted, but not valid: %v", text, err)
		}
		var set policy.Config
		if err := set.Set(c.String()); err != nil || !sameConfig(set, c) {
			t.Fatalf("%s is set as %+v, %v", c, set, err)
		}
	})
}

func FuzzFile(f *testing.F) {
	for _, seed := range append(configSeeds, fileJSON,
		`{"default":{"max":"1s"},"tasks":{"a":{},"a/*":{"initial":"2s"},"a/b-*":{"max":"5s"},"a/*-c":{"factor":3}}}`,
		`{"default":5,"tasks":[],"task":{}}`, `{"tasks":{"":{},"/":{},"a//b":{},"[":{},"a":1,"b":{"mx":"1s"}}}`,
		`{"tasks":{"a":{"max":"1s"},"a/b":{"initial":"5s"}}}`) {
		f.Add([]byte(seed), "root/db")
	}
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		file, err := policy.ParseFile(data)
		if err != nil {
			if file != nil {
				t.Fatal("refused, but there is a file")
			}
			wantOwnWords(t, string(data), err)
			return
		}
		paths := append(file.Paths(), path, "", "/")
		for _, p := range file.Paths() {
			paths = append(paths, p+"/"+path, strings.NewReplacer("*", "x", "?", "y").Replace(p))
		}
		for _, path := range paths {
			if err := file.Config(path).Validate(); err != nil {
				t.Fatalf("%q: %v", path, err)
			}
			if p := file.For(path); p == nil || p != file.For(path) {
				t.Fatalf("%q: %v, and then another", path, p)
			}
		}
	})
}

// wantSane has a task fail at once, again and again.
func wantSane(t interface{ Fatalf(string, ...any) }, c policy.Config, p policy.Policy) {
	var log history.Log
	log.Seed(1)
	now := start
	for range min(c.Threshold+2, 300) {
		log.ObserveCrash(now, errCrash)
		d := p.Decide(view(&log))
		if d.Delay < 0 || d.Verdict > policy.GiveUp || d.Uncounted {
			t.Fatalf("crash %d of %+v: %v", log.Streak(), c, d)
		}
		switch d.Verdict {
		case policy.CrashLooping:
			if d.Delay < c.Cooldown {
				t.Fatalf("crash %d of %+v: %v", log.Streak(), c, d)
			}
		case policy.Restart:
			most := float64(c.Max) * (1 + c.Spread)
			if len(c.Steps) == 0 && c.Jitter == 0 && (d.Delay < c.Initial || float64(d.Delay) > most+1) {
				t.Fatalf("crash %d of %+v: %v", log.Streak(), c, d)
			}
		}
		_, end := apply(&log, d)
		if end > history.Reach {
			return
		}
		now = log.Time(end)
	}
}

func FuzzRecordJSON(f *testing.F) {
	for _, seed := range []string{
		eventfulJSON, `{}`, `null`, `{"start":"2026-01-02T03:04:05Z"}`,
		`{"start":"2026-01-02T03:04:05Z","crashed":true,"total":1}`,
		`{"start":"2026-01-02T03:04:05Z","crashed":true,"total":4611686018427387903,"streak":4611686018427387903,"depth":4294967295}`,
		`{"start":"2026-01-02T03:04:05Z","now":"1h","began":"-1000000h","running":true,"looped":true,"loop_end":"2562047h47m16.854775807s"}`,
		`{"start":"0001-01-01T00:00:01Z","crashes":["-320255h","0s"],"total":2,"streak":2}`,
		`{"start":"9999-12-31T23:59:59Z","now":"320255h","trips":4294967295,"loop_end":"-2562047h","crashes":["320255h"],"total":2,"streak":2,"crashed":true}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r policy.Record
		if err := r.UnmarshalJSON(data); err != nil {
			wantOwnWords(t, string(data), err)
			return
		}
		for _, base := range []time.Time{{}, start, year(9999)} {
			var log history.Log
			if !base.IsZero() {
				log.ObserveCrash(base, errConfig)
			}
			before := log.Record()
			if err := log.Load(history.Record(r)); err != nil {
				if r.Validate() == nil || !reflect.DeepEqual(log.Record(), before) {
					t.Fatalf("refused (%v), but changed to %+v", err, log.Record())
				}
				continue
			}
			saved := log.Record()
			text, err := json.Marshal(policy.Record(saved))
			if err != nil {
				t.Fatal(err)
			}
			var again policy.Record
			if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(history.Record(again), saved) {
				t.Fatalf("%+v is read back as %+v, %v", saved, again, err)
			}
			var loaded history.Log
			if err := loaded.Load(saved); err != nil || !reflect.DeepEqual(loaded.Record(), saved) {
				t.Fatalf("%+v is loaded as %+v, %v", saved, loaded.Record(), err)
			}
			wantAlive(t, &log)
		}
	})
}

// wantAlive has a task go on from whatever its history is.
func wantAlive(t *testing.T, log *history.Log) {
	p := policy.Compose(policy.Default(), policy.Jitter(policy.DecorrelatedJitter, time.Hour), policy.MaxCrashes(100, time.Hour))
	p.Decide(view(log))
	log.Apply(history.Restart, 0, true, false)
	for i := range 20 {
		h := view(log)
		log.ObserveStart(h.Now().Add(time.Second))
		log.ObserveCrash(h.Now().Add(time.Second), errCrash)
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
		if _, end := apply(log, d); d.Verdict != policy.GiveUp && h.LastDelay() < 0 || before < 1 {
			t.Fatalf("crash %d: streak %d, %v, held for %v until %v", i, before, d, h.LastDelay(), end)
		}
	}
}
