package compare

import (
	"sync"
	"time"
)

// ByHand is the classic rules written directly for one task, as somebody would who
// needs no others: no interface, no policy, one struct, constants. It gives the same
// answers as a gate.Tracker under policy.Classic, and is what that is measured
// against. The zero value is ready to use. Not safe for concurrent use.
type ByHand struct {
	base    time.Time
	last    time.Duration // what follows counts from base
	started time.Duration
	loopEnd time.Duration
	until   time.Duration // if held
	err     error
	crashes uint64
	wiped   uint64
	crashed [8]time.Duration // when crash n was, at n modulo 8
	phase   HandPhase
	seen    bool
	running bool
	looped  bool
}

// HandPhase is where a ByHand stands.
type HandPhase uint8

// The phases have the numbers of gate.Phase.
const (
	HandIdle HandPhase = iota
	HandBackingOff
	HandLooping
)

const (
	handThreshold = 5
	handWindow    = time.Minute
	handCooldown  = 5 * time.Minute
	handStable    = time.Minute
)

// handDelays are those of a streak, from 0, which is after a clean exit.
var handDelays = [...]time.Duration{
	500 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second,
	8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute,
}

func (h *ByHand) see(now time.Time) {
	if !h.seen {
		h.base, h.seen = now, true
	}
	h.last = max(h.last, now.Sub(h.base))
}

// end ends the run, and reports whether it was stable.
func (h *ByHand) end() bool {
	stable := h.running && h.last-h.started >= handStable
	h.running = false
	return stable
}

func (h *ByHand) wipe() { h.wiped, h.looped = h.crashes, false }

// Start records a start.
func (h *ByHand) Start(now time.Time) {
	h.see(now)
	if h.end() {
		h.wipe()
	}
	h.started, h.running = h.last, true
	h.phase = HandIdle
}

// Until returns when the hold ends.
func (h *ByHand) Until() time.Time { return h.base.Add(h.until) }

// Crash records a crash, decides, and returns where the task stands, and until when
// as a distance from the first instant: a struct of more than four fields would take
// twice the time.
func (h *ByHand) Crash(now time.Time, err error) (HandPhase, time.Duration) {
	h.err = err
	h.see(now)
	if h.end() || h.looped && h.last >= h.loopEnd {
		h.wipe()
	}
	h.crashed[h.crashes%8] = h.last
	h.crashes++
	streak := h.crashes - h.wiped
	switch {
	case h.looped:
		h.loopEnd = max(h.loopEnd, h.last+handCooldown)
	case streak >= handThreshold && h.last-h.crashed[(h.crashes-handThreshold)%8] <= handWindow:
		h.looped, h.loopEnd = true, h.last+handCooldown
	default:
		h.phase, h.until = HandBackingOff, h.last+handDelays[min(streak, uint64(len(handDelays)-1))]
		return h.phase, h.until
	}
	h.phase, h.until = HandLooping, h.loopEnd
	return h.phase, h.until
}

// Release opens the hold and wipes the slate.
func (h *ByHand) Release() {
	h.wipe()
	h.phase = HandIdle
}

// Admissible reports whether the hold is over at now.
func (h *ByHand) Admissible(now time.Time) bool {
	return h.phase == HandIdle || now.Sub(h.base) >= h.until
}

// ByHandLocked is a ByHand behind a mutex. The zero value is ready to use. Safe for
// concurrent use.
type ByHandLocked struct {
	mu sync.Mutex
	h  ByHand
}

// Crash is that of ByHand.
func (l *ByHandLocked) Crash(now time.Time, err error) (HandPhase, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.h.Crash(now, err)
}
