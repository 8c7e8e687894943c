package policy

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"time"
)

// Run is one run of a task in a simulation. A nil Err is a clean exit, after
// which the task is restarted as the policy says. Safe for concurrent use.
type Run struct {
	For time.Duration // how long it lasts; a negative one counts as zero
	Err error         // what it ends with
}

// Step is one run of a simulation and what came of it. Times count from the
// start of the first run. Safe for concurrent use.
type Step struct {
	Start, End time.Duration // of the run
	Err        error         // what it ended with
	Streak     int           // crashes since the slate was last clean
	Verdict    Verdict
	Hold       time.Duration // from End to the next start; 0 when given up
}

// Timeline is the result of a simulation, in the order of time.
// Safe for concurrent use.
type Timeline []Step

// simulationStart is where the virtual time of a simulation begins, and
// simulationSeed makes its draws the same each time.
var simulationStart = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

const simulationSeed = 1

// Simulate replays runs under p on virtual time and returns what happened: each
// run starts when the hold after the one before it is over. It ends early where
// the policy gives up, or holds for ever. The random seed of the task is always the same, so that
// the result is, too. A nil p is [Default]; one that panics is treated as by a
// gate, see [Guard].
//
//	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{{For: time.Second, Err: err}}, 10)))
func Simulate(p Policy, runs []Run) Timeline {
	p = Guard(p, nil)
	var h History
	h.Seed(simulationSeed)
	h.ObserveStart(simulationStart)
	var timeline Timeline
	for _, run := range runs {
		start := h.started
		end := simulationStart.Add(addSaturating(start, max(run.For, 0)))
		if run.Err != nil {
			h.ObserveCrash(end, run.Err)
		} else {
			h.ObserveCleanExit(end)
		}
		verdict, next := h.Apply(p.Decide(&h))
		step := Step{start, h.last, run.Err, h.Streak(), verdict, 0}
		if verdict != GiveUp {
			step.Hold = next - h.last
		}
		timeline = append(timeline, step)
		if next == math.MaxInt64 {
			break
		}
		h.begin(next)
	}
	return timeline
}

// endless reports whether no run follows the step.
func (s Step) endless() bool {
	return s.Verdict == GiveUp || addSaturating(s.End, s.Hold) == math.MaxInt64
}

// String returns the timeline as a table, a line for each run.
func (t Timeline) String() string {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "run\tstart\tend\tended by\tstreak\tdecision\tnext start")
	for i, s := range t {
		ended, next := "clean exit", addSaturating(s.End, s.Hold).String()
		if s.Err != nil {
			ended = firstLine(errorText(s.Err))
		}
		hold := s.Hold
		if s.endless() {
			next, hold = "never", math.MaxInt64
		}
		fmt.Fprintf(w, "%d\t%v\t%v\t%s\t%d\t%v\t%s\n", i+1, s.Start, s.End, ended, s.Streak, Decision{s.Verdict, hold}, next)
	}
	_ = w.Flush() // into memory
	return table.String()
}

// firstLine keeps a table a table.
func firstLine(text string) string {
	line, _, cut := strings.Cut(strings.ReplaceAll(text, "\t", " "), "\n")
	if cut {
		line += " …"
	}
	return line
}
