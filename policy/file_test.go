package policy_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/policy"
)

const fileJSON = `{
	"default": {"max": "30s", "window": "10m"},
	"tasks": {
		"root/worker-*/queue": {"threshold": 3},
		"root/worker-7": {"max": "20s", "spread": 0},
		"root": {"initial": "1s"},
		"*/db": {"stable_after": "2m"},
		"root/worker-*": {"initial": "2s", "max_crashes": "20 in 2h"},
		"root/*": {"factor": 3, "initial": "3s"}
	}
}`

func parse(t testing.TB, text string) *policy.File {
	t.Helper()
	f, err := policy.ParseFile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFile(t *testing.T) {
	f := parse(t, fileJSON)
	for path, want := range map[string]string{
		"":                            "default,max=30s,window=10m",
		"other":                       "default,max=30s,window=10m",
		"root":                        "default,initial=1s,max=30s,window=10m",
		"rootless/db":                 "default,max=30s,window=10m,stable_after=2m",
		"root/db":                     "default,initial=3s,factor=3,max=30s,window=10m,stable_after=2m",
		"root/db/pool/conn":           "default,initial=3s,factor=3,max=30s,window=10m,stable_after=2m",
		"root/web":                    "default,initial=3s,factor=3,max=30s,window=10m",
		"root/worker-1":               "default,initial=2s,factor=3,max=30s,window=10m,max_crashes=20/2h",
		"root/worker-7":               "default,initial=2s,factor=3,max=20s,window=10m,max_crashes=20/2h,spread=0",
		"root/worker-1/queue/x":       "default,initial=2s,factor=3,max=30s,threshold=3,window=10m,max_crashes=20/2h",
		"root/worker-7/queue":         "default,initial=2s,factor=3,max=20s,threshold=3,window=10m,max_crashes=20/2h,spread=0",
		"root/worker-7/other":         "default,initial=2s,factor=3,max=20s,window=10m,max_crashes=20/2h,spread=0",
		"/root/worker-7":              "default,max=30s,window=10m",
		"root/worker-7/":              "default,initial=2s,factor=3,max=20s,window=10m,max_crashes=20/2h,spread=0",
		strings.Repeat("root/", 1000): "default,initial=3s,factor=3,max=30s,window=10m",
	} {
		if got := f.Config(path).String(); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", path, got, want)
		}
	}
	want := []string{"root", "*/db", "root/*", "root/worker-*", "root/worker-7", "root/worker-*/queue"}
	if got := f.Paths(); !slices.Equal(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
}

func TestFileOfNothing(t *testing.T) {
	for _, text := range []string{`{}`, `{"default": {}}`, `{"tasks": {}, "default": {}}`, `{"tasks": {"a": {}}}`} {
		if got := parse(t, text).Config("a/b").String(); got != "default" {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// Tasks of equal configurations share a policy, however they came by it.
func TestFileSharesPolicies(t *testing.T) {
	f := parse(t, `{"tasks": {"a": {"max": "10s"}, "b": {"max": "10s"}, "c": {"max": "1m"}}}`)
	if f.For("a") != f.For("b") || f.For("a/x") != f.For("b/y/z") || f.For("c") != f.For("d") {
		t.Error("equal configurations have several policies")
	}
	if f.For("a") == f.For("c") {
		t.Error("different configurations have one policy")
	}
	newTask(t, f.For("a")).crash(0)
}

// What is changed in a Config that the file has returned, is not changed in the file.
func TestFileIsNotChanged(t *testing.T) {
	f := parse(t, `{"tasks": {"a": {"steps": ["1s", "2s"]}}}`)
	c := f.Config("a")
	c.Steps[0], c.Cooldowns[0] = time.Hour, time.Hour
	if got := f.Config("a").String(); got != "default,steps=1s/2s" {
		t.Error(got)
	}
	f.Paths()[0] = "b"
	if f.Paths()[0] != "a" {
		t.Error("Paths has returned the file's own")
	}
}

func TestFileConcurrently(t *testing.T) {
	f := parse(t, fileJSON)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				path := fmt.Sprintf("root/worker-%d", i%10)
				if f.For(path) != f.For(path) || f.Config(path).Validate() != nil {
					t.Error(path)
				}
			}
		})
	}
	wg.Wait()
}

func TestFileFaults(t *testing.T) {
	const duration = ` is not a duration; write a number with its unit in quotes, such as "1m30s"`
	for _, test := range []struct{ name, json, want string }{
		{"nothing", ``, `policy: there is nothing in it; write {"name": value, …}`},
		{"no object", `[]`, `policy: [] is not a JSON object; write {"name": value, …}`},
		{"no JSON", "{\n\"tasks\": {]\n}", "policy: line 2, column 11: this is not JSON; look for a missing comma, quote or bracket"},
		{"unknown part", `{"task": {}}`, "policy: task: there is no such field; did you mean tasks?"},
		{"a field of a config", `{"initial": "1s"}`, "policy: initial: there is no such field; the fields are default, tasks"},
		{"null part", `{"default": null}`, "policy: default: it is null; give it a value or leave it out"},
		{"part twice", `{"tasks": {}, "tasks": {}}`, "policy: tasks: it is given twice; leave one out"},
		{"default no object", `{"default": "classic"}`, `policy: default: "classic" is not a JSON object; write {"name": value, …}`},
		{"default unknown field", `{"default": {"mx": "1s"}}`, "policy: default: mx: there is no such field; did you mean max?"},
		{"default invalid", `{"default": {"initial": "5m", "factor": 0}}`,
			"policy: default: max (1m0s) is below initial (5m0s); raise max\npolicy: default: factor (0) is below 1; use 1 for a constant delay"},
		{"tasks no object", `{"tasks": [1]}`, `policy: tasks: [1] is not a JSON object; write {"name": value, …}`},
		{"task no object", `{"tasks": {"a": 5}}`, `policy: tasks: a: 5 is not a JSON object; write {"name": value, …}`},
		{"task null", `{"tasks": {"a": null}}`, "policy: tasks: a: it is null; give it a value or leave it out"},
		{"task twice", `{"tasks": {"a": {}, "a": {}}}`, "policy: tasks: a: it is given twice; leave one out"},
		{"field null", `{"tasks": {"a": {"max": null}}}`, "policy: tasks: a: max: it is null; give it a value or leave it out"},
		{"field twice", `{"tasks": {"a": {"max": "1s", "max": "2s"}}}`, "policy: tasks: a: max: it is given twice; leave one out"},
		{"empty path", `{"tasks": {"": {}}}`, `policy: tasks: : the path has an empty name; write one such as "root/db"`},
		{"leading slash", `{"tasks": {"/root": {}}}`, `policy: tasks: /root: the path has an empty name; write one such as "root/db"`},
		{"trailing slash", `{"tasks": {"root/": {}}}`, `policy: tasks: root/: the path has an empty name; write one such as "root/db"`},
		{"no pattern", `{"tasks": {"root/[a": {}}}`, "policy: tasks: root/[a: [a is not a pattern; close the bracket, or put a backslash before what is meant as it stands"},
		{"invalid at its path", `{"tasks": {"root/db": {"initial": "5s", "max": "1s"}}}`, "policy: tasks: root/db: max (1s) is below initial (5s); raise max"},
		{"invalid with what is above", `{"tasks": {"root": {"max": "1s"}, "root/db": {"initial": "5s"}}}`, "policy: tasks: root/db: max (1s) is below initial (5s); raise max"},
		{"invalid with a pattern", `{"tasks": {"root/*": {"max": "1s"}, "root/db": {"initial": "5s"}}}`, "policy: tasks: root/db: max (1s) is below initial (5s); raise max"},
		{"invalid with a pattern above", `{"tasks": {"*": {"max": "1s"}, "root/db": {"initial": "5s"}}}`, "policy: tasks: root/db: max (1s) is below initial (5s); raise max"},
		{"patterns that may meet", `{"default": {"window": "10m"}, "tasks": {"root/a-*": {"max": "1s"}, "root/*-b": {"initial": "5s"}}}`,
			"policy: tasks: root/a-*, together with root/*-b: max (1s) is below initial (5s); raise max"},
		{"the fault of another once", `{"tasks": {"root": {"initial": "5m"}, "root/db": {}, "root/db/pool": {"factor": 3}}}`, "policy: tasks: root: max (1m0s) is below initial (5m0s); raise max"},
		{"all at once", `{"x": 1, "default": {"max": 1}, "tasks": {"a": {"mx": "1s", "factor": "2"}, "b//c": {"initial": 1}}}`,
			"policy: x: there is no such field; the fields are default, tasks\n" +
				"policy: default: max: 1" + duration + "\n" +
				"policy: tasks: a: mx: there is no such field; did you mean max?\n" +
				"policy: tasks: a: factor: \"2\" is not a number; 2 is common\n" +
				"policy: tasks: b//c: the path has an empty name; write one such as \"root/db\"\n" +
				"policy: tasks: b//c: initial: 1" + duration},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := policy.ParseFile([]byte(test.json))
			if f != nil || err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// Patterns that can never match one name are not tried together.
func TestFilePatternsThatNeverMeet(t *testing.T) {
	for _, text := range []string{
		`{"default": {"window": "10m"}, "tasks": {"root/a-*": {"max": "1s"}, "root/b-*": {"initial": "5s"}}}`,
		`{"default": {"window": "10m"}, "tasks": {"root/*-a": {"max": "1s"}, "root/*-b": {"initial": "5s"}}}`,
		`{"default": {"window": "10m"}, "tasks": {"root/a-?": {"max": "1s"}, "root/b": {"initial": "5s"}}}`,
		`{"default": {"window": "10m"}, "tasks": {"root/a-[0-9]": {"max": "1s"}, "root/b*": {"initial": "5s"}}}`,
		`{"default": {"window": "10m"}, "tasks": {"x/*": {"max": "1s"}, "y/*": {"initial": "5s"}}}`,
	} {
		parse(t, text)
	}
}

func TestFileOfTooManyPatterns(t *testing.T) {
	var tasks []string
	for i := range 12 {
		tasks = append(tasks, fmt.Sprintf(`"%c*%c": {}`, 'a', 'a'+i))
	}
	for i := range 12 {
		tasks = append(tasks, fmt.Sprintf(`"*%c%c*": {}`, 'a'+i, 'a'+i))
	}
	_, err := policy.ParseFile([]byte(`{"tasks": {` + strings.Join(tasks, ",") + `}}`))
	if err == nil || !strings.Contains(err.Error(), "other patterns may or may not apply where it does, which is above 10; name the tasks instead") {
		t.Errorf("got %v", err)
	}
}

func TestFileOfManyTasks(t *testing.T) {
	var tasks []string
	for i := range 2000 {
		tasks = append(tasks, fmt.Sprintf(`"root/group-%d/task-%d": {"max": "%ds"}`, i%10, i, 10+i%50))
	}
	f := parse(t, `{"tasks": {"root/group-3": {"initial": "1s"}, "root/*/task-1*": {"factor": 3},`+strings.Join(tasks, ",")+`}}`)
	if got := f.Config("root/group-3/task-13").String(); got != "default,initial=1s,factor=3,max=23s" {
		t.Error(got)
	}
}

// Whatever overrides there are, a file that is accepted has a valid configuration for
// every path, which is that of the naive merge.
func TestFileModel(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "ab", "ba", "b", "*", "a*", "*a", "?", "a?", "[ab]", "*b*", `\a`})
	fields := rapid.SampledFrom([]string{`"initial": "5s"`, `"initial": "70s"`, `"max": "1s"`, `"max": "10m"`, `"factor": 3`, `"threshold": 9`, `"window": "1h"`, `"cooldowns": []`, `"cooldown": "10m"`})
	rapid.Check(t, func(t *rapid.T) {
		overrides := map[string]string{}
		for range rapid.IntRange(0, 6).Draw(t, "overrides") {
			key := strings.Join(rapid.SliceOfN(names, 1, 3).Draw(t, "path"), "/")
			overrides[key] = fields.Draw(t, "field")
		}
		var tasks []string
		for key, field := range overrides {
			tasks = append(tasks, fmt.Sprintf(`%q: {%s}`, key, field))
		}
		f, err := policy.ParseFile([]byte(`{"tasks": {` + strings.Join(tasks, ",") + `}}`))
		if err != nil {
			return
		}
		some := rapid.SampledFrom([]string{"a", "b", "ab", "ba", "aa", "c"})
		for range 20 {
			task := strings.Join(rapid.SliceOfN(some, 1, 4).Draw(t, "task"), "/")
			c := policy.DefaultConfig()
			for _, key := range f.Paths() {
				if naiveMatch(key, task) {
					if err := c.UnmarshalJSON([]byte("{" + overrides[key] + "}")); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := f.Config(task); !sameConfig(got, c) {
				t.Fatalf("%s: %v, want %v", task, got, c)
			}
			if err := c.Validate(); err != nil {
				t.Fatalf("%s: it is accepted, but %v", task, err)
			}
			f.For(task)
		}
	})
}

func naiveMatch(pattern, task string) bool {
	for task != "." {
		if ok, _ := path.Match(pattern, task); ok {
			return true
		}
		task = path.Dir(task)
	}
	return false
}
