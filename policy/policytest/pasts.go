package policytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// past is a history and what to call it.
type past struct {
	name string
	policy.History
}

// savable reports whether nothing that a policy may look at is lost when the
// past is saved: the identity of an error is, and that a crash loop was cut
// short, which matters only until it is decided on.
func (p *past) savable() bool { return errors.Is(p.Err(), errText) && !p.Looping() }

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
func after(name string, n int, err error, r rest) past {
	return afterFrom(epoch, name, n, err, r)
}

func afterFrom(now time.Time, name string, n int, err error, r rest) past {
	p := past{name: name}
	p.Seed(seed)
	for i := range n {
		p.ObserveStart(now)
		now = now.Add(r.ran)
		p.ObserveCrash(now, err)
		p.Since(depth)
		if i < n-1 {
			p.Apply(r.held)
			now = now.Add(r.held.Delay + r.late)
		}
	}
	return p
}

func (p past) then(name string, change func(h *policy.History)) past {
	next := past{name, p.Clone()}
	change(&next.History)
	return next
}

var (
	quick   = rest{0, policy.Decision{}, 0}
	usual   = rest{time.Second, policy.Decision{Delay: 2 * time.Second}, time.Second}
	slow    = rest{time.Minute, policy.Decision{Delay: time.Hour}, time.Hour}
	stable  = rest{100 * time.Hour, policy.Decision{Delay: time.Second}, 0}
	looped  = rest{time.Second, policy.Decision{Verdict: policy.CrashLooping, Delay: time.Hour}, time.Second}
	hurried = rest{time.Second, policy.Decision{Verdict: policy.CrashLooping, Delay: time.Hour}, -time.Minute}
)

// crashes are the pasts that end in a crash.
var crashes = []past{
	after("a first crash", 1, errText, usual),
	past{}.then("a crash of a run whose start was not seen", func(h *policy.History) {
		h.Seed(seed)
		h.ObserveCrash(epoch, errText)
	}),
	after("2 crashes", 2, errText, usual),
	after("3 crashes at once", 3, errText, quick),
	after("5 crashes, 4s apart", 5, errText, usual),
	after("12 crashes at once", 12, errText, quick),
	after("12 crashes, 2h apart", 12, errText, slow),
	after("3 crashes of long runs", 3, errText, stable),
	after("a crash after a crash loop", 4, errText, looped),
	after("a crash in the hold of a crash loop", 4, errText, hurried),
	after("a crash of another kind", 2, errWrapped, usual),
	after("5 crashes, 4s apart", 5, errText, usual).then("a crash after a force release", func(h *policy.History) {
		h.Reset()
		h.ObserveCrash(epoch.Add(time.Hour), errText)
	}),
	after("2 crashes", 2, errText, usual).then("a crash on a clock that was set back", func(h *policy.History) {
		h.Apply(policy.Decision{Delay: time.Second})
		h.ObserveCrash(epoch.Add(-time.Hour), errText)
	}),
}

// cleanExits are the pasts that do not.
var cleanExits = []past{
	{name: "a history of nothing"},
	past{}.then("a task that has just started", func(h *policy.History) { h.ObserveStart(epoch) }),
	past{}.then("a first clean exit", cleanExit(time.Second)),
	after("", 3, errText, usual).then("a clean exit after 3 crashes", cleanExit(time.Second)),
	after("", 3, errText, usual).then("a clean exit of a long run after 3 crashes", cleanExit(100*time.Hour)),
	after("", 4, errText, hurried).then("a clean exit in the hold of a crash loop", cleanExit(time.Second)),
}

func cleanExit(ran time.Duration) func(h *policy.History) {
	return func(h *policy.History) {
		h.Seed(seed)
		h.Apply(policy.Decision{Delay: time.Second})
		start := h.Now()
		if start.IsZero() {
			start = epoch
		}
		h.ObserveStart(start)
		h.ObserveCleanExit(start.Add(ran))
	}
}

// extremes are the pasts of tasks that have crashed for longer than anyone
// will ever wait.
func extremes() (all []past) {
	const century = 100 * 365 * 24 * time.Hour
	streaks := []uint64{100, 1_000, 1_000_000, math.MaxInt32 / 2}
	for streak := range uint64(64) { // each, as shifts and powers wrap around somewhere here
		streaks = append(streaks, streak+1)
	}
	for _, streak := range streaks {
		for _, ran := range []time.Duration{0, century, math.MaxInt64} {
			for _, held := range []time.Duration{0, century, math.MaxInt64} {
				all = append(all, extreme(streak, ran, held, 0), extreme(streak, ran, held, century))
			}
		}
	}
	return all
}

func extreme(streak uint64, ran, held, span time.Duration) past {
	r := policy.Record{
		Start: epoch, Now: span, Ran: ran, Err: errText.Error(), Crashed: true,
		Total: streak, Streak: streak, LastDelay: held, Seed: seed, Depth: depth,
	}
	n := min(streak, depth)
	for i := range n {
		r.Crashes = append(r.Crashes, span/time.Duration(n)*time.Duration(i+1))
	}
	r.Now = r.Crashes[n-1]
	p := past{name: fmt.Sprintf("crash %d, the last run of %v, the last hold of %v, crashes within %v", streak, ran, held, span)}
	if err := p.Load(r); err != nil {
		panic(err)
	}
	return p
}

// rivals are pairs of pasts that have in common what Forget does not wipe: the
// number of crashes, the seed, the instant, the last error and the last run.
var rivals = func() (pairs [][2]past) {
	for _, n := range []int{2, 5, 12} {
		one := after(fmt.Sprintf("%d crashes, 4s apart", n), n, errText, usual)
		for _, r := range []rest{
			{usual.ran, policy.Decision{Delay: time.Hour}, time.Minute},
			hurried,
		} {
			length := time.Duration(n-1)*(r.ran+r.held.Delay+r.late) + r.ran
			name := fmt.Sprintf("%d crashes, each held for an hour (%v)", n, r.held.Verdict)
			pairs = append(pairs, [2]past{one, afterFrom(one.Now().Add(-length), name, n, errText, r)})
		}
	}
	return pairs
}()

// life is a series of runs to be simulated.
var life = slices.Concat(
	slices.Repeat([]policy.Run{{For: time.Second, Err: errText}}, 12),
	[]policy.Run{{For: time.Hour}, {For: time.Hour, Err: errText}, {Err: errWrapped}, {}},
	slices.Repeat([]policy.Run{{Err: errText}}, 4),
)
