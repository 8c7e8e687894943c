package gate_test

import (
	"math"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// naive is the gate as the rules say it, word by word, with nothing clever in it:
// times are distances from the common start, the crashes are all kept, and each event
// is worked out from scratch. TestModel lists the rules it names.
type naive struct {
	rules policy.Config

	now     time.Duration // the last instant seen, if any was
	seen    bool
	began   time.Duration // of the run, if running
	running bool
	crashes []time.Duration // of the streak
	trips   int             // crash loops of the streak
	loopEnd time.Duration   // of the last one's hold, if trips > 0

	phase gate.Phase
	until time.Duration // if held, but not paused
}

// see moves time on, never back (rule 7).
func (n *naive) see(now time.Duration) {
	if !n.seen || now > n.now {
		n.now, n.seen = now, true
	}
}

func (n *naive) wipe() { n.crashes, n.trips = nil, 0 }

func (n *naive) open() { n.phase, n.until = gate.Idle, 0 }

// hold holds the gate, unless it is paused (rule 9).
func (n *naive) hold(phase gate.Phase, until time.Duration) {
	switch {
	case n.phase == gate.Paused:
	case phase == gate.Idle:
		n.open()
	default:
		n.phase, n.until = phase, until
	}
}

// end ends the run, and reports whether it was stable (rule 3).
func (n *naive) end() bool {
	stable := n.running && n.now-n.began >= n.rules.StableAfter
	n.running = false
	return stable
}

func (n *naive) start(now time.Duration) {
	n.see(now)
	if n.running && n.end() { // rule 5
		n.wipe()
	}
	n.open()
	n.began, n.running = n.now, true
}

func (n *naive) tryStart(now time.Duration) bool { // rule 10
	if n.running || !n.admissible(now) {
		return false
	}
	n.start(now)
	return true
}

func (n *naive) crash(now time.Duration) {
	n.see(now)
	if n.end() { // rule 3
		n.wipe()
	}
	early := n.trips > 0 && n.now < n.loopEnd
	if n.trips > 0 && !early && len(n.rules.Cooldowns) == 0 { // rule 2
		n.wipe()
	}
	n.crashes = append(n.crashes, n.now)
	switch {
	case early: // rule 2
		n.loop(max(n.loopEnd, n.now+n.cooldown(n.trips)))
	case n.trips > 0 || n.inWindow() >= n.rules.Threshold: // rules 8 and 1
		n.trips++
		n.loop(n.now + n.cooldown(n.trips))
	default:
		n.backOff(len(n.crashes))
	}
}

func (n *naive) inWindow() (crashes int) {
	for _, at := range n.crashes {
		if n.now-at <= n.rules.Window {
			crashes++
		}
	}
	return crashes
}

// cooldown returns how long the crash loop of that number holds: Cooldown, then the
// Cooldowns one by one, and the last of them from then on.
func (n *naive) cooldown(trip int) time.Duration {
	all := append([]time.Duration{n.rules.Cooldown}, n.rules.Cooldowns...)
	return all[min(trip, len(all))-1]
}

func (n *naive) loop(until time.Duration) {
	n.loopEnd = until
	n.hold(gate.CrashLooping, until)
}

func (n *naive) backOff(streak int) {
	delay := float64(n.rules.Initial) * math.Pow(n.rules.Factor, float64(streak-1))
	hold := time.Duration(min(delay, float64(n.rules.Max)))
	if hold == 0 {
		n.hold(gate.Idle, 0)
		return
	}
	n.hold(gate.BackingOff, n.now+hold)
}

func (n *naive) cleanExit(now time.Duration) {
	n.see(now)
	if n.end() { // rule 4
		n.wipe()
	}
	n.hold(gate.Idle, 0)
}

func (n *naive) restart(now time.Duration) {
	n.cleanExit(now)
	n.backOff(max(len(n.crashes), 1))
}

func (n *naive) admissible(now time.Duration) bool {
	return n.phase == gate.Idle || n.phase != gate.Paused && now >= n.until
}

func (n *naive) maybeRelease(now time.Duration) bool {
	released := n.phase != gate.Idle && n.admissible(now)
	if released {
		n.open()
	}
	return released
}

// forceRelease is rule 6.
func (n *naive) forceRelease() bool {
	n.wipe()
	return n.probe()
}

// probe is rule 11.
func (n *naive) probe() bool {
	held := n.phase != gate.Idle
	n.open()
	return held
}

// pause is rule 9.
func (n *naive) pause() bool {
	fresh := n.phase != gate.Paused
	n.phase, n.until = gate.Paused, 0
	return fresh
}

func (n *naive) state() gate.State { return gate.Held(n.phase, start.Add(n.until)) }
