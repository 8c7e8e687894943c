// Command fleet shows what 100,000 tasks do to a dependency that they share and
// that fails for ten minutes, under policies with and without jitter and a budget.
// It takes seconds, of virtual time; nothing runs.
//
//	go run ./examples/fleet
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// The story, counted from the start of all tasks.
const (
	fleetSize = 100_000
	fails     = time.Minute
	recovers  = fails + 10*time.Minute
	storyEnds = recovers + 4*time.Minute
	startUp   = 100 * time.Millisecond // after which a task sees that the dependency is down
)

var errDown = errors.New("the dependency is down")

func main() {
	svg := flag.String("svg", "", "also draw the starts per second as an SVG picture into this `file`")
	flag.Parse()
	if err := run(os.Stdout, *svg, fleetSize); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, svg string, tasks int) error {
	curves := simulate(tasks)
	if err := table(w, curves); err != nil {
		return err
	}
	if svg == "" {
		return nil
	}
	f, err := os.Create(svg)
	if err != nil {
		return err
	}
	return errors.Join(draw(f, curves), f.Close())
}

// curve is what the fleet does under a policy.
type curve struct {
	name   string
	starts []int // in each second
}

// simulate tells the story under each policy. Built from the inside out: the
// budget sees a restart when it has its delay.
func simulate(tasks int) []curve {
	backOff := policy.Exponential(500*time.Millisecond, 2, time.Minute)
	jitter := policy.Jitter(policy.FullJitter, time.Minute)
	budget := func() policy.Decorator { return policy.Budget(float64(tasks)/100, max(tasks/100, 1)) }
	curves := []curve{
		{name: "back-off alone"},
		{name: "with jitter"},
		{name: "with jitter and budget"},
	}
	for i, p := range []policy.Policy{
		backOff,
		policy.Compose(backOff, jitter),
		policy.Compose(backOff, jitter, budget()),
	} {
		curves[i].starts = policy.SimulateFleet(p, tasks, storyEnds, dependent)
	}
	return curves
}

// dependent is a run of a task that needs the dependency.
func dependent(_ int, start time.Duration) policy.Run {
	switch {
	case start < fails:
		return policy.Run{For: fails - start, Err: errDown}
	case start < recovers:
		return policy.Run{For: startUp, Err: errDown}
	}
	return policy.Run{For: math.MaxInt64}
}

// peaks returns the most starts in a second while the dependency is down, and once
// it is back.
func (c curve) peaks() (down, back int) {
	from, to := int(fails/time.Second), int(recovers/time.Second)
	return slices.Max(c.starts[from:to]), slices.Max(c.starts[to:])
}

// wasted returns how many starts there were while the dependency was down.
func (c curve) wasted() (n int) {
	for _, starts := range c.starts[fails/time.Second : recovers/time.Second] {
		n += starts
	}
	return n
}

// allUp returns how long after the dependency is back the last task is.
func (c curve) allUp() time.Duration {
	last := len(c.starts)
	for last > 0 && c.starts[last-1] == 0 {
		last--
	}
	return time.Duration(last)*time.Second - recovers
}

func table(w io.Writer, curves []curve) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "policy\tmost starts/s while down\tmost starts/s once back\tall up after\tstarts in vain")
	for _, c := range curves {
		down, back := c.peaks()
		fmt.Fprintf(t, "%s\t%d\t%d\t%v\t%d\n", c.name, down, back, c.allUp(), c.wasted())
	}
	return t.Flush()
}
