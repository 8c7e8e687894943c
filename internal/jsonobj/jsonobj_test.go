package jsonobj_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

func TestFields(t *testing.T) {
	for _, test := range []struct {
		name, json string
		want       []jsonobj.Field
		fault      string
	}{
		{"none", `{}`, nil, ""},
		{"in order", ` {"b": [1, {"x": null}], "a" : "x"} `, []jsonobj.Field{
			{"b", json.RawMessage(`[1, {"x": null}]`)}, {"a", json.RawMessage(`"x"`)}}, ""},
		{"escaped name", `{"\u0061": 1}`, []jsonobj.Field{{"a", json.RawMessage("1")}}, ""},
		{"twice", `{"a": 1, "a": 2, "b": 3}`, []jsonobj.Field{{"a", json.RawMessage("1")}, {"b", json.RawMessage("3")}}, "a: it is given twice; leave one out"},
		{"twice, once escaped", `{"a": 1, "\u0061": 2}`, []jsonobj.Field{{"a", json.RawMessage("1")}}, "a: it is given twice; leave one out"},
		{"twice, in other case", `{"ask": 1, "A\u017fK": 2}`, []jsonobj.Field{{"ask", json.RawMessage("1")}}, "AſK: it is given twice; leave one out"},
		{"twice, null", `{"a": null, "a": null}`, nil, "a: it is null; give it a value or leave it out\na: it is given twice; leave one out"},
		{"empty", ``, nil, `there is nothing in it; write {"name": value, …}`},
		{"spaces", " \n\t", nil, `there is nothing in it; write {"name": value, …}`},
		{"array", `[1]`, nil, `[1] is not a JSON object; write {"name": value, …}`},
		{"null", `null`, nil, `null is not a JSON object; write {"name": value, …}`},
		{"string", `"{}"`, nil, `"{}" is not a JSON object; write {"name": value, …}`},
		{"cut off", `{"a": 1`, nil, "line 1, column 7: this is not JSON; look for a missing comma, quote or bracket"},
		{"no comma", "{\n  \"a\": 1\n  \"b\": 2\n}", nil, "line 3, column 3: this is not JSON; look for a missing comma, quote or bracket"},
		{"two objects", `{} {}`, nil, "line 1, column 4: this is not JSON; look for a missing comma, quote or bracket"},
		{"too deep", strings.Repeat("[", 20_000), nil, "line 1, column 10001: this is not JSON; look for a missing comma, quote or bracket"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := jsonobj.Fields([]byte(test.json))
			if !reflect.DeepEqual(got, test.want) || text(err) != test.fault {
				t.Errorf("got %q, %v\nwant %q, %s", got, err, test.want, test.fault)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestValues(t *testing.T) {
	number := func(value string) (any, error) {
		return jsonobj.Number[int]([]byte(value), "a whole number; 5 is common")
	}
	fraction := func(value string) (any, error) { return jsonobj.Number[float64]([]byte(value), "a number") }
	duration := func(value string) (any, error) { return jsonobj.Duration([]byte(value)) }
	plain := func(value string) (any, error) { return jsonobj.ParseDuration(value) }
	str := func(value string) (any, error) { return jsonobj.String([]byte(value)) }
	boolean := func(value string) (any, error) { return jsonobj.Bool([]byte(value)) }
	list := func(value string) (any, error) { return jsonobj.List([]byte(value), jsonobj.Duration) }
	const minute, inQuotes = time.Minute, ` is not a duration; write a number with its unit in quotes, such as "1m30s"`
	for _, test := range []struct {
		name  string
		read  func(string) (any, error)
		value string
		want  any
		fault string
	}{
		{"number", number, "5", 5, ""},
		{"fraction for a whole number", number, "1.5", 0, "1.5 is not a whole number; 5 is common"},
		{"number too large", number, "1e30", 0, "1e30 is not a whole number; 5 is common"},
		{"string for a number", number, `"5"`, 0, `"5" is not a whole number; 5 is common`},
		{"fraction", fraction, "1.5", 1.5, ""},
		{"fraction too large", fraction, "1e999", 0.0, "1e999 is not a number"},
		{"duration", duration, `"1m"`, minute, ""},
		{"bare duration", duration, "60", time.Duration(0), "60" + inQuotes},
		{"duration without a unit", duration, `"60"`, time.Duration(0), `"60"` + inQuotes},
		{"duration of words", duration, `"a minute"`, time.Duration(0), `"a minute"` + inQuotes},
		{"duration too long", duration, `"9999999h"`, time.Duration(0), `"9999999h"` + inQuotes},
		{"nothing for a duration", duration, "", time.Duration(0), inQuotes},
		{"plain duration", plain, "1m", minute, ""},
		{"plain duration without a unit", plain, "60", time.Duration(0), "60 is not a duration; write a number with its unit, such as 1m30s"},
		{"string", str, `"x"`, "x", ""},
		{"number for a string", str, "1", "", "1 is not a string; put it in quotes"},
		{"true", boolean, "true", true, ""},
		{"string for a boolean", boolean, `"true"`, false, `"true" is neither true nor false`},
		{"list", list, `["1m", "2m"]`, []time.Duration{minute, 2 * minute}, ""},
		{"empty list", list, `[]`, []time.Duration{}, ""},
		{"no list", list, `"1m"`, []time.Duration(nil), `"1m" is not a list; write [value, …]`},
		{"bad entries", list, `["1m", 2, null]`, []time.Duration{minute, 0, 0}, "entry 2: 2" + inQuotes + "\nentry 3: null" + inQuotes},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.read(test.value)
			if !reflect.DeepEqual(got, test.want) || text(err) != test.fault {
				t.Errorf("got %#v, %v\nwant %#v, %s", got, err, test.want, test.fault)
			}
		})
	}
}

func TestUnknown(t *testing.T) {
	names := []string{"initial", "factor", "max", "threshold", "window", "cooldown", "cooldowns", "retry_after_max"}
	for name, want := range map[string]string{
		"treshold":      "threshold",
		"Threshold":     "threshold",
		"thresholds":    "threshold",
		"cool-down":     "cooldown",
		"coolDowns":     "cooldowns",
		"retryAfterMax": "retry_after_max",
		"MAX":           "max",
		"mx":            "max",
		"windw":         "window",
		"":              "",
		"period":        "",
		"x":             "",
	} {
		err := jsonobj.Unknown(name, names).Error()
		suggested := name + ": there is no such field; did you mean " + want + "?"
		if want == "" {
			suggested = name + ": there is no such field; the fields are initial, factor, max, threshold, window, cooldown, cooldowns, retry_after_max"
		}
		if err != suggested {
			t.Errorf("got  %s\nwant %s", err, suggested)
		}
	}
	if err := jsonobj.Unknown(strings.Repeat("long\n", 100_000), names); len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
		t.Errorf("a name of 500 kB makes an error of %d bytes, or of several lines", len(err.Error()))
	}
}

func FuzzFields(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a": 1, "a": null}`, "{\"\xff\": [1, 2]}", `{"a": {"b": [`, `nul`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fields, err := jsonobj.Fields(data)
		if err == nil && !json.Valid(data) {
			t.Fatalf("accepted: %q", data)
		}
		if err != nil && (!utf8.ValidString(err.Error()) || errors.As(err, new(*json.SyntaxError))) {
			t.Fatalf("%q", err)
		}
		for _, field := range fields {
			if !json.Valid(field.Value) {
				t.Fatalf("%s: %q", field.Name, field.Value)
			}
			_, _ = jsonobj.Duration(field.Value)
			_, _ = jsonobj.List(field.Value, jsonobj.String)
		}
	})
}
