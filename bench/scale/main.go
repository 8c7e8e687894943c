// Command scale measures what very many tasks cost, against as many bare
// goroutines that each have a context of their own: memory while they idle, the
// time to start and to stop them all, and how late they start again after they
// have all crashed at one instant.
//
//	go run ./bench/scale -n 100000 -storm 10000 -count 5
//
// Every measurement is made in a process of its own, the two kinds in turn, and
// medians are printed.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// result is what one process has measured.
type result struct {
	Heap        float64 // bytes per task
	Goroutines  float64 // per task
	Start, Stop time.Duration

	// of a storm
	Lost, Early         int
	P50, P99, Last      time.Duration // of (start − gate opens)
	FromCrashToLastTask time.Duration
}

func main() {
	n := flag.Int("n", 100_000, "how many tasks idle")
	storm := flag.Int("storm", 10_000, "how many tasks crash at one instant")
	count := flag.Int("count", 5, "how many times each is measured")
	child := flag.String("measure", "", "measure this here, and print it as JSON: bare, supervised, bare-storm or supervised-storm")
	flag.Parse()
	if err := run(*n, *storm, *count, *child); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(n, storm, count int, child string) error {
	if n < 1 || storm < 1 || count < 1 {
		return fmt.Errorf("-n (%d), -storm (%d) and -count (%d) must be at least 1", n, storm, count)
	}
	if child != "" {
		measure, ok := measurements[child]
		if !ok {
			return fmt.Errorf("-measure %q is unknown; use bare, supervised, bare-storm or supervised-storm", child)
		}
		return json.NewEncoder(os.Stdout).Encode(measure(n))
	}
	idle, err := measureAll(count, n, "bare", "supervised")
	if err != nil {
		return err
	}
	printIdle(n, count, idle[0], idle[1])
	storms, err := measureAll(count, storm, "bare-storm", "supervised-storm")
	if err != nil {
		return err
	}
	printStorm(storm, count, storms[0], storms[1])
	return nil
}

var measurements = map[string]func(int) result{
	"bare":             func(n int) result { return idle(n, startBare) },
	"supervised":       func(n int) result { return idle(n, startSupervised) },
	"bare-storm":       stormBare,
	"supervised-storm": stormSupervised,
}

// measureAll measures each kind count times, in turn.
func measureAll(count, n int, kinds ...string) ([][]result, error) {
	results := make([][]result, len(kinds))
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for range count {
		for i, kind := range kinds {
			cmd := exec.CommandContext(context.Background(), self, "-measure", kind, "-n", strconv.Itoa(n))
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				return nil, fmt.Errorf("measuring %s: %w", kind, err)
			}
			var r result
			if err := json.Unmarshal(out, &r); err != nil {
				return nil, fmt.Errorf("measuring %s: %w", kind, err)
			}
			results[i] = append(results[i], r)
		}
	}
	return results, nil
}

func printIdle(n, count int, bare, supervised []result) {
	fmt.Printf("%d idle tasks, medians of %d:\n\n", n, count)
	const row = "%-26s %14s %14s %10s\n"
	fmt.Printf(row, "", "bare goroutine", "supervised", "")
	for _, f := range []struct {
		name, unit string
		relative   bool
		of         func(result) float64
	}{
		{"heap of one", "B", false, func(r result) float64 { return r.Heap }},
		{"goroutines of one", "", false, func(r result) float64 { return r.Goroutines }},
		{"starting all", "ms", true, func(r result) float64 { return milliseconds(r.Start) }},
		{"stopping all, unordered", "ms", true, func(r result) float64 { return milliseconds(r.Stop) }},
	} {
		a, b := median(bare, f.of), median(supervised, f.of)
		compared := fmt.Sprintf("%+.0f", b-a)
		if f.relative {
			compared = fmt.Sprintf("× %.2f", b/a)
		}
		fmt.Printf(row, f.name, fmt.Sprintf("%.0f %s", a, f.unit), fmt.Sprintf("%.0f %s", b, f.unit), compared)
	}
	fmt.Println()
}

func printStorm(n, count int, bare, supervised []result) {
	fmt.Printf("%d tasks crash at one instant and are held for %v, medians of %d:\n\n", n, stormHold, count)
	const row = "%-26s %14s %14s\n"
	fmt.Printf(row, "", "bare timers", "supervised")
	for _, f := range []struct {
		name string
		of   func(result) float64
	}{
		{"not started again", func(r result) float64 { return float64(r.Lost) }},
		{"started before gate opens", func(r result) float64 { return float64(r.Early) }},
		{"start − gate opens, p50 ms", func(r result) float64 { return milliseconds(r.P50) }},
		{"start − gate opens, p99 ms", func(r result) float64 { return milliseconds(r.P99) }},
		{"start − gate opens, max ms", func(r result) float64 { return milliseconds(r.Last) }},
		{"crash to last start, ms", func(r result) float64 { return milliseconds(r.FromCrashToLastTask) }},
	} {
		fmt.Printf(row, f.name, fmt.Sprintf("%.4g", median(bare, f.of)), fmt.Sprintf("%.4g", median(supervised, f.of)))
	}
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func median(results []result, of func(result) float64) float64 {
	values := make([]float64, len(results))
	for i, r := range results {
		values[i] = of(r)
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
