package policy

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// ErrUnknown stands for the error of a crash of which none was told.
var ErrUnknown = errors.New("policy: crashed, the error is not known")

// History is what has happened to one task: its crashes since the slate was
// last clean, and how its last run ended. A gate enters what it observes with
// the Observe methods and [History.Apply]; a [Policy] reads the rest, and may
// call [History.Forget].
//
// It is plain data. The zero value is the history of a task of which nothing
// has been seen; it allocates nothing before the first crash. [History.Clone]
// copies it, [History.Record] and [History.Load] make it fit to be saved.
//
// Time is kept as a distance from the first instant seen, whose monotonic
// reading and location it keeps. An instant earlier than the last one seen
// counts as that one, and sums that cannot be represented saturate.
//
// Not safe for concurrent use.
type History struct {
	base time.Time // the first instant seen; what follows counts from it
	past
}

// past is a history without its base, which stays when the rest is replaced.
type past struct {
	crashed ring          // when the crashes of the streak were
	err     error         // how the last run ended
	last    time.Duration // the last instant seen
	started time.Duration // when the current run began, if running
	ran     time.Duration // how long the last run lasted
	delay   time.Duration // the hold before this one
	loopEnd time.Duration // where the last crash loop's hold ends, if looped
	seed    uint64        // of Rand; 0 before the first run has ended
	crashes uint64        // ever seen
	wiped   uint64        // of those, the ones before the slate was last clean
	depth   uint32        // how far back a policy has asked
	seen    bool          // base is set
	running bool
	looped  bool // a crash loop tripped since the slate was clean
	looping bool // and the crash at hand came before its hold was over
}

// Err returns the error that ended the last run; nil after a clean exit, and
// before any run has ended.
func (h *History) Err() error { return h.err }

// Ran returns how long the last run lasted, from its start to its end. It is 0
// if the start was not seen. Time spent held is never part of it.
func (h *History) Ran() time.Duration { return h.ran }

// Streak returns the number of crashes since the slate was last clean, the one
// at hand included.
func (h *History) Streak() int { return int(h.crashes - h.wiped) }

// Crashes returns the number of crashes ever seen. Nothing resets it.
func (h *History) Crashes() uint64 { return h.crashes }

// Now returns the last instant seen: while a policy decides, the end of the
// run it decides on. It is the zero time if nothing has been seen.
func (h *History) Now() time.Time {
	if !h.seen {
		return time.Time{}
	}
	return h.base.Add(h.last)
}

// Since returns the time since the k-th most recent crash of the streak; the
// crash at hand is the first, so that Since(1) is 0 while deciding on it. It
// returns false if there were fewer, or k < 1. It takes constant time.
//
// Crash times are kept only as far back as a policy has asked for, and at
// least 8. A policy should therefore ask for the same k at every crash: a k
// larger than any before finds what is still kept, and false beyond it.
func (h *History) Since(k int) (time.Duration, bool) {
	if span := h.span(k); span != math.MaxInt64 {
		return span, true
	}
	return 0, false
}

// longest is the longest span between two crashes that are there.
const longest = math.MaxInt64 - 1

// span is Since, with something longer than longest for a crash that is not
// there.
func (h *History) span(k int) time.Duration {
	if k > len(h.crashed) {
		h.deepen(k)
	}
	if uint64(k)-1 >= h.crashes-h.wiped || k > len(h.crashed) {
		return math.MaxInt64
	}
	at := h.crashed.at(h.crashes - uint64(k))
	if at == lost {
		return math.MaxInt64
	}
	return h.last - at
}

// LastDelay returns how long the previous crash of the streak was held; 0 at
// its first.
func (h *History) LastDelay() time.Duration { return h.delay }

// Looping reports whether the crash at hand came before the hold of a crash
// loop was over: someone started the task anyway, without a force release.
// [History.Apply] never lets such a crash shorten that hold.
func (h *History) Looping() bool { return h.looping }

// Rand returns a number in [0, 1) that is drawn from the task's random seed and
// the number of the crash at hand (after a clean exit, from its instant too):
// the same however often it is asked, another for each crash and each task.
// With it a policy can be random and still a function of the history, which
// can be replayed. It is not fit for cryptography.
func (h *History) Rand() float64 {
	x := h.seed + h.crashes*0x9e3779b97f4a7c15
	if h.err == nil {
		x ^= uint64(h.last)
	}
	return float64(mix(x)>>11) / (1 << 53)
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Seed sets the seed of Rand, for a replay. Zero asks for a random one, drawn
// when the first run ends, which is the default.
func (h *History) Seed(seed uint64) { h.seed = seed }

// Forget wipes the slate so that the crash at hand counts as the first: the
// streak is 1 (0 after a clean exit), earlier crashes and their holds are
// forgotten, and so is a crash loop.
func (h *History) Forget() {
	h.Reset()
	if h.err != nil {
		h.wiped--
	}
}

// Reset wipes the slate as a force release does: unlike with Forget, the last
// crash is forgotten too, and the next one counts as the first.
func (h *History) Reset() {
	h.wiped, h.delay = h.crashes, 0
	h.looped, h.looping = false, false
}

// ObserveStart enters that a run began. A run that is under way already must
// be entered as ended first.
func (h *History) ObserveStart(now time.Time) {
	h.see(now)
	h.begin(h.last)
}

func (h *History) begin(at time.Duration) { h.started, h.running = at, true }

// Running reports whether a run is under way.
func (h *History) Running() bool { return h.running }

// ObserveCrash enters that the run ended in a crash; err must not be nil. If
// the hold of a crash loop has run out by now, the slate is wiped first.
// A policy's decision on the crash must follow, through Apply.
func (h *History) ObserveCrash(now time.Time, err error) {
	h.err = err
	h.see(now)
	h.end()
	if h.looped {
		if h.looping = h.last < h.loopEnd; !h.looping {
			h.Reset()
		}
	}
	if h.crashes-h.wiped == uint64(len(h.crashed)) {
		h.grow()
	}
	h.crashed.put(h.crashes, h.last)
	h.crashes++
}

// ObserveCleanExit enters that the run ended without an error.
func (h *History) ObserveCleanExit(now time.Time) {
	h.err = nil
	h.see(now)
	h.end()
	h.looping = false
	h.draw()
}

func (h *History) end() {
	h.ran = 0
	if h.running {
		h.ran, h.running = max(h.last-h.started, 0), false
	}
}

func (h *History) see(now time.Time) {
	if !h.seen {
		h.base, h.seen = now, true
	}
	h.last = max(h.last, now.Sub(h.base))
}

func (h *History) draw() {
	if h.seed == 0 {
		h.seed = rand.Uint64() | 1
	}
}

// Apply enters what was decided about the run that ended last. It returns the
// verdict that stands and the instant, on the axis of [History.Offset], at
// which the hold ends ([math.MaxInt64]: never). What stands differs from d
// where the crash at hand is [History.Looping]: then the hold goes on as a
// crash loop, at least as long as it would have, unless d gives up. A verdict
// that is none of the three counts as CrashLooping.
func (h *History) Apply(d Decision) (Verdict, time.Duration) {
	if d.Verdict == GiveUp {
		return GiveUp, math.MaxInt64
	}
	end := h.last + max(d.Delay, 0)
	if end < h.last {
		end = math.MaxInt64
	}
	if h.looping {
		d.Verdict, end = CrashLooping, max(end, h.loopEnd)
	}
	if d.Verdict != Restart {
		d.Verdict = CrashLooping
		h.looped, h.loopEnd = true, end
	}
	h.delay = time.Duration(min(uint64(end-h.last), math.MaxInt64))
	return d.Verdict, end
}

// Offset returns t as a distance from the first instant seen, saturating at
// about 292 years. It is meaningless if nothing has been seen. That instant
// never changes: Offset and Time are safe for concurrent use with all else once
// it has been set.
func (h *History) Offset(t time.Time) time.Duration { return t.Sub(h.base) }

// Time is the inverse of Offset.
func (h *History) Time(offset time.Duration) time.Time { return h.base.Add(offset) }

// Clone returns a copy that shares nothing with h but the error.
func (h *History) Clone() History {
	c := *h
	c.crashed = append(ring(nil), h.crashed...)
	return c
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
