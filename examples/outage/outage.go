package main

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

const (
	// before is how long the tasks run before the outage: long enough for a clean slate.
	before = 2 * time.Minute
	// startUp is after how long a task that starts finds out that it cannot.
	startUp = 100 * time.Millisecond
	// after is how long we look after the outage: longer than any hold.
	after = 7 * time.Minute
	// samples is how often the fate of a single task is simulated, with another random
	// seed each time.
	samples = 100

	day = 24 * time.Hour
)

var errDown = errors.New("the dependency is down")

// result is what became of the tasks. Of a single one it sums up all samples.
type result struct {
	lags   []time.Duration // from the end of the outage to when a task is up, sorted
	inVain float64         // starts of a task while it lasted
	most   int             // starts in one second, from its end on
}

// outage simulates so many tasks that all crash as an outage begins.
func outage(p policy.Policy, tasks int, length time.Duration) (r result) {
	runs := 1
	if tasks == 1 {
		runs = samples
	}
	vain := 0
	for seed := range runs {
		up := make([]time.Duration, tasks) // 0 until it is up again
		begins, ends := before, before+length
		starts := policy.SimulateFleet(p, tasks, ends+after, func(task int, start time.Duration) policy.Run {
			switch {
			case start < begins:
				return policy.Run{For: begins - start, Err: errDown}
			case start < ends:
				vain++
				return policy.Run{For: startUp, Err: errDown}
			}
			up[task] = start
			return policy.Run{For: math.MaxInt64}
		}, policy.WithSeed(uint64(seed+1)))
		for _, at := range up {
			r.lags = append(r.lags, at-ends)
		}
		r.most = max(r.most, slices.Max(starts[ends/time.Second:]))
	}
	slices.Sort(r.lags)
	r.inVain = float64(vain) / float64(runs*tasks)
	return r
}

// lag is how long after the outage the share of the tasks is up.
func (r result) lag(share float64) time.Duration {
	i := int(math.Ceil(share*float64(len(r.lags)))) - 1
	return r.lags[max(i, 0)].Round(100 * time.Millisecond)
}

// startsBroken is how often a task is started that fails at once, every time.
func startsBroken(p policy.Policy, in time.Duration) (n int) {
	starts := policy.SimulateFleet(p, 1, in, func(int, time.Duration) policy.Run {
		return policy.Run{For: startUp, Err: errDown}
	})
	for _, s := range starts {
		n += s
	}
	return n
}
