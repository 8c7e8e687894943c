package policy

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
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
// It is a token bucket, computed as the leaky bucket of ITU-T I.371 on the
// histories' own time. An instant that lies a minute or more before the last one is
// taken for that of a clock that was set back, one that no real clock shows for the
// last one seen: neither fills or empties the bucket. Budget is one of the built-ins
// that keep state: asked twice it charges twice, and [Simulate] charges the real
// budget, for times of its own. Make a budget for each simulation. Budget panics if
// rate is not a positive number or burst is below 1. Safe for concurrent use.
func Budget(rate float64, burst int) Decorator {
	if !(rate > 0) || math.IsInf(rate, 1) {
		panic(fmt.Sprintf("policy: Budget: rate (%v) is not a positive number; give the restarts per second", rate))
	}
	if burst < 1 {
		panic(fmt.Sprintf("policy: Budget: burst (%d) is below 1; give the restarts that may come at once", burst))
	}
	interval := saturate(float64(time.Second) / rate)
	b := &bucket{rate: rate, burst: burst, interval: interval, slack: saturate(float64(interval) * float64(burst-1))}
	return func(inner Policy) Policy { return &budget{mustPolicy("Budget", inner), b} }
}

type budget struct {
	inner  Policy
	bucket *bucket
}

func (p *budget) Unwrap() Policy   { return p.inner }
func (p *budget) infallible() bool { return infallible(p.inner) }
func (p *budget) String() string   { return p.bucket.String() + arrow + describe(p.inner) }

func (p *budget) Decide(h History) Decision {
	d := p.inner.Decide(h)
	if d.Verdict != GiveUp && !history.View(h).Rehearsed() {
		d.Delay = addSaturating(max(d.Delay, 0), p.bucket.take(h.Now()))
	}
	return d
}

type bucket struct {
	rate     float64
	burst    int
	interval time.Duration // what a restart adds to the level: the time between two at the full rate
	slack    time.Duration // the level up to which a restart need not wait

	mu    sync.Mutex // guards what follows; nothing else is called under it
	last  time.Time  // when the level was last computed; zero before the first restart
	level time.Duration
}

// disorder is how far back an instant may lie that another goroutine has read a
// little earlier.
const disorder = time.Minute

// take charges one restart and returns how long it has to wait.
func (b *bucket) take(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	elapsed := now.Sub(b.last)
	switch {
	case b.last.IsZero():
		b.last = now
	case !history.Believable(now) && history.Believable(b.last):
	case history.Within(elapsed) && elapsed > 0:
		b.level = max(b.level-elapsed, 0)
		b.last = now
	case elapsed <= -disorder || elapsed > 0:
		b.last = now // the clock was set: no time has passed
	}
	wait := max(b.level-b.slack, 0)
	b.level = addSaturating(b.level, b.interval)
	return wait
}

func (b *bucket) String() string {
	return fmt.Sprintf("Budget(%s a second, %d at once)", strconv.FormatFloat(b.rate, 'g', 4, 64), b.burst)
}

func saturate(d float64) time.Duration {
	if d >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(d)
}

func addSaturating(a, b time.Duration) time.Duration {
	switch sum := a + b; {
	case b > 0 && sum < a:
		return math.MaxInt64
	case b < 0 && sum > a:
		return math.MinInt64
	default:
		return sum
	}
}
