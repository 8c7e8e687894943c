package policy

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// Run is one run of a task in a simulation. A nil Err is a clean exit, after
// which the task is restarted as the policy says.
type Run struct {
	For time.Duration // how long it lasts; a negative one counts as zero
	Err error         // what it ends with
}

// Step is one run of a simulation and what came of it. Times count from the
// start of the first run.
type Step struct {
	Start, End time.Duration // of the run
	Err        error         // what it ended with
	Streak     int           // crashes since the slate was last clean
	Verdict    Verdict
	Hold       time.Duration // from End to the next start; 0 when given up
}

// Timeline is the result of a simulation, in the order of time.
type Timeline []Step

// SimulateOption is an option of [Simulate] and [SimulateFleet].
type SimulateOption func(*simulation)

type simulation struct {
	start time.Time
	seed  uint64
}

// From has the first run start at an instant, for a policy that looks at
// [History.Now], such as one with a rule about business hours. Defaults to midnight
// UTC on Saturday, 1 January 2000. A zero time is the default, too.
func From(start time.Time) SimulateOption {
	return func(s *simulation) {
		if !start.IsZero() {
			s.start = start
		}
	}
}

// WithSeed sets the seed of the random draws, which is otherwise the same each time;
// of a fleet, that of its first task. Defaults to 1, as does 0.
func WithSeed(seed uint64) SimulateOption {
	return func(s *simulation) {
		if seed != 0 {
			s.seed = seed
		}
	}
}

func newSimulation(opts []SimulateOption) simulation {
	s := simulation{time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC), 1}
	for _, opt := range opts {
		if opt != nil {
			opt(&s)
		}
	}
	return s
}

// longestSimulation keeps instants within what a history can tell apart.
const longestSimulation = history.Reach

// Simulate replays runs under p on virtual time and returns what happened: each
// run starts when the hold after the one before it is over. It ends early where
// the policy gives up, or holds forever, or 18 years have passed. The task's random
// seed is always the same, so that the result is, too. A nil p is [Default]; one that
// panics is treated as by a gate, see [Guard].
//
//	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{{For: time.Second, Err: err}}, 10)))
func Simulate(p Policy, runs []Run, opts ...SimulateOption) Timeline {
	p = Guard(p, nil)
	s := newSimulation(opts)
	var h history.Log
	h.Seed(s.seed)
	h.ObserveStart(s.start)
	var timeline Timeline
	for _, run := range runs {
		start := h.Started()
		end := addSaturating(start, max(run.For, 0))
		if end > longestSimulation {
			break
		}
		if run.Err != nil {
			h.ObserveCrash(s.start.Add(end), run.Err)
		} else {
			h.ObserveCleanExit(s.start.Add(end))
		}
		verdict, next := apply(&h, p)
		step := Step{start, h.Last(), run.Err, int(h.Streak()), verdict, 0}
		if verdict != GiveUp {
			step.Hold = next - h.Last()
		}
		timeline = append(timeline, step)
		if next == history.Never {
			break
		}
		h.Begin(next)
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
			ended = firstLine(history.ErrorText(s.Err))
		}
		hold := s.Hold
		if s.endless() {
			next, hold = "never", math.MaxInt64
		}
		fmt.Fprintf(w, "%d\t%v\t%v\t%s\t%d\t%v\t%s\n", i+1, s.Start, s.End, ended, s.Streak, Decision{Verdict: s.Verdict, Delay: hold}, next)
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
