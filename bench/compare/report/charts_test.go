package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// invented has a figure for all that is reported.
func invented() figures {
	f := figures{}
	for _, t := range targets {
		for i, key := range []figure{t.a, t.b} {
			f[key] = []float64{10, 11, 12, 13, 14, float64(15 + i)}
		}
	}
	f[peer("Decide/lib=gobreaker", "ns/op")] = []float64{100}
	for _, lib := range scaled {
		for _, size := range []string{"1", "1000"} {
			f[peer("Churn/lib="+lib+"/tasks="+size, "restarts/s")] = []float64{1e6}
			f[peer("Idle/lib="+lib+"/tasks="+size, "B/task")] = []float64{3000}
		}
	}
	return f
}

func TestTheReportShowsAllTargetsAndItsChartsExist(t *testing.T) {
	dir, f := t.TempDir(), invented()
	if err := writeResults(dir, "somewhere", f); err != nil {
		t.Fatal(err)
	}
	if err := drawAll(dir, f); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if !strings.Contains(string(text), "| "+target.what+" | "+target.reach) {
			t.Errorf("%q is not in the report", target.what)
		}
	}
	charts, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil || len(charts) != 7 {
		t.Errorf("there are %d charts (%v), want 7", len(charts), err)
	}
	for _, chart := range charts {
		if !strings.Contains(string(text), "]("+filepath.Base(chart)+")") {
			t.Errorf("%s is not in the report", filepath.Base(chart))
		}
	}
}

func TestCheckFindsWhatIsMissingAndWhatIsTooMuch(t *testing.T) {
	f := figures{}
	for key := range limits {
		f[key] = []float64{100}
	}
	err := f.check()
	if err == nil {
		t.Fatal("nothing is found")
	}
	for _, want := range []string{
		"bench:Run: 100 allocs/op, want at most 18",
		"compare:Storm/lib=suture/tasks=100: no storm-ns was reported",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
}

func TestReached(t *testing.T) {
	for value, want := range map[float64]string{9: "**not reached**", 10: "reached", 11: "reached"} {
		a, b := figure{"a", "u"}, figure{"b", "u"}
		f := figures{a: {value}, b: {1}}
		row := target{a: a, b: b, limit: 10, atLeast: true}.row(f)
		if got := row[len(row)-1]; got != want {
			t.Errorf("%g of at least 10 is %q, want %q", value, got, want)
		}
	}
}
