package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Steps is a policy that holds a task for the first delay at the first crash of
// a streak, for the second at the second, and for the last from then on. It
// restarts after a clean exit with the same delay as after the last crash, or with
// the first one. Steps panics if there is no delay, one is negative, or there are more
// than a thousand.
func Steps(delays ...time.Duration) Policy {
	if err := checkSteps(delays); err != nil {
		panic(err)
	}
	return newSteps(delays)
}

// steps decides by the streak alone: a decision is an index into a table, which
// has the delay of each streak from 0, after a clean exit, where it is that of the
// first crash. The last one serves all that follow.
type steps struct{ table []time.Duration }

func newSteps(delays []time.Duration) *steps {
	return &steps{slices.Concat(delays[:1], delays)}
}

func (p *steps) infallible() bool { return true }

func (p *steps) Decide(h History) Decision { return Decision{Delay: p.delay(h.Streak())} }

func (p *steps) delay(streak int) time.Duration {
	return p.table[min(streak, len(p.table)-1)]
}

func (p *steps) String() string { return p.rule() }

func (p *steps) rule() string {
	if len(p.table) == 1 {
		return "Constant(" + short(p.table[0]) + ")"
	}
	return "Steps(" + shorts(p.table[1:]) + ")"
}

func checkSteps(delays []time.Duration) error {
	if len(delays) == 0 {
		return errors.New("policy: steps is empty; give at least one delay")
	}
	if err := checkCount("steps", len(delays)); err != nil {
		return err
	}
	var faults []error
	for i, d := range delays {
		if d < 0 {
			faults = append(faults, fmt.Errorf("policy: steps: delay %d (%v) is negative; use 0 to restart at once", i+1, d))
		}
	}
	return errors.Join(faults...)
}

// maxCount bounds the delays and cool-downs that are given one by one.
const maxCount = 1000

func checkCount(name string, n int) error {
	if n > maxCount {
		return fmt.Errorf("policy: %s: there are %d, which is above %d; leave some out", name, n, maxCount)
	}
	return nil
}
