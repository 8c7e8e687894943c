package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// figures are the measured values of a benchmark, by package:name and unit.
type figures map[figure][]float64

// figure names what one benchmark measures in one unit, such as
// {"compare:Restart/after=error/lib=suture", "ns/op"}.
type figure struct{ name, unit string }

func (f figures) add(pkg string, r *benchfmt.Result) {
	base, parts := r.Name.Parts()
	name := pkg + ":" + string(base)
	for _, part := range parts {
		if part[0] == '/' { // not the number of processors
			name += string(part)
		}
	}
	for _, v := range r.Values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" {
			value, unit = v.OrigValue, v.OrigUnit
		}
		key := figure{name, unit}
		f[key] = append(f[key], value)
	}
}

func (f figures) sample(key figure) *benchmath.Sample {
	return benchmath.NewSample(append([]float64(nil), f[key]...), &benchmath.DefaultThresholds)
}

// summary is the median and its confidence interval, as benchstat has it.
func (f figures) summary(key figure) benchmath.Summary {
	if len(f[key]) == 0 {
		return benchmath.Summary{}
	}
	return benchmath.AssumeNothing.Summary(f.sample(key), 0.95)
}

func (f figures) median(key figure) float64 { return f.summary(key).Center }

// p is benchstat's: how likely a difference as large is if there were none.
func (f figures) p(a, b figure) float64 {
	return benchmath.AssumeNothing.Compare(f.sample(a), f.sample(b)).P
}

// ratio returns the median of a over that of b.
func (f figures) ratio(a, b figure) float64 { return f.median(a) / f.median(b) }

// spread is the confidence interval as a percentage of the median; "∞" of too few
// measurements.
func (f figures) spread(key figure) string { return f.summary(key).PctRangeString() }

// show writes a median in a unit for people.
func show(value float64, unit string) string {
	switch {
	case unit == "ns/op" || strings.HasSuffix(unit, "-ns"):
		return showTime(value)
	case unit == "restarts/s":
		return fmt.Sprintf("%.0f k/s", value/1000)
	}
	return fmt.Sprintf("%.0f", value)
}

func showTime(ns float64) string {
	switch d := time.Duration(ns); {
	case d < 100:
		return fmt.Sprintf("%.1f ns", ns)
	case d < time.Microsecond:
		return fmt.Sprintf("%.0f ns", ns)
	case d < time.Millisecond:
		return fmt.Sprintf("%.2f µs", ns/1e3)
	default:
		return fmt.Sprintf("%.1f ms", ns/1e6)
	}
}
