package policy

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Config holds the tunables of the usual stack: exponential delays, a crash-loop
// gate, and a fresh slate after a stable run. Zero means zero, not the default:
// start from [DefaultConfig] and change what should differ. In JSON durations
// are strings such as "500ms", and a field that is absent keeps its value:
//
//	{"initial": "500ms", "factor": 2, "max": "1m", "threshold": 5,
//	 "window": "1m", "cooldown": "5m", "stable_after": "1m"}
//
// A Config is a plain comparable value. Safe for concurrent use.
type Config struct {
	// Initial is the delay after the first crash of a streak. Zero restarts at
	// once, every time. It must not be above Max.
	// Defaults to 500ms.
	Initial time.Duration
	// Factor is what each further crash multiplies the delay by. It must be at
	// least 1, which keeps the delay at Initial.
	// Defaults to 2.
	Factor float64
	// Max bounds the delay.
	// Defaults to 1m.
	Max time.Duration
	// Threshold is the number of crashes within Window that trips the crash-loop
	// gate. It must be at least 1, which trips it at the first.
	// Defaults to 5.
	Threshold int
	// Window is how far back crashes count, inclusive. The first Threshold−1
	// delays must fit in it, or the gate could never trip.
	// Defaults to 1m.
	Window time.Duration
	// Cooldown is how long the crash-loop gate holds. It must be positive.
	// Defaults to 5m.
	Cooldown time.Duration
	// StableAfter is how long a run must last to earn a fresh slate. It must be
	// positive.
	// Defaults to 1m.
	StableAfter time.Duration
}

// DefaultConfig returns the configuration of [Default].
func DefaultConfig() Config {
	return Config{
		Initial:     500 * time.Millisecond,
		Factor:      2,
		Max:         time.Minute,
		Threshold:   5,
		Window:      time.Minute,
		Cooldown:    5 * time.Minute,
		StableAfter: time.Minute,
	}
}

// Validate returns nil if a policy can be made of c, or an error that joins all
// the faults, each with its field, its bound and a fix.
func (c Config) Validate() error {
	delays := checkDelays(c.Initial, c.Factor, c.Max)
	loop := checkCrashLoop(c.Threshold, c.Window, c.Cooldown)
	var reachable error
	if delays == nil && loop == nil {
		reachable = c.checkReachable()
	}
	return errors.Join(delays, loop, checkStable(c.StableAfter), reachable)
}

// Policy returns Compose(Exponential, CrashLoop, StableRun) with the values of
// c, or the error of Validate.
func (c Config) Policy() (Policy, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &stack{
		stableRule: stableRule{c.StableAfter},
		loopRule:   newLoopRule(c.Threshold, c.Window, c.Cooldown),
		delays:     newDelays(c.Initial, c.Factor, c.Max),
	}, nil
}

var defaultPolicy = must(DefaultConfig().Policy())

// Default returns the policy that serves where none is given: delays of 500 ms
// that double up to a minute, a crash loop at 5 crashes in a minute with a
// cool-down of 5 minutes, a fresh slate after a run of a minute. It always
// returns the same value. Safe for concurrent use.
func Default() Policy { return defaultPolicy }

func must(p Policy, err error) Policy {
	if err != nil {
		panic(err)
	}
	return p
}

func checkDelays(initial time.Duration, factor float64, limit time.Duration) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("policy: "+format, args...)) }
	if initial < 0 {
		fault("initial (%v) is negative; use 0 to restart at once", initial)
	}
	switch {
	case limit < 0:
		fault("max (%v) is negative; raise max, a minute is common", limit)
	case limit < initial:
		fault("max (%v) is below initial (%v); raise max", limit, initial)
	}
	switch {
	case math.IsNaN(factor) || math.IsInf(factor, 0):
		fault("factor (%v) is not a finite number; 2 is common", factor)
	case factor < 1:
		fault("factor (%v) is below 1; use 1 for a constant delay", factor)
	}
	return errors.Join(faults...)
}

// checkReachable refuses a crash loop that a task which fails at once cannot
// trip, because its delays alone outlast the window.
func (c Config) checkReachable() error {
	const rounding = 1e-9
	sum := c.delaySum(float64(c.Threshold - 1))
	if sum <= float64(c.Window)*(1+rounding) {
		return nil
	}
	return fmt.Errorf("policy: window (%v) is below the sum of the first %d delays (%v), so threshold (%d) is never reached; "+
		"raise window or lower threshold", c.Window, c.Threshold-1, saturate(sum), c.Threshold)
}

// delaySum returns the sum of the first n delays, in nanoseconds: a geometric
// series up to the cap, and the cap from there.
func (c Config) delaySum(n float64) float64 {
	initial, limit := float64(c.Initial), float64(c.Max)
	if c.Initial == 0 || c.Factor == 1 {
		return n * initial
	}
	growing := min(n, math.Ceil(math.Log(limit/initial)/math.Log(c.Factor)))
	return initial*(math.Pow(c.Factor, growing)-1)/(c.Factor-1) + (n-growing)*limit
}
