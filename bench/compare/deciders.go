package compare

import (
	"errors"
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"github.com/holdfast-go/holdfast/gate"
)

var errCrash = errors.New("the dependency is gone")

// Decider is told of crashes and decides whether the task may go on.
type Decider struct {
	// Crash enters one and decides.
	Crash func()
	// Read asks for the state as it stands; nil if there is none to ask for.
	Read func()
	// Held reports whether the task may not go on.
	Held func() bool
}

// NamedDecider makes deciders of one library. One that trips holds the task after
// five crashes in a minute, for five minutes; one that does not is set to a
// threshold that is never reached, or its work would be over at the fifth. A gate
// of this module works on as it is held, and so has the same policy in both.
type NamedDecider struct {
	Name string
	New  func(trips bool) Decider
}

// Deciders are the ways to decide what follows from a crash. Those of this module
// are given the time, unless with-clock is in their name; the others read the
// clock themselves where they need it.
var Deciders = []NamedDecider{
	{"holdfast-tracker", func(bool) Decider {
		tracker, now := gate.NewTracker(nil), time.Now()
		return Decider{
			func() { tracker.ObserveCrash(now, errCrash) },
			nil,
			func() bool { return tracker.State().Phase() == gate.CrashLooping },
		}
	}},
	{"holdfast-gate", func(bool) Decider {
		now := time.Now()
		return gateAt(func() time.Time { return now })
	}},
	{"holdfast-gate-with-clock", func(bool) Decider { return gateAt(time.Now) }},
	{"gobreaker", newGobreaker},
	{"failsafe-breaker", newFailsafeBreaker},
	{"backoff-next", func(bool) Decider {
		b := backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(0))
		delay := time.Duration(0)
		return Decider{func() { delay = b.NextBackOff() }, nil, func() bool { return delay > 0 }}
	}},
}

func gateAt(clock func() time.Time) Decider {
	g := gate.New(nil)
	return Decider{
		func() { g.ObserveCrash(clock(), errCrash) },
		func() { g.Admissible(clock()) },
		func() bool { return g.State().Phase() == gate.CrashLooping },
	}
}

func newGobreaker(trips bool) Decider {
	threshold := uint32(math.MaxUint32)
	if trips {
		threshold = 5
	}
	b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Interval:    time.Minute,
		Timeout:     5 * time.Minute,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.TotalFailures >= threshold },
	})
	return Decider{
		func() {
			if done, err := b.Allow(); err == nil {
				done(errCrash)
			}
		},
		func() { b.State() },
		func() bool { return b.State() == gobreaker.StateOpen },
	}
}

func newFailsafeBreaker(trips bool) Decider {
	threshold := uint(math.MaxInt32)
	if trips {
		threshold = 5
	}
	b := circuitbreaker.NewBuilder[any]().WithFailureThresholdPeriod(threshold, time.Minute).
		WithDelay(5 * time.Minute).Build()
	return Decider{
		func() {
			if b.TryAcquirePermit() {
				b.RecordError(errCrash)
			}
		},
		func() { b.State() },
		b.IsOpen,
	}
}
