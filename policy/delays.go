package policy

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Exponential is a policy whose delay grows by a factor with each crash of the
// streak: min(initial × factor^(streak−1), max). It restarts after a clean exit
// with the same delay as after the last crash, or with the initial one.
//
// It panics if initial is negative or above max, or if factor is not a number
// from 1 up. A factor of 1 is [Constant]. Safe for concurrent use.
func Exponential(initial time.Duration, factor float64, max time.Duration) Policy {
	if err := checkDelays(initial, factor, max); err != nil {
		panic(err)
	}
	return newDelays(initial, factor, max)
}

// Constant is a policy that holds a task for d whenever its run has ended. Zero
// restarts at once, so a task that fails at once spins. It panics if d is
// negative. Safe for concurrent use.
func Constant(d time.Duration) Policy {
	return Steps(d)
}

// Steps is a policy that holds a task for the first delay at the first crash of
// a streak, for the second at the second, and for the last ever after. It
// panics if there is none or one is negative. Safe for concurrent use.
func Steps(delays ...time.Duration) Policy {
	if len(delays) == 0 {
		panic("policy: Steps: there are no delays; give at least one")
	}
	for i, d := range delays {
		if d < 0 {
			panic(fmt.Sprintf("policy: Steps: delay %d (%v) is negative; use 0 to restart at once", i+1, d))
		}
	}
	return &steps{table: slices.Concat(delays[:1], delays)}
}

// steps decides by the streak alone. Delays are computed once, so that a
// decision is an index into a table.
type steps struct {
	// table has the delay of each streak from 0, after a clean exit, where it is
	// that of the first crash. The last one serves all that follow.
	table []time.Duration

	// Where the table ends before the delay has reached its max.
	initial time.Duration
	factor  float64
	max     time.Duration
}

// tableSize is beyond what a useful factor needs to reach its max: a delay that
// grows by 12 % a crash goes from a nanosecond to an hour in it.
const tableSize = 256

func newDelays(initial time.Duration, factor float64, max time.Duration) *steps {
	if initial == 0 || factor == 1 {
		return &steps{table: []time.Duration{initial}}
	}
	s := &steps{table: []time.Duration{initial}, initial: initial, factor: factor, max: max}
	for streak := 1; streak < tableSize; streak++ {
		d := s.compute(streak)
		s.table = append(s.table, d)
		if d == max {
			return &steps{table: s.table}
		}
	}
	return s
}

func (s *steps) Decide(h *History) Decision { return Decision{Delay: s.delay(h.Streak())} }

func (s *steps) delay(streak int) time.Duration {
	if uint(streak) < uint(len(s.table)) {
		return s.table[streak]
	}
	return s.compute(streak)
}

// compute is the delay of a streak that the table does not have.
func (s *steps) compute(streak int) time.Duration {
	if s.factor == 0 {
		return s.table[len(s.table)-1]
	}
	d := float64(s.initial) * math.Pow(s.factor, float64(streak-1))
	if d >= float64(s.max) { // also where d is infinite
		return s.max
	}
	return time.Duration(d)
}

func (s *steps) infallible() bool { return true }
