package policy_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

func eventfulRecord() policy.Record {
	return policy.Record{
		Start: at(0), Now: sec(9.5), Running: true, Began: sec(9.5), Ran: sec(4),
		Err: errConfig.Error(), Crashed: true, Crashes: []time.Duration{sec(2), sec(3), sec(4), sec(9)},
		Total: 4, Streak: 4, LastDelay: sec(10), Trips: 1, LoopEnd: sec(14), Depth: 12, Seed: 7,
	}
}

const eventfulJSON = `{"start":"2026-01-02T03:04:05Z","now":"9.5s","running":true,"began":"9.5s","ran":"4s",` +
	`"error":"bad configuration","crashed":true,"crashes":["2s","3s","4s","9s"],"total":4,"streak":4,` +
	`"last_delay":"10s","trips":1,"loop_end":"14s","depth":12,"seed":7}`

// A record is what drives a history as data: the two types convert.
func TestRecordIsThatOfALog(t *testing.T) {
	var log history.Log
	if err := log.Load(history.Record(eventfulRecord())); err != nil {
		t.Fatal(err)
	}
	if got := policy.Record(log.Record()); !reflect.DeepEqual(got, eventfulRecord()) {
		t.Errorf("got\n%+v\nwant\n%+v", got, eventfulRecord())
	}
}

func TestRecordValidate(t *testing.T) {
	if err := eventfulRecord().Validate(); err != nil {
		t.Error(err)
	}
	r := eventfulRecord()
	r.Ran, r.LastDelay = -1, -2
	const want = "policy: record: ran (-1ns) is negative\npolicy: record: last_delay (-2ns) is negative"
	if err := r.Validate(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestRecordJSON(t *testing.T) {
	for want, r := range map[string]policy.Record{eventfulJSON: eventfulRecord(), `{}`: {}} {
		text, err := json.Marshal(r)
		if err != nil || string(text) != want {
			t.Errorf("%s, %v\nwant %s", text, err, want)
		}
		var read policy.Record
		if err := json.Unmarshal(text, &read); err != nil || !reflect.DeepEqual(read, r) {
			t.Errorf("read back: %+v, %v\nwant %+v", read, err, r)
		}
	}
}

func TestRecordFromOtherVersions(t *testing.T) {
	r := eventfulRecord()
	if err := json.Unmarshal([]byte(`{"from_the_future": 1, "total": 3}`), &r); err != nil || !reflect.DeepEqual(r, policy.Record{Total: 3}) {
		t.Errorf("%+v, %v, want no more than what is there, and what is unknown ignored", r, err)
	}
	if err := json.Unmarshal([]byte(`{"looped": true, "loop_end": "14s"}`), &r); err != nil || r.Trips != 1 || r.LoopEnd != sec(14) {
		t.Errorf("of the first version: %+v, %v, want a crash loop", r, err)
	}
	if err := json.Unmarshal([]byte(`{"looped": false}`), &r); err != nil || r.Trips != 0 {
		t.Errorf("of the first version: %+v, %v, want no crash loop", r, err)
	}
}

func TestRecordFromBadJSON(t *testing.T) {
	const duration = ` is not a duration; write a number with its unit in quotes, such as "1m30s"`
	for bad, want := range map[string]string{
		`{"now": 5}`:                  "policy: record: now: 5" + duration,
		`{"began": "5"}`:              `policy: record: began: "5"` + duration,
		`{"total": -1}`:               "policy: record: total: -1 is not a whole number from 0 up",
		`{"trips": 4294967296}`:       "policy: record: trips: 4294967296 is not a whole number from 0 up",
		`{"start": "today"}`:          `policy: record: start: "today" is not an instant; write one such as "2026-01-02T03:04:05Z"`,
		`{"crashes": ["1s", "x"]}`:    `policy: record: crashes: entry 2: "x"` + duration,
		`{"running": "yes"}`:          `policy: record: running: "yes" is neither true nor false`,
		`{"looped": 1}`:               "policy: record: looped: 1 is neither true nor false",
		`{"error": 5}`:                "policy: record: error: 5 is not a string; put it in quotes",
		`{"seed": null}`:              "policy: record: seed: it is null; give it a value or leave it out",
		`{"seed": 1, "seed": 2}`:      "policy: record: seed: it is given twice; leave one out",
		`{"seed": 1.5, "depth": "x"}`: "policy: record: seed: 1.5 is not a whole number from 0 up\npolicy: record: depth: \"x\" is not a whole number from 0 up",
		`[]`:                          `policy: record: [] is not a JSON object; write {"name": value, …}`,
	} {
		r := eventfulRecord()
		err := json.Unmarshal([]byte(bad), &r)
		if err == nil || err.Error() != want || !reflect.DeepEqual(r, eventfulRecord()) {
			t.Errorf("%s: %+v\ngot  %v\nwant %s", bad, r, err, want)
		}
	}
	var r policy.Record
	if err := r.UnmarshalJSON([]byte(`{`)); err == nil || !strings.HasPrefix(err.Error(), "policy: record: line 1, column 1: this is not JSON") {
		t.Errorf("called directly: %v", err)
	}
}

// By the convention of encoding/json, null changes nothing.
func TestRecordFromNull(t *testing.T) {
	r := policy.Record{Total: 3}
	if err := json.Unmarshal([]byte("null"), &r); err != nil || r.Total != 3 {
		t.Errorf("%v: %+v", err, r)
	}
	if err := r.UnmarshalJSON([]byte("null")); err != nil || r.Total != 3 {
		t.Errorf("called directly: %v: %+v", err, r)
	}
}
