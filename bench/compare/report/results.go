package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// notes are what no program can find out.
//
//go:embed notes.md
var notes string

func writeResults(out, environment string, f figures) error {
	var b strings.Builder
	b.WriteString("# Results\n\nWritten by `cd bench/compare && go run ./report`; the text under *What the figures say* by hand.\n\n")
	b.WriteString(environment)
	b.WriteString("\n## Figures to reach\n\n")
	var rows [][]string
	for _, t := range targets {
		rows = append(rows, t.row(f))
	}
	table(&b, []string{"what", "reach", "median", "±", "p", ""}, rows)

	section(&b, "Restart after an error", "restart-error.svg")
	f.compare(&b, "Restart/after=error/lib=", "holdfast", "allocs/op", "B/op")
	section(&b, "Restart after a panic", "restart-panic.svg")
	f.compare(&b, "Restart/after=panic/lib=", "holdfast", "allocs/op", "B/op")
	section(&b, "Decision at a crash", "decide.svg")
	f.compare(&b, "Decide/lib=", "holdfast-gate", "allocs/op", "B/op")
	section(&b, "Read of the gate, or of a breaker's state, alone", "")
	f.compare(&b, "Read/use=alone/lib=", "holdfast-gate")
	section(&b, "The same by two readers, with a writer", "")
	f.compare(&b, "Read/use=2-readers-1-writer/lib=", "holdfast-gate")
	for _, n := range idleSizes {
		chart := ""
		if n == idleSizes[len(idleSizes)-1] {
			chart = "idle.svg"
		}
		section(&b, strconv.Itoa(n)+" idle tasks", chart)
		f.idle(&b, n)
	}
	section(&b, strconv.Itoa(stormSize)+" tasks crash at one instant, until all have started again", "storm.svg")
	f.storm(&b)
	section(&b, "Scale", "scale-restarts.svg")
	b.WriteString("![Memory of an idle task](scale-memory.svg)\n\n")
	f.scale(&b)
	section(&b, "This module's own paths", "")
	f.own(&b)
	b.WriteString("\n" + notes)
	return os.WriteFile(filepath.Join(out, "RESULTS.md"), []byte(b.String()), 0o644) //nolint:gosec // to be read by all
}

func section(b *strings.Builder, title, chart string) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if chart != "" {
		fmt.Fprintf(b, "![%s](%s)\n\n", title, chart)
	}
}

func table(b *strings.Builder, head []string, rows [][]string) {
	fmt.Fprintf(b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

// libs returns the libraries that were measured under prefix in unit, the fastest
// first.
func (f figures) libs(prefix, unit string) (libs []string) {
	for key := range f {
		if lib, ok := strings.CutPrefix(key.name, "compare:"+prefix); ok && key.unit == unit {
			libs = append(libs, lib)
		}
	}
	slices.SortFunc(libs, func(a, b string) int {
		if f.median(peer(prefix+a, unit)) < f.median(peer(prefix+b, unit)) {
			return -1
		}
		return 1
	})
	return libs
}

// compare writes a table of all libraries, each against ours.
func (f figures) compare(b *strings.Builder, prefix, ours string, more ...string) {
	const unit = "ns/op"
	rows := [][]string{}
	us := peer(prefix+ours, unit)
	for _, lib := range f.libs(prefix, unit) {
		key := peer(prefix+lib, unit)
		row := append([]string{lib}, f.cells(key, us)...)
		for _, u := range more {
			row = append(row, show(f.median(peer(prefix+lib, u)), u))
		}
		rows = append(rows, row)
	}
	table(b, append([]string{"", "median", "±", "× " + ours, "p"}, more...), rows)
}

// cells are the median, its spread, the ratio to ours, and p.
func (f figures) cells(key, us figure) []string {
	p := ""
	if key != us {
		p = fmt.Sprintf("%.3f", f.p(key, us))
	}
	return []string{show(f.median(key), key.unit), f.spread(key), fmt.Sprintf("%.2f", f.ratio(key, us)), p}
}

func (f figures) idle(b *strings.Builder, n int) {
	var rows [][]string
	for _, lib := range slices.Concat(pools, slow) {
		if len(f[peer(fmt.Sprintf("Idle/lib=%s/tasks=%d", lib, n), "start-ns")]) == 0 {
			continue
		}
		row := []string{lib}
		for _, unit := range []string{"start-ns", "stop-ns", "B/task", "heap-B/task"} {
			at := func(lib string) figure { return peer(fmt.Sprintf("Idle/lib=%s/tasks=%d", lib, n), unit) }
			row = append(row, show(f.median(at(lib)), unit)+" "+f.spread(at(lib)), fmt.Sprintf("%.2f", f.ratio(at(lib), at("suture"))))
		}
		rows = append(rows, row)
	}
	table(b, []string{"", "start all", "× suture", "stop all", "× suture", "bytes each, stack included", "× suture", "heap bytes each", "× suture"}, rows)
}

func (f figures) storm(b *strings.Builder) {
	var rows [][]string
	at := func(lib string) figure { return peer(fmt.Sprintf("Storm/lib=%s/tasks=%d", lib, stormSize), "storm-ns") }
	for _, lib := range restarts {
		rows = append(rows, append([]string{lib}, f.cells(at(lib), at("suture"))...))
	}
	table(b, []string{"", "median", "±", "× suture", "p"}, rows)
}

func (f figures) scale(b *strings.Builder) {
	head := []string{"tasks"}
	for _, lib := range scaled {
		head = append(head, lib+": restarts", "bytes each")
	}
	var rows [][]string
	for _, n := range scale {
		row := []string{strconv.Itoa(n)}
		for _, lib := range scaled {
			row = append(row,
				f.orNone(peer(fmt.Sprintf("Churn/lib=%s/tasks=%d", lib, n), "restarts/s")),
				f.orNone(peer(fmt.Sprintf("Idle/lib=%s/tasks=%d", lib, n), "B/task")))
		}
		rows = append(rows, row)
	}
	table(b, head, rows)
}

func (f figures) orNone(key figure) string {
	if len(f[key]) == 0 {
		return "not measured"
	}
	return show(f.median(key), key.unit)
}

func (f figures) own(b *strings.Builder) {
	var rows [][]string
	for key := range f {
		if name, ok := strings.CutPrefix(key.name, "bench:"); ok && key.unit == "ns/op" {
			rows = append(rows, []string{name, show(f.median(key), key.unit), f.spread(key),
				fmt.Sprintf("%.2f", f.ratio(key, now)), f.orNone(own(name, "allocs/op"))})
		}
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	table(b, []string{"", "median", "±", "× time.Now", "allocs"}, rows)
}
