package policy

import (
	"fmt"
	"math"
	"sync"
	"time"
)

// Budget spreads the restarts of many tasks: together they get rate restarts a
// second, and burst at once after a quiet time. A restart for which the budget
// has nothing left is held longer, until its turn comes; the wait is added to
// the inner policy's delay, so that tasks that crash together come back in a
// row. Nothing is ever refused.
//
// Every policy that this decorator makes draws on the same budget, and so does
// every task under such a policy: keep the decorator, or the composed policy,
// and share it. A restart is charged when it is decided, whatever its delay; so
// is a clean exit, even where no restart follows.
//
// It is a token bucket, computed as the generic cell rate algorithm of ITU-T
// I.371 on the histories' own time. It is the one built-in that keeps state:
// asked twice it charges twice, and [Simulate] charges the real budget, for
// times of its own. Make a budget for each simulation. Budget panics if rate is
// not a positive number or burst is below 1. Safe for concurrent use.
func Budget(rate float64, burst int) Decorator {
	if !(rate > 0) || math.IsInf(rate, 1) {
		panic(fmt.Sprintf("policy: Budget: rate (%v) is not a positive number; give the restarts per second", rate))
	}
	if burst < 1 {
		panic(fmt.Sprintf("policy: Budget: burst (%d) is below 1; give the restarts that may come at once", burst))
	}
	interval := saturate(float64(time.Second) / rate)
	b := &bucket{interval: interval, slack: saturate(float64(interval) * float64(burst-1))}
	return func(inner Policy) Policy { return &budget{mustPolicy("Budget", inner), b} }
}

type budget struct {
	inner  Policy
	bucket *bucket
}

func (p *budget) Unwrap() Policy   { return p.inner }
func (p *budget) infallible() bool { return infallible(p.inner) }

func (p *budget) Decide(h *History) Decision {
	d := p.inner.Decide(h)
	if d.Verdict != GiveUp {
		d.Delay = addSaturating(max(d.Delay, 0), p.bucket.take(h.Now()))
	}
	return d
}

type bucket struct {
	interval time.Duration // between two restarts at the full rate
	slack    time.Duration // how far ahead of that a burst may run

	mu      sync.Mutex
	started bool
	base    time.Time     // the first instant asked about
	due     time.Duration // since base: when the next restart would come at the full rate
}

// take charges one restart and returns how long it has to wait.
func (b *bucket) take(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.started {
		b.base, b.started = now, true
	}
	at := max(now.Sub(b.base), -math.MaxInt64)
	due := max(b.due, at)
	b.due = addSaturating(due, b.interval)
	return max(addSaturating(due, -at)-b.slack, 0)
}

func saturate(d float64) time.Duration {
	if d >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(d)
}
