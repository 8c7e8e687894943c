package policy

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// shortestFleetRun has the time of a fleet go on, whatever its runs and its policy.
const shortestFleetRun = time.Millisecond

const (
	maxFleet   = 10_000_000
	maxFleetBy = 10 * 365 * 24 * time.Hour
)

// SimulateFleet runs so many tasks under p together, on one virtual time, from 0,
// when all start, until the end. run says how the run of a task, counted from 0,
// goes that starts at an instant; one that lasts less than a millisecond counts as
// lasting that, and one that would go on beyond the end never ends. What each end
// leads to is as in [Simulate], with a random seed of its own for each task; so two
// calls have the same result, if p keeps no state. Runs end in the order of time,
// and of tasks at the same instant: a policy that all share, such as that of
// [Budget], is asked in that order, with the time at which it is asked.
//
// It returns how many runs started in each second: the first element is for those
// from 0 to before 1s. A nil p is [Default]. A task takes some 300 bytes while it
// runs, a second eight. It panics if run is nil, or there are more than ten million
// tasks or ten years.
func SimulateFleet(p Policy, tasks int, end time.Duration, run func(task int, start time.Duration) Run, opts ...SimulateOption) (starts []int) {
	switch {
	case run == nil:
		panic("policy: SimulateFleet: run is nil; give the function that says how a run goes")
	case tasks > maxFleet:
		panic(fmt.Sprintf("policy: SimulateFleet: tasks (%d) is above %d; simulate fewer", tasks, maxFleet))
	case end > maxFleetBy:
		panic(fmt.Sprintf("policy: SimulateFleet: end (%v) is above %v; simulate a shorter time", end, maxFleetBy))
	case tasks <= 0 || end <= 0:
		return nil
	}
	s := newSimulation(opts)
	f := fleet{policy: Guard(p, nil), run: run, from: s.start, end: end, logs: make([]history.Log, tasks), starts: make([]int, (end-1)/time.Second+1)}
	for task := range f.logs {
		f.logs[task].Seed(uint64(task) + s.seed)
		f.logs[task].ObserveStart(f.from)
		f.start(task, 0)
	}
	for len(f.ends) > 0 {
		e := heap.Pop(&f.ends).(fleetEnd)
		if next := f.ended(e); next < end {
			f.logs[e.task].Begin(next)
			f.start(e.task, next)
		}
	}
	return f.starts
}

type fleet struct {
	policy Policy
	run    func(int, time.Duration) Run
	from   time.Time
	end    time.Duration
	logs   []history.Log
	ends   fleetEnds
	starts []int
}

// start records that a run of the task starts, and when it will end.
func (f *fleet) start(task int, at time.Duration) {
	f.starts[at/time.Second]++
	r := f.run(task, at)
	if end := addSaturating(at, max(r.For, shortestFleetRun)); end < f.end {
		heap.Push(&f.ends, fleetEnd{end, task, r.Err})
	}
}

// ended records the end of a run, and returns when the next starts.
func (f *fleet) ended(e fleetEnd) time.Duration {
	h := &f.logs[e.task]
	now := f.from.Add(e.at)
	if e.err != nil {
		h.ObserveCrash(now, e.err)
	} else {
		h.ObserveCleanExit(now)
	}
	verdict, next := apply(h, f.policy)
	if verdict == GiveUp {
		return history.Never
	}
	return next
}

// fleetEnd is the end of a run that is under way.
type fleetEnd struct {
	at   time.Duration
	task int
	err  error
}

type fleetEnds []fleetEnd

func (f fleetEnds) Len() int      { return len(f) }
func (f fleetEnds) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *fleetEnds) Push(x any)   { *f = append(*f, x.(fleetEnd)) }

func (f fleetEnds) Less(i, j int) bool {
	return f[i].at < f[j].at || f[i].at == f[j].at && f[i].task < f[j].task
}

func (f *fleetEnds) Pop() any {
	last := len(*f) - 1
	e := (*f)[last]
	*f = (*f)[:last]
	return e
}
