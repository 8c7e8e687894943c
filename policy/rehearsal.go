package policy

import (
	"math"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// rehearsed is how many crashes are tried. What takes more is computed from these,
// as by then the delays have stopped to grow, or hardly grow any more.
const rehearsed = 256

// rehearsal is what a policy does to a task that fails at once, each time.
type rehearsal struct {
	crashes   []time.Duration // when each was
	decisions []Decision      // on each
	streaks   []int           // after each
	panicked  bool
}

// rehearse tries p with a seed for its draws, and hands the history of each crash to
// watch. It ends where no run follows.
func rehearse(p Policy, seed uint64, watch func(h History)) (r rehearsal) {
	defer func() {
		if recover() != nil {
			r.panicked = true
		}
	}()
	start := newSimulation(nil).start
	var log history.Log
	log.Rehearse()
	log.Seed(seed)
	for range rehearsed {
		now := start.Add(log.Started())
		log.ObserveStart(now)
		log.ObserveCrash(now, ErrUnknown)
		h := History(log.View())
		watch(h)
		d := p.Decide(h)
		if d.Uncounted {
			break
		}
		r.crashes = append(r.crashes, log.Last())
		r.decisions = append(r.decisions, d)
		end := log.Apply(uint8(d.Verdict), d.Delay, d.Fresh, false).End(log.Last())
		r.streaks = append(r.streaks, int(log.Streak()))
		if end > longestSimulation {
			break
		}
		log.Begin(end)
	}
	return r
}

// complete reports whether the task crashed as often as was tried.
func (r *rehearsal) complete() bool { return len(r.crashes) == rehearsed }

// gaveUp reports whether the policy did in the end.
func (r *rehearsal) gaveUp() bool {
	return len(r.decisions) > 0 && r.decisions[len(r.decisions)-1].Verdict == GiveUp
}

// span returns the least time from the first to the last of k crashes, or at least
// what it is not below; forever, if the task does not crash so often.
func (r *rehearsal) span(k int) time.Duration {
	if k <= len(r.crashes) {
		least := forever
		for i, at := range r.crashes[k-1:] {
			least = min(least, at-r.crashes[i])
		}
		return least
	}
	if !r.complete() {
		return forever
	}
	const part = rehearsed / 2
	parts, rest := (k-1)/part, (k-1)%part
	return addSaturating(saturate(float64(r.span(part+1))*float64(parts)), r.span(rest+1))
}

const forever time.Duration = math.MaxInt64

// seeds are tried one by one; what happens with none of them is said to never happen.
var seeds = []uint64{1, 2, 3}

// rehearse returns what s does with each seed. Those of a policy that panics are of
// no use.
func (s *vetted) rehearse() []rehearsal {
	if s.rehearsals == nil {
		for _, seed := range seeds {
			s.rehearsals = append(s.rehearsals, rehearse(s.root, seed, func(History) {}))
		}
	}
	return s.rehearsals
}

// sound reports whether p can be rehearsed: it does not panic, nor leave all crashes
// uncounted.
func sound(all []rehearsal) bool {
	for _, r := range all {
		if r.panicked || len(r.crashes) == 0 {
			return false
		}
	}
	return true
}

// leastSpan is that of all rehearsals.
func leastSpan(all []rehearsal, k int) time.Duration {
	least := forever
	for _, r := range all {
		least = min(least, r.span(k))
	}
	return least
}
