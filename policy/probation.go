package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Probation keeps the slate after the hold of a crash loop: until a stable run, one
// crash trips the loop again at once, for the next of the cooldowns, and for the
// last from then on. So a short outage costs a short hold, and a task that stays
// broken is tried once per cool-down instead of until the window is full again.
//
//	Compose(base, CrashLoop(5, time.Minute, 30*time.Second),
//		Probation(time.Minute, 150*time.Second, 5*time.Minute), StableRun(time.Minute))
//
//	five crashes, held 30s, one crash, held 1m, one crash, held 2m30s, …
//
// It belongs between [CrashLoop], whose first hold it follows, and [StableRun],
// which ends it. A crash before the end of a hold, of a task that someone started
// anyway, renews that hold and does not go on to the next. Probation panics if there
// is no cool-down, one is not positive, one is shorter than that before it, or there
// are more than a thousand.
func Probation(cooldowns ...time.Duration) Decorator {
	if err := checkCooldowns(cooldowns); err != nil {
		panic(err)
	}
	cooldowns = slices.Clone(cooldowns)
	return func(inner Policy) Policy { return &probation{mustPolicy("Probation", inner), probationRule{cooldowns}} }
}

type probation struct {
	inner Policy
	probationRule
}

func (p *probation) Unwrap() Policy   { return p.inner }
func (p *probation) infallible() bool { return infallible(p.inner) }
func (p *probation) String() string   { return printed(p) }

func (p *probation) Decide(h History) Decision {
	if cooldown := p.cooldown(h); cooldown > 0 {
		return Decision{Verdict: CrashLooping, Delay: cooldown}
	}
	return p.inner.Decide(h)
}

type probationRule struct{ cooldowns []time.Duration }

// cooldown returns how long the task is held for crashing on probation, 0 if it is
// not, or is in the first crash loop, which is the inner policy's.
func (r *probationRule) cooldown(h History) time.Duration {
	trips := h.Trips()
	if h.Looping() {
		trips--
	}
	if trips <= 0 || h.Err() == nil {
		return 0
	}
	return r.cooldowns[min(trips, len(r.cooldowns))-1]
}

func (r *probationRule) rule() string { return "Probation(" + shorts(r.cooldowns) + ")" }

func checkCooldowns(cooldowns []time.Duration) error {
	if len(cooldowns) == 0 {
		return errors.New("policy: cooldowns is empty; give at least one, or leave Probation out")
	}
	if err := checkCount("cooldowns", len(cooldowns)); err != nil {
		return err
	}
	var faults []error
	for i, d := range cooldowns {
		switch {
		case d <= 0:
			faults = append(faults, fmt.Errorf("policy: cooldowns: %d (%v) is not positive; raise it, a minute is common", i+1, d))
		case i > 0 && d < cooldowns[i-1]:
			faults = append(faults, fmt.Errorf("policy: cooldowns: %d (%v) is below the one before (%v); put the longer ones last", i+1, d, cooldowns[i-1]))
		}
	}
	return errors.Join(faults...)
}
