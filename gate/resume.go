package gate

import (
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

const (
	// longestDowntime is the most that [Snapshot.Resume] takes a process to have
	// been down for, so that a clock set to another century leaves room for holds.
	longestDowntime = 10 * 365 * 24 * time.Hour
	// longestUnset is the same by a clock that is not set: most of them begin anew at the
	// same instant when the machine does.
	longestUnset = 24 * time.Hour
	// farthest is how far from its start an instant of a record may be.
	farthest = 2 * history.Reach
)

// Resume returns s for a process that takes over at now from one that has ended: its
// instants are counted from now, with the monotonic clock reading that now has. From
// there on a hold goes by the clock of this process.
//
// The time that the other has been down is the difference of their wall clocks, at most
// ten years. A clock that was set back counts as no time: what is left of a hold never
// exceeds what was left when the last event was observed, and so what the policy has
// allowed. A clock that was set forth counts as downtime and shortens holds, down to
// none. A clock that is not set, before 1990 or after 2199, says nothing, unless it is
// that of both and they are at most a day apart. Downtime is no part of a run: one that
// was under way has lasted as long as it was seen to.
//
// The result is for Restore: its instants may be ones that JSON cannot express, if now
// is. A snapshot that is corrupt is returned as it is, for Restore to refuse.
func (s Snapshot) Resume(now time.Time) Snapshot {
	s = s.upgraded()
	r := s.History
	if r.Start.IsZero() || r.Validate() != nil || s.checkState() != nil {
		return s
	}
	if now.IsZero() {
		now = now.Add(1) // the zero time stands for none
	}
	last := r.Start.Add(r.Now)
	down := downtime(last, now)
	s.History = countedFrom(r, now, down)
	if s.Phase != Idle && !s.Until.Equal(never) {
		left := max(s.Until.Sub(last), 0)
		s.Until = asEnd(now.Add(max(left-down, 0)))
	}
	return s
}

// countedFrom returns r with its instants counted from now, where the last one seen
// was so long ago. What has no end still has none.
func countedFrom(r policy.Record, now time.Time, ago time.Duration) policy.Record {
	past := func(at time.Duration) time.Duration {
		return max(addSaturating(at, -r.Now-ago), -farthest)
	}
	r.Crashes = slices.Clone(r.Crashes)
	for i, at := range r.Crashes {
		r.Crashes[i] = past(at)
	}
	if r.Trips > 0 && r.LoopEnd != math.MaxInt64 {
		r.LoopEnd = past(r.LoopEnd)
	}
	if r.Running {
		r.Began = past(r.Began + ago) // downtime is no part of a run
	}
	r.Start, r.Now = now, 0
	return r
}

func downtime(last, now time.Time) time.Duration {
	down := now.Round(0).Sub(last)
	set := history.Believable(now)
	if set != history.Believable(last) || !set && down > longestUnset {
		return 0
	}
	return min(max(down, 0), longestDowntime)
}

// addSaturating stays below what has no end.
func addSaturating(a, b time.Duration) time.Duration {
	switch sum := a + b; {
	case b > 0 && sum < a:
		return math.MaxInt64 - 1
	case b < 0 && sum > a:
		return math.MinInt64
	default:
		return sum
	}
}
