package supervisetest

import (
	"fmt"
	"math"
	"time"
)

// Delay is a distribution of times: it returns the time for a number u that is drawn
// evenly from 0 to below 1, and the same time for the same number. One that returns a
// negative time counts as 0. It is called on the goroutine of the task, and may be
// called concurrently.
type Delay func(u float64) time.Duration

// Fixed is always d. A negative d panics.
func Fixed(d time.Duration) Delay {
	if d < 0 {
		panic(fmt.Sprintf("supervisetest: Fixed: %v is negative; give 0 or more", d))
	}
	return func(float64) time.Duration { return d }
}

// Uniform is evenly distributed from least to below most. It panics if least is
// negative, or not below most.
func Uniform(least, most time.Duration) Delay {
	if least < 0 {
		panic(fmt.Sprintf("supervisetest: Uniform: least (%v) is negative; give 0 or more", least))
	}
	if most <= least {
		panic(fmt.Sprintf("supervisetest: Uniform: most (%v) is not above least (%v); raise most, or use Fixed", most, least))
	}
	return func(u float64) time.Duration { return least + time.Duration(u*float64(most-least)) }
}

// Exponential is what is left to wait for a thing that may happen at any time alike,
// and happens once in the time of mean on average. A mean that is not positive panics.
func Exponential(mean time.Duration) Delay {
	if mean <= 0 {
		panic(fmt.Sprintf("supervisetest: Exponential: mean (%v) is not positive; raise it", mean))
	}
	return func(u float64) time.Duration {
		d := -math.Log1p(-u) * float64(mean)
		if d >= math.MaxInt64 {
			return math.MaxInt64
		}
		return time.Duration(d)
	}
}

// draw returns the delay for u; a nil one is none.
func (d Delay) draw(u float64) time.Duration {
	if d == nil {
		return 0
	}
	return max(d(u), 0)
}
