package filestore

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// fill sets every field of v to something that is not zero, so that a field which
// the encoding has forgotten is found.
func fill(t *testing.T, v reflect.Value, seed *int64) {
	*seed++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(*seed, 999_999_999).UTC()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), seed)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(t, v.Index(i), seed)
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), seed)
	case v.CanInt():
		v.SetInt(*seed)
	case v.CanUint():
		v.SetUint(uint64(*seed))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.String:
		v.SetString("\x00text\xff")
	default:
		t.Fatalf("there is a field of type %v now; encode it", v.Type())
	}
}

func TestCodecHasEveryField(t *testing.T) {
	var s gate.Snapshot
	var seed int64
	fill(t, reflect.ValueOf(&s).Elem(), &seed)
	revision, got, err := decode(encode(42, s))
	if err != nil || revision != 42 || !reflect.DeepEqual(got, s) {
		t.Errorf("revision %d, error %v:\n got %+v\nwant %+v", revision, err, got, s)
	}
}

func TestCodecExtremes(t *testing.T) {
	s := gate.Snapshot{Version: math.MinInt, Phase: math.MaxUint8, Until: time.Unix(math.MaxInt64, 0).UTC()}
	s.History.Now, s.History.LoopEnd = math.MinInt64, math.MaxInt64
	s.History.Crashes = []time.Duration{math.MinInt64, math.MaxInt64, 0}
	s.History.Seed, s.Runs = math.MaxUint64, math.MaxUint64
	_, got, err := decode(encode(0, s))
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("error %v:\n got %+v\nwant %+v", err, got, s)
	}
}

// What earlier versions of the encoding had, and the same as JSON: a crash loop of
// version 1, and a run under way at a gate that is paused, of version 2.
var earlier = []struct{ encoded, json string }{
	{
		"000000000000002a01021b02aadbb9950dc0843dcad6b9950d0080a9d3e71d0080897a80e0a596bb118089f9fdd81105050007050080a8d6b90780a8d6b90780a8d6b90780a8d6b9076e6f207375636820686f7374",

		`{"version":1,"phase":"crash looping","until":"2026-01-02T03:09:09.001Z","history":{"start":"2026-01-02T03:04:05Z",` +
			`"now":"4.001s","ran":"1ms","error":"no such host","crashed":true,"crashes":["1ms","1.001s","2.001s","3.001s","4.001s"],` +
			`"total":5,"streak":5,"last_delay":"5m0s","looped":true,"loop_end":"5m4.001s","seed":7}}`,
	},
	{
		"000000000000002a02042f04fe85a2ffdf0eff93ebdc03cad6b9950d0080e0ba84bf0380e0ba84bf0380897aeedcbfe70f00030305070380879490b00380a8d6b90780a8d6b90703616e6e10746865206469736b2069732066756c6c6e6f207375636820686f7374",

		`{"version":2,"phase":"paused","until":"9999-12-31T23:59:59.999999999Z","paused_by":{"who":"ann","why":"the disk is full"},` +
			`"history":{"start":"2026-01-02T03:04:05Z","now":"1m0s","running":true,"began":"1m0s","ran":"1ms","error":"no such host",` +
			`"crashed":true,"crashes":["1ms","1.001s","2.001s"],"total":3,"streak":3,"last_delay":"2.121791287s","depth":5,"seed":7}}`,
	},
}

func TestEarlierVersionsAreRead(t *testing.T) {
	for _, e := range earlier {
		value, err := hex.DecodeString(e.encoded)
		if err != nil {
			t.Fatal(err)
		}
		var want gate.Snapshot
		if err := json.Unmarshal([]byte(e.json), &want); err != nil {
			t.Fatal(err)
		}
		revision, got, err := decode(value)
		if err != nil || revision != 42 || !reflect.DeepEqual(got, want) {
			t.Errorf("revision %d, error %v:\n got %+v\nwant %+v", revision, err, got, want)
		}
		if err := new(gate.Tracker).Restore(got); err != nil {
			t.Error(err)
		}
	}
}

// What a newer program wrote is refused, whatever it means.
func TestNewerVersionIsRefused(t *testing.T) {
	value := encode(1, gate.Snapshot{})
	value[8]++
	if _, _, err := decode(value); err == nil {
		t.Error("it is read")
	}
}

func FuzzDecode(f *testing.F) {
	var tracker gate.Tracker
	f.Add(encode(1, tracker.Snapshot()))
	tracker.ObserveStart(time.Unix(0, 0))
	f.Add(encode(1, tracker.Snapshot()))
	for i := range 5 {
		tracker.ObserveCrash(time.Unix(int64(i), 0), gate.ErrNil)
		f.Add(encode(uint64(i), tracker.Snapshot()))
	}
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, codecVersion, 0, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		revision, s, err := decode(value)
		if err != nil {
			return
		}
		again := encode(revision, s)
		if _, got, err := decode(again); err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("error %v:\n got %+v\nwant %+v", err, got, s)
		}
		if revisionOf(again) != revision || !bytes.Equal(again, encode(revision, s)) {
			t.Error("the encoding is not a function of what it encodes")
		}
	})
}
