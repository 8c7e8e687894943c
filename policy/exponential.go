package policy

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Exponential is a policy whose delay grows by a factor with each crash of the
// streak: min(initial × factor^(streak−1), max). It restarts after a clean exit
// with the same delay as after the last crash, or with the initial one.
//
// Exponential panics if initial is negative or above max, or if factor is not a number
// from 1 up. A factor of 1 is [Constant].
func Exponential(initial time.Duration, factor float64, max time.Duration) Policy {
	if err := checkDelays(initial, factor, max); err != nil {
		panic(err)
	}
	return newDelays(initial, factor, max)
}

// exponential looks its delays up in the table of steps, as far as that goes.
type exponential struct {
	steps
	complete bool // the last of the table serves all that follow
	initial  time.Duration
	factor   float64
	max      time.Duration
}

// tableSize is beyond what a useful factor needs to reach its max: a delay that
// grows by 12 % a crash goes from a nanosecond to an hour in it.
const tableSize = 256

func newDelays(initial time.Duration, factor float64, max time.Duration) *exponential {
	p := &exponential{steps{[]time.Duration{initial}}, false, initial, factor, max}
	p.complete = !p.growing()
	for streak := 1; streak < tableSize && !p.complete; streak++ {
		d := p.compute(streak)
		p.table = append(p.table, d)
		p.complete = d == max
	}
	return p
}

// growing reports whether not all delays are the same.
func (p *exponential) growing() bool { return p.initial > 0 && p.factor != 1 }

func (p *exponential) Decide(h History) Decision { return Decision{Delay: p.delay(h.Streak())} }

func (p *exponential) delay(streak int) time.Duration {
	if streak < len(p.table) || p.complete {
		return p.table[min(streak, len(p.table)-1)]
	}
	return p.compute(streak)
}

func (p *exponential) compute(streak int) time.Duration {
	d := float64(p.initial) * math.Pow(p.factor, float64(streak-1))
	if d >= float64(p.max) { // also where d is infinite
		return p.max
	}
	return time.Duration(d)
}

func (p *exponential) String() string { return p.rule() }

func (p *exponential) rule() string {
	if !p.growing() {
		return "Constant(" + short(p.initial) + ")"
	}
	factor := strconv.FormatFloat(p.factor, 'g', -1, 64)
	return fmt.Sprintf("Exponential(%s ×%s ≤ %s)", short(p.initial), factor, short(p.max))
}
