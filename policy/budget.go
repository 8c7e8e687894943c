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
// histories' own time. A task with a clock of its own, one that is not set or
// jumps, neither fills nor empties the bucket of the others. Budget is one of the
// built-ins that keep state: asked twice it charges twice, and [Simulate] charges the
// real budget, for times of its own. Make a budget for each simulation; [Vet] charges
// nothing. Budget panics if rate is not a positive number or burst is below 1. Safe
// for concurrent use.
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
func (p *budget) String() string   { return printed(p) }

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
	interval time.Duration // what a restart adds: the time between two at the full rate
	slack    time.Duration // the level up to which a restart need not wait

	mu    sync.Mutex // guards what follows; nothing else is called under it
	main  level      // by the clock that the last restart was charged by
	other level      // by the one before, if that clock may have been the right one
	since time.Time  // when main became the main one
}

// level is how full the bucket is.
type level struct {
	at   time.Time // when that was last computed; zero before the first restart
	fill time.Duration
}

// disorder is by how much instants of one clock may come out of order, as some
// goroutine reads it and is charged later.
const disorder = time.Minute

// take charges one restart and returns how long it has to wait.
func (b *bucket) take(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	wait := max(b.main.fill-b.slack, 0)
	b.main.fill = addSaturating(b.main.fill, b.interval)
	b.other.fill = addSaturating(b.other.fill, b.interval)
	return wait
}

// advance has the bucket run out until now. An instant far from the last one is
// taken for the end of a quiet time or of a clock that was set, but the level of
// before is kept for a minute: if the next instant is nearer to that one, it was an
// odd instant, and nothing has changed.
func (b *bucket) advance(now time.Time) {
	gap := now.Sub(b.main.at)
	switch {
	case b.main.at.IsZero():
		b.main.at, b.since = now, now
	case -disorder < gap && gap <= disorder:
		b.main.runOut(gap)
		if b.main.at.Sub(b.since) > disorder {
			b.other = level{}
		}
	case b.other.nearer(now, gap):
		b.main, b.other = b.other, b.main
		b.main.runOut(now.Sub(b.main.at))
		b.since = b.main.at
	case !history.Believable(now) && history.Believable(b.main.at):
	default:
		b.other = b.main
		if history.Within(gap) && gap > 0 {
			b.main.runOut(gap)
		} else {
			b.main.at = now // the clock was set: no time has passed
		}
		b.since = b.main.at
	}
}

func (l *level) runOut(d time.Duration) {
	if d > 0 {
		l.fill = max(l.fill-d, 0)
		l.at = l.at.Add(d)
	}
}

// nearer reports whether now may be of l's clock, and is nearer to it than gap.
func (l *level) nearer(now time.Time, gap time.Duration) bool {
	d := now.Sub(l.at)
	return !l.at.IsZero() && d > -disorder && history.Within(d) && d.Abs() < gap.Abs()
}

func (p *budget) rule() string {
	return fmt.Sprintf("Budget(%s a second, %d at once)", strconv.FormatFloat(p.bucket.rate, 'g', 4, 64), p.bucket.burst)
}

func saturate(d float64) time.Duration {
	if d >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(d)
}

// addSaturating is for a b that is not negative.
func addSaturating(a, b time.Duration) time.Duration {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxInt64
}
