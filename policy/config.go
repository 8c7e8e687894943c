package policy

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// Config holds the tunables of the usual stack: delays that grow, a crash-loop
// gate with probation, a clean slate after a stable run, and a spread. Zero means
// zero, not the default: start from [DefaultConfig] and change what should differ.
// In JSON durations are strings such as "500ms", and a field that is absent keeps
// its value:
//
//	{"initial": "500ms", "factor": 2, "max": "1m", "threshold": 5, "window": "1m",
//	 "cooldown": "30s", "cooldowns": ["1m", "2m30s", "5m"], "stable_after": "1m", "spread": 0.1}
//
// [File] has one for all tasks with what differs for some. The yaml tags are for
// libraries that read durations as encoding/json does not.
type Config struct {
	// Initial is the delay after the first crash of a streak. Zero restarts at
	// once, every time. It must not be above Max.
	// Defaults to 500ms.
	Initial time.Duration `yaml:"initial"`
	// Factor is what each further crash multiplies the delay by. It must be at
	// least 1, which keeps the delay at Initial.
	// Defaults to 2.
	Factor float64 `yaml:"factor"`
	// Max bounds the delay.
	// Defaults to 1m.
	Max time.Duration `yaml:"max"`
	// Steps are the delays of the first crashes of a streak, the last for all that
	// follow. If there are any, Initial, Factor and Max have no meaning.
	// Defaults to none.
	Steps []time.Duration `yaml:"steps"`
	// Jitter draws each delay, up to Max or the longest of Steps, but not that of a
	// crash loop. Zero, or "none", does not.
	// Defaults to none.
	Jitter JitterKind `yaml:"jitter"`
	// Threshold is the number of crashes within Window that trips the crash-loop
	// gate. It must be at least 1, which trips it at the first.
	// Defaults to 5.
	Threshold int `yaml:"threshold"`
	// Window is how far back crashes count, inclusive. The first Threshold−1
	// delays must fit in it, or the gate could never trip.
	// Defaults to 1m.
	Window time.Duration `yaml:"window"`
	// Cooldown is how long the crash-loop gate holds at first. It must be positive.
	// Defaults to 30s.
	Cooldown time.Duration `yaml:"cooldown"`
	// Cooldowns are how long it holds at each crash after that, until a stable run;
	// see [Probation]. They must not fall; one below Cooldown counts as that. Without
	// any, the slate is clean once Cooldown is over.
	// Defaults to 1m, 2m30s, 5m.
	Cooldowns []time.Duration `yaml:"cooldowns"`
	// MaxCrashes is when to give up. In JSON it is a string such as "20 in 1h".
	// Defaults to "none", which is never.
	MaxCrashes Limit `yaml:"max_crashes"`
	// RetryAfterMax is how long an error may ask to wait; see [RetryAfter]. Zero does
	// not listen to it.
	// Defaults to 0.
	RetryAfterMax time.Duration `yaml:"retry_after_max"`
	// StableAfter is how long a run must last to earn a clean slate. It must be
	// positive.
	// Defaults to 1m.
	StableAfter time.Duration `yaml:"stable_after"`
	// Spread is by what part of it each hold may be longer, at random; see [Spread].
	// It is at most 1.
	// Defaults to 0.1.
	Spread float64 `yaml:"spread"`
}

// DefaultConfig returns the configuration of [Default].
func DefaultConfig() Config {
	c := ClassicConfig()
	c.Cooldown = 30 * time.Second
	c.Cooldowns = []time.Duration{time.Minute, 150 * time.Second, 5 * time.Minute}
	c.Spread = 0.1
	return c
}

// ClassicConfig returns the configuration of [Classic].
func ClassicConfig() Config {
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

var (
	defaultPolicy = must(DefaultConfig().Policy())
	classicPolicy = must(ClassicConfig().Policy())
)

// Default returns the policy that serves where none is given:
//
//	Spread(10%) ─► StableRun(1m) ─► Probation(1m, 2m30s, 5m) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(500ms ×2 ≤ 1m)
//
// Delays of 500 ms that double up to a minute; at 5 crashes in a minute a crash
// loop, which holds for 30 s, and if the next run crashes, too, for 1 m, 2.5 m and
// then 5 m each; a clean slate after a run of a minute; all holds up to a tenth
// longer at random. It always returns the same value.
func Default() Policy { return defaultPolicy }

// Classic returns the rules of the classic stack:
//
//	StableRun(1m) ─► CrashLoop(5 in 1m: 5m) ─► Exponential(500ms ×2 ≤ 1m)
//
// They have the figures of [Default] but one cool-down of five minutes, after which
// the slate is clean, and no spread. After an outage of eight seconds a task is down
// for five minutes under them, and a thousand tasks return in the same instant. It
// always returns the same value.
func Classic() Policy { return classicPolicy }

func must(p Policy, err error) Policy {
	if err != nil {
		panic(err)
	}
	return p
}

// Validate returns nil if a policy can be made of c, or an error that joins all
// the faults, each with its field, its bound and a fix.
func (c Config) Validate() error {
	delays := checkDelays(c.Initial, c.Factor, c.Max)
	if len(c.Steps) > 0 {
		delays = checkSteps(c.Steps)
	}
	loop := checkCrashLoop(c.Threshold, c.Window, c.Cooldown)
	var reachable error
	if delays == nil && loop == nil {
		reachable = c.checkReachable()
	}
	return errors.Join(delays, c.checkJitter(), loop, c.checkProbation(), c.checkLimits(), checkStable(c.StableAfter), reachable)
}

func (c Config) checkJitter() error {
	if c.Jitter > DecorrelatedJitter {
		return fmt.Errorf("policy: jitter (%d) is unknown; use full, equal, decorrelated or none", uint8(c.Jitter))
	}
	return nil
}

func (c Config) checkProbation() error {
	if len(c.Cooldowns) == 0 {
		return nil
	}
	return checkCooldowns(c.Cooldowns)
}

// probation returns the cool-downs of Probation. Those that somebody has left out of a
// configuration with a long first one are not to be a mistake.
func (c Config) probation() []time.Duration {
	cooldowns := slices.Clone(c.Cooldowns)
	for i := range cooldowns {
		cooldowns[i] = max(cooldowns[i], c.Cooldown)
	}
	return cooldowns
}

func (c Config) checkLimits() error {
	var faults []error
	if c.MaxCrashes != (Limit{}) {
		faults = append(faults, checkMaxCrashes(c.MaxCrashes.N, c.MaxCrashes.Window))
	}
	if c.RetryAfterMax != 0 {
		faults = append(faults, checkRetryAfter(c.RetryAfterMax))
	}
	if c.Spread != 0 {
		faults = append(faults, checkSpread(c.Spread))
	}
	return errors.Join(faults...)
}

// Policy returns the stack that c describes, or the error of Validate. From the
// inside out it is Exponential or Steps, and as far as c has them Jitter,
// CrashLoop, Probation, MaxCrashes, RetryAfter, StableRun and Spread.
func (c Config) Policy() (Policy, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	base, outward := c.rules()
	p := Compose(base, outward...)
	delays, ok := base.(*exponential)
	if !ok || !delays.complete || c.Jitter != 0 || c.MaxCrashes != (Limit{}) || c.RetryAfterMax != 0 {
		return p, nil
	}
	return &stack{history.Rules{
		Delays: delays.table, Threshold: c.Threshold, Window: min(c.Window, longest), Cooldown: c.Cooldown,
		Cooldowns: c.probation(), StableAfter: c.StableAfter, Spread: c.Spread,
	}, p}, nil
}

// rules returns the stack one by one.
func (c Config) rules() (base Policy, outward []Decorator) {
	add := func(wanted bool, d func() Decorator) {
		if wanted {
			outward = append(outward, d())
		}
	}
	base, longest := Policy(newDelays(c.Initial, c.Factor, c.Max)), c.Max
	if len(c.Steps) > 0 {
		base, longest = newSteps(c.Steps), slices.Max(c.Steps)
	}
	add(c.Jitter != 0 && longest > 0, func() Decorator { return Jitter(c.Jitter, longest) })
	add(true, func() Decorator { return CrashLoop(c.Threshold, c.Window, c.Cooldown) })
	add(len(c.Cooldowns) > 0, func() Decorator { return Probation(c.probation()...) })
	add(c.MaxCrashes != (Limit{}), func() Decorator { return MaxCrashes(c.MaxCrashes.N, c.MaxCrashes.Window) })
	add(c.RetryAfterMax > 0, func() Decorator { return RetryAfter(c.RetryAfterMax) })
	add(true, func() Decorator { return StableRun(c.StableAfter) })
	add(c.Spread > 0, func() Decorator { return Spread(c.Spread) })
	return base, outward
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
	sum := c.delaySum(c.Threshold - 1)
	if sum <= float64(c.Window)*(1+rounding) {
		return nil
	}
	return fmt.Errorf("policy: window (%v) is below the sum of the first %d delays (%v), so threshold (%d) is never reached; "+
		"raise window or lower threshold", c.Window, c.Threshold-1, saturate(sum), c.Threshold)
}

// delaySum returns the sum of the first n delays, without jitter or spread, in
// nanoseconds.
func (c Config) delaySum(n int) float64 {
	if len(c.Steps) == 0 {
		return c.geometricSum(float64(n))
	}
	sum := 0.0
	for _, d := range c.Steps[:min(n, len(c.Steps))] {
		sum += float64(d)
	}
	return sum + float64(max(n-len(c.Steps), 0))*float64(c.Steps[len(c.Steps)-1])
}

// geometricSum is a geometric series up to the cap, and the cap from there.
func (c Config) geometricSum(n float64) float64 {
	initial, limit := float64(c.Initial), float64(c.Max)
	if c.Initial == 0 || c.Factor == 1 {
		return n * initial
	}
	growing := min(n, math.Ceil(math.Log(limit/initial)/math.Log(c.Factor)))
	return initial*(math.Pow(c.Factor, growing)-1)/(c.Factor-1) + (n-growing)*limit
}
