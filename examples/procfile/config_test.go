package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestParseProcfile(t *testing.T) {
	entries, err := parseProcfile("Procfile", "# a comment\r\n\r\nweb:  serve -port 80 # not one\r\n\tmail-2:send\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{{"web", "serve -port 80 # not one", 3}, {"mail-2", "send", 4}}
	if len(entries) != 2 || entries[0] != want[0] || entries[1] != want[1] {
		t.Errorf("%+v", entries)
	}
}

func TestProcfileFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "P: there are no processes in it; write a line \"name: command\" for each",
		"# nothing":                "P: there are no processes in it; write a line \"name: command\" for each",
		"web":                      `P:1: "web" is not of the form "name: command"; a name has letters, digits, _ and -`,
		"\nweb:":                   `P:2: "web:" is not of the form "name: command"; a name has letters, digits, _ and -`,
		"a/b: x":                   `P:1: "a/b: x" is not of the form "name: command"; a name has letters, digits, _ and -`,
		"a: x\nb: y\na: z\nnobody": "P:3: there is a process \"a\" already, in line 1; give each a name of its own\nP:4: \"nobody\" is not of the form \"name: command\"; a name has letters, digits, _ and -",
	} {
		if _, err := parseProcfile("P", text); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzProcfile(f *testing.F) {
	f.Add("web: serve\n# comment\nmail: send")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parseProcfile("P", text)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, e := range entries {
			if seen[e.name] || e.name == "" || strings.TrimSpace(e.command) == "" || strings.Contains(e.command, "\n") {
				t.Errorf("%+v", entries)
			}
			seen[e.name] = true
		}
	})
}

var twoEntries = []entry{{name: "web"}, {name: "mail"}}

func TestConfigIsInherited(t *testing.T) {
	c, err := parseConfig("C", []byte(`{
		"policy": {"initial": "1s", "max_crashes": "7 in 1h"}, "stop_timeout": "3s",
		"processes": {"web": {"policy": {"max": "2s", "window": "20s"}, "restart": "always"}}}`), twoEntries)
	if err != nil {
		t.Fatal(err)
	}
	all := defaultConfig().all
	all.policy.Initial, all.stopTimeout, all.policy.MaxCrashes = time.Second, 3*time.Second, policy.Limit{N: 7, Window: time.Hour}
	if got := c.of("mail"); !reflect.DeepEqual(got, all) {
		t.Errorf("mail has %+v, not %+v", got, all)
	}
	web := all
	web.policy.Max, web.policy.Window, web.restart = 2*time.Second, 20*time.Second, "always"
	if got := c.of("web"); !reflect.DeepEqual(got, web) {
		t.Errorf("web has %+v, not %+v", got, web)
	}
}

func TestConfigFaults(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                        "C: [] is not a JSON object",
		`{`:                                         "C: line 1, column 1: this is not JSON",
		`{"polcy": {}}`:                             "C: polcy: there is no such field; did you mean policy?",
		`{"wages": {}}`:                             "C: wages: there is no such field; the fields are policy, restart, stop_timeout, processes",
		`{"restart": "often"}`:                      `C: restart: "often" is unknown; use always, on-crash or never`,
		`{"restart": 1}`:                            `C: restart: 1 is not a string; put it in quotes`,
		`{"restart": null}`:                         `C: restart: it is null; give it a value or leave it out`,
		`{"stop_timeout": 5}`:                       `C: stop_timeout: 5 is not a duration; write a number with its unit in quotes, such as "1m30s"`,
		`{"stop_timeout": "-1s"}`:                   "C: stop_timeout: -1s is negative; use 0s to kill at once",
		`{"policy": {"max_crashes": 3}}`:            `C: policy: max_crashes: 3 is not a limit; write a number of crashes and a window`,
		`{"policy": {"max_crashes": "3 a day"}}`:    `C: policy: max_crashes: 3 a day is not a limit; write a number of crashes and a window`,
		`{"policy": {"initial": "9h"}}`:             "C: policy: max (1m0s) is below initial (9h0m0s); raise max",
		`{"processes": {"db": {}}}`:                 "C: processes.db: the Procfile has no such process; it has web, mail",
		`{"processes": {"web": {"a": 1}}}`:          "C: processes.web: a: there is no such field",
		`{"processes": {"web": {}, "web": {}}}`:     "C: processes: web: it is given twice; leave one out",
		`{"processes": {"web": {"processes": {}}}}`: "C: processes.web: processes: there is no such field",
		// All faults are reported at once.
		`{"restart": "", "processes": {"web": {"policy": {"factor": 0}}}}`: "C: restart: \"\" is unknown; use always, on-crash or never\n" +
			"C: processes.web: policy: factor (0) is below 1",
	} {
		if _, err := parseConfig("C", []byte(text), twoEntries); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s:\n%v\nnot\n%s", text, err, want)
		}
	}
}

// A limit beside a crash loop that can never be reached is not taken in silence.
func TestConfigWarns(t *testing.T) {
	c, err := parseConfig("C", []byte(`{"processes": {"web": {"policy": {"max_crashes": "20 in 1m"}}, "mail": {"policy": {"max_crashes": "5 in 1h"}}}}`), twoEntries)
	if err != nil {
		t.Fatal(err)
	}
	if w := c.warnings(twoEntries); len(w) != 1 || !strings.HasPrefix(w[0], "web: policy: MaxCrashes(20 in 1m) never gives up") {
		t.Errorf("warnings %q", w)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"policy": {"max": "30s"}, "processes": {"web": {"restart": "always", "policy": {"max_crashes": "1 in 1s"}}}}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		c, err := parseConfig("C", data, twoEntries)
		if err != nil {
			return
		}
		for _, e := range twoEntries {
			c.of(e.name).options() // which must not panic
		}
	})
}
