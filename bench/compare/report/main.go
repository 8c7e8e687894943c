// Command report runs all benchmarks of this module and of its peers, and writes
// what they show to ../RESULTS.md and to charts beside it. It takes some five
// minutes on two processors.
//
//	cd bench/compare && go run ./report
//
// With -quick it runs each one briefly and writes nothing. It fails if a figure
// is missing or if there are more allocations than limits.go allows, and never because
// of the time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	quick := flag.Bool("quick", false, "run each briefly, check allocations, write nothing")
	rounds := flag.Int("rounds", 8, "how many times each is measured")
	out := flag.String("out", "..", "the directory for RESULTS.md and the charts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *quick, *rounds, *out); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, quick bool, rounds int, out string) error {
	if rounds < 1 {
		return fmt.Errorf("-rounds (%d) must be at least 1", rounds)
	}
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := &measurer{dir: dir, figures: figures{}}
	if err := m.build(ctx); err != nil {
		return err
	}
	if quick {
		return m.quick(ctx)
	}
	if err := m.full(ctx, rounds); err != nil {
		return err
	}
	env, err := describe(ctx, m.cpu, rounds)
	if err != nil {
		return err
	}
	if err := writeResults(out, env, m.figures); err != nil {
		return err
	}
	return drawAll(out, m.figures)
}
