package policytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

// past is what a task has been through, and what to call it.
type past struct {
	name string
	log  *history.Log
}

// savable reports whether nothing that a policy may look at is lost when the
// past is saved: the identity of an error is, and that a crash is in the hold of a
// crash loop, which matters only until it is decided on.
func (p past) savable() bool { return errors.Is(p.log.Err(), errText) && !p.log.View().Looping() }

var (
	errText    = errors.New("connection refused")
	errWrapped = fmt.Errorf("poll: %w", context.DeadlineExceeded)
	epoch      = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
)

const (
	seed = 42
	// depth is how far back a policy under test may look, and be answered.
	depth = 64
)

// rest is how a task comes to its next run.
type rest struct {
	ran  time.Duration // how long its run lasted, before it crashed
	held policy.Decision
	late time.Duration // how long after the hold was over it started; negative: before
}

// after returns a past of n crashes, the last of which is not decided on yet.
func after(name string, n int, err error, r rest) past { return afterFrom(epoch, name, n, err, r) }

func afterFrom(now time.Time, name string, n int, err error, r rest) past {
	p := newPast(name)
	for i := range n {
		p.log.ObserveStart(now)
		now = now.Add(r.ran)
		p.log.ObserveCrash(now, err)
		p.log.View().SpanAny(depth)
		if i < n-1 {
			apply(p.log, r.held)
			now = now.Add(r.held.Delay + r.late)
		}
	}
	return p
}

func newPast(name string) past {
	p := past{name, new(history.Log)}
	p.log.Seed(seed)
	return p
}

func apply(log *history.Log, d policy.Decision) {
	log.Apply(uint8(d.Verdict), d.Delay, d.Fresh, d.Uncounted)
}

func (p past) then(name string, change func(log *history.Log)) past {
	next := past{name, p.log.Clone()}
	change(next.log)
	return next
}

var (
	quick  = rest{0, policy.Decision{}, 0}
	usual  = rest{time.Second, policy.Decision{Delay: 2 * time.Second}, time.Second}
	slow   = rest{time.Minute, policy.Decision{Delay: time.Hour}, time.Hour}
	stable = rest{100 * time.Hour, policy.Decision{Delay: time.Second}, 0}
	looped = rest{time.Second, policy.Decision{Verdict: policy.CrashLooping, Delay: time.Hour}, time.Second}
	early  = rest{time.Second, policy.Decision{Verdict: policy.CrashLooping, Delay: time.Hour}, -time.Minute}
)

// crashes are the pasts that end in a crash.
var crashes = []past{
	after("a first crash", 1, errText, usual),
	newPast("").then("a crash of a run whose start was not seen", func(log *history.Log) { log.ObserveCrash(epoch, errText) }),
	after("2 crashes", 2, errText, usual),
	after("3 crashes at once", 3, errText, quick),
	after("5 crashes, 4s apart", 5, errText, usual),
	after("12 crashes at once", 12, errText, quick),
	after("12 crashes, 2h apart", 12, errText, slow),
	after("3 crashes of long runs", 3, errText, stable),
	after("a crash after a crash loop", 4, errText, looped),
	after("a crash in the hold of a crash loop", 4, errText, early),
	after("a crash of another kind", 2, errWrapped, usual),
	after("", 12, errText, slow).then("a crash of a long run after 12 crashes, each held for an hour", crash(100*time.Hour)),
	after("", 4, errText, looped).then("a crash of a long run after 4 crash loops", crash(100*time.Hour)),
	after("", 5, errText, usual).then("a crash after a force release", func(log *history.Log) {
		log.Reset()
		log.ObserveCrash(epoch.Add(time.Hour), errText)
	}),
	after("", 2, errText, usual).then("a crash on a clock that was set back", func(log *history.Log) {
		apply(log, policy.Decision{Delay: time.Second})
		log.ObserveCrash(epoch.Add(-time.Hour), errText)
	}),
}

func crash(ran time.Duration) func(log *history.Log) {
	return func(log *history.Log) {
		apply(log, policy.Decision{Delay: time.Hour})
		start := log.View().Now().Add(2 * time.Hour)
		log.ObserveStart(start)
		log.ObserveCrash(start.Add(ran), errText)
		log.View().SpanAny(depth)
	}
}

// cleanExits are the pasts that do not.
var cleanExits = []past{
	{"a history of nothing", new(history.Log)},
	newPast("").then("a task that has just started", func(log *history.Log) { log.ObserveStart(epoch) }),
	newPast("").then("a first clean exit", cleanExit(time.Second)),
	after("", 3, errText, usual).then("a clean exit after 3 crashes", cleanExit(time.Second)),
	after("", 3, errText, usual).then("a clean exit of a long run after 3 crashes", cleanExit(100*time.Hour)),
	after("", 4, errText, early).then("a clean exit in the hold of a crash loop", cleanExit(time.Second)),
}

func cleanExit(ran time.Duration) func(log *history.Log) {
	return func(log *history.Log) {
		apply(log, policy.Decision{Delay: time.Second})
		start := log.View().Now()
		if start.IsZero() {
			start = epoch
		}
		log.ObserveStart(start)
		log.ObserveCleanExit(start.Add(ran))
	}
}

// oddInstants are those of clocks that are not set, or set by someone absurd.
var oddInstants = map[string]time.Time{
	"the zero time":       {},
	"before year 1":       time.Date(-5, time.March, 4, 5, 6, 7, 8, time.UTC),
	"1970":                time.Unix(0, 0).UTC(),
	"1980":                time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC),
	"the end of 9999":     time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC),
	"the year 20000":      time.Date(20_000, time.June, 1, 0, 0, 0, 0, time.UTC),
	"the end of all time": time.Unix(math.MaxInt64, 0).UTC(),
}

// odd are the pasts of tasks on such clocks.
func odd() (all []past) {
	for name, now := range oddInstants {
		one := afterFrom(now, "3 crashes from "+name+" on", 3, errText, usual)
		all = append(all, one,
			after("", 2, errText, usual).then("a crash at "+name+" after others in 2000", crashAt(now)),
			one.then("a crash in 2000 after others at "+name, crashAt(epoch)),
			newPast("").then("a clean exit at "+name, func(log *history.Log) { log.ObserveCleanExit(now) }))
	}
	slices.SortFunc(all, func(a, b past) int { return strings.Compare(a.name, b.name) })
	return all
}

func crashAt(now time.Time) func(log *history.Log) {
	return func(log *history.Log) {
		apply(log, policy.Decision{Delay: time.Second})
		log.ObserveCrash(now, errText)
	}
}

// extremes are the pasts of tasks that have crashed for longer than anyone
// will ever wait.
func extremes() (all []past) {
	const (
		century = 100 * 365 * 24 * time.Hour
		longest = 2 * history.Reach // that a record can express
	)
	streaks := []uint64{100, 1_000, 1_000_000, math.MaxInt32 / 2}
	for streak := range uint64(64) { // each, as shifts and powers wrap around somewhere here
		streaks = append(streaks, streak+1)
	}
	for _, streak := range streaks {
		for _, ran := range []time.Duration{0, century, math.MaxInt64} {
			for _, held := range []time.Duration{0, century, math.MaxInt64} {
				all = append(all, extreme(streak, ran, held, 0), extreme(streak, ran, held, longest))
			}
		}
	}
	return all
}

func extreme(streak uint64, ran, held, span time.Duration) past {
	r := history.Record{
		Start: epoch, Ran: ran, Err: errText.Error(), Crashed: true,
		Total: streak, Streak: streak, LastDelay: held, Seed: seed, Depth: depth,
	}
	n := min(streak, depth)
	for i := range n {
		r.Crashes = append(r.Crashes, span/time.Duration(n)*time.Duration(i+1))
	}
	r.Now = r.Crashes[n-1]
	p := newPast(fmt.Sprintf("crash %d, the last run of %v, the last hold of %v, crashes within %v", streak, ran, held, span))
	if err := p.log.Load(r); err != nil {
		panic(err)
	}
	return p
}

// life is a series of runs to be simulated.
var life = slices.Concat(
	slices.Repeat([]policy.Run{{For: time.Second, Err: errText}}, 12),
	[]policy.Run{{For: time.Hour}, {For: time.Hour, Err: errText}, {Err: errWrapped}, {}},
	slices.Repeat([]policy.Run{{Err: errText}}, 4),
)
