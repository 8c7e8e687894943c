package history

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Log is what has happened to one task. The zero value is that of a task of which
// nothing has been seen; it allocates nothing before the first crash.
//
// Time is kept as a distance from an origin, the first instant seen: see clock.go.
// Not safe for concurrent use.
type Log struct {
	base time.Time // the first instant seen; it never changes once set
	past
}

// past is a log without its base.
type past struct {
	more    *more         // nil before the first crash
	err     error         // how the last run ended
	last    time.Duration // the last instant seen
	started time.Duration // when the current run began, if running
	ran     time.Duration // how long the last run lasted
	delay   time.Duration // the hold before this one
	loopEnd time.Duration // where the last crash loop's hold ends, if trips > 0
	seed    uint64        // of Rand; 0 before the first run has ended
	crashes uint64        // ever seen
	wiped   uint64        // of those, the ones before the slate was last clean
	trips   uint16        // crash loops since the slate was last clean, as far as it can count
	seen    bool          // base is set
	plain   bool          // base is the origin, and one that a real clock shows
	running bool
	looping bool  // the crash at hand came before its crash loop's hold was over
	ready   uint8 // how far back CrashUnder can look by itself; 0 for not at all

	rehearsal bool // nothing of this happens: a policy with state is not to change it
}

// more is what a task needs that has crashed, in one allocation.
type more struct {
	ring
	depth    uint32     // how many crashes back a policy has asked
	origin   *time.Time // where time counts from; nil for the base
	pausedBy *By        // nil unless the task is paused; what it points to never changes
}

// By is gate.By, which has its contract: the two convert into each other.
type By struct{ Who, Why string }

// The verdicts of package policy.
const (
	Restart uint8 = iota
	CrashLooping
	GiveUp
)

// Never is the end of a hold that has none.
const Never time.Duration = math.MaxInt64

// View returns the log as a policy sees it.
func (h *Log) View() View { return View{h, false} }

// Running reports whether a run is under way.
func (h *Log) Running() bool { return h.running }

// Started returns when the run that is under way began.
func (h *Log) Started() time.Duration { return h.started }

// Last returns the last instant seen.
func (h *Log) Last() time.Duration { return h.last }

// LastDelay returns how long the task is, or was last, held.
func (h *Log) LastDelay() time.Duration { return h.delay }

// Streak returns the number of crashes since the slate was last clean.
func (h *Log) Streak() uint64 { return h.crashes - h.wiped }

// Crashes returns the number of crashes ever seen.
func (h *Log) Crashes() uint64 { return h.crashes }

// Err returns the error that ended the last run.
func (h *Log) Err() error { return h.err }

// PausedBy returns who paused the task; nil if nobody has.
func (h *Log) PausedBy() *By {
	if h.more == nil {
		return nil
	}
	return h.more.pausedBy
}

// SetPausedBy sets who paused the task, which must not change any more; nil is nobody.
// It is here because a task that was never paused is to pay nothing for it.
func (h *Log) SetPausedBy(by *By) {
	if by != nil || h.more != nil {
		h.needMore().pausedBy = by
	}
}

// Seed sets the seed of Rand. Zero has one drawn when the first run ends.
func (h *Log) Seed(seed uint64) { h.seed = seed }

// Rehearse marks the log as one of events that do not happen, such as those by
// which a policy is vetted.
func (h *Log) Rehearse() { h.rehearsal = true }

func (h *Log) draw() {
	if h.seed == 0 {
		h.seed = rand.Uint64() | 1
	}
}

// ObserveStart records that a run began. A run that is under way must be
// recorded as ended first.
func (h *Log) ObserveStart(now time.Time) {
	h.see(now)
	h.Begin(h.last)
}

// Begin records that a run begins at an offset, which may be yet to come.
func (h *Log) Begin(at time.Duration) { h.started, h.running = at, true }

// ObserveCrash records that the run ended in a crash; err must not be nil. What
// the policy decides about it must follow, through Apply.
func (h *Log) ObserveCrash(now time.Time, err error) {
	h.see(now)
	h.crash(err)
}

func (h *Log) crash(err error) {
	h.err = err
	h.end()
	h.looping = h.trips > 0 && h.last < h.loopEnd
	if h.more == nil || h.seed == 0 || h.more.mayGrow() {
		h.grow()
	}
	h.more.put(h.crashes, h.last)
	h.crashes++
}

// ObserveCleanExit records that the run ended without an error.
func (h *Log) ObserveCleanExit(now time.Time) {
	h.err = nil
	h.see(now)
	h.end()
	h.looping = false
	h.draw()
}

func (h *Log) end() {
	h.ran = 0
	if h.running {
		h.ran, h.running = max(h.last-h.started, 0), false
	}
}

// Apply records what was decided about the run that ended last, and returns the hold
// that follows. It differs from what was decided while the crash at hand is Looping:
// then the hold goes on as a crash loop, at least as long as it would have, unless the
// policy gives up. A verdict that is none of the three counts as CrashLooping.
func (h *Log) Apply(verdict uint8, delay time.Duration, fresh, uncounted bool) Word {
	if uncounted {
		h.uncount()
	}
	if fresh {
		h.Fresh()
	}
	if verdict == GiveUp {
		return held(GiveUp, Never)
	}
	end := h.last + max(delay, 0)
	if end < h.last || delay == Never {
		end = Never
	}
	switch {
	case h.looping:
		verdict, end = CrashLooping, max(end, h.loopEnd)
	case verdict != Restart:
		verdict = CrashLooping
		h.trips = min(h.trips, math.MaxUint16-1) + 1
	}
	if verdict == CrashLooping {
		h.loopEnd = end
	}
	if !uncounted {
		h.delay = saturate(uint64(end - h.last))
	}
	if verdict == Restart && delay <= 0 {
		return 0
	}
	return held(verdict, end)
}

func saturate(d uint64) time.Duration { return time.Duration(min(d, math.MaxInt64)) }

// uncount takes back that the run ended in a crash. The place of the one before
// in the ring may be lost with it; no policy asks for that at the next crash.
func (h *Log) uncount() {
	if h.err == nil {
		return
	}
	h.err, h.looping = nil, false
	h.crashes--
	h.wiped = min(h.wiped, h.crashes)
	h.more.put(h.crashes, lost)
}

// Fresh wipes the slate so that the crash at hand counts as the first. When
// crashes were stays known to SinceAny.
func (h *Log) Fresh() {
	h.wiped = h.crashes
	if h.err != nil {
		h.wiped--
	}
	h.delay, h.trips, h.looping = 0, 0, false
}

// Reset wipes the slate as a force release does: the crash at hand is forgotten
// too, and so is when crashes were.
func (h *Log) Reset() {
	h.wiped = h.crashes
	h.delay, h.trips, h.looping = 0, 0, false
	if h.more != nil {
		h.more.clear()
	}
}

// Clone returns a copy that shares nothing with h but the error.
func (h *Log) Clone() *Log {
	c := *h
	if h.more != nil {
		m := *h.more
		if m.large != nil {
			large := slices.Clone(*m.large)
			m.large = &large
		}
		c.more = &m
	}
	return &c
}
