package gate_test

import (
	"math"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// naive is the gate as the rules have it, word by word, with nothing clever in
// it: times are distances from the common start, the crashes are all kept, and
// each event is worked out from scratch. TestModel lists the rules it names.
type naive struct {
	rules policy.Config

	now     time.Duration // the last instant seen, if any was
	seen    bool
	began   time.Duration // of the run, if running
	running bool
	crashes []time.Duration // of the streak
	loopEnd time.Duration   // of the crash loop, if looped
	looped  bool

	phase gate.Phase
	until time.Duration // if held
}

// see moves time on, never back (rule 7).
func (n *naive) see(now time.Duration) {
	if !n.seen || now > n.now {
		n.now, n.seen = now, true
	}
}

func (n *naive) wipe() { n.crashes, n.looped = nil, false }

func (n *naive) open() { n.phase, n.until = gate.Idle, 0 }

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

func (n *naive) crash(now time.Duration) {
	n.see(now)
	stable := n.end()
	if stable || n.looped && n.now >= n.loopEnd { // rules 3 and 2
		n.wipe()
	}
	n.crashes = append(n.crashes, n.now)
	inWindow := 0
	for _, at := range n.crashes {
		if n.now-at <= n.rules.Window {
			inWindow++
		}
	}
	switch {
	case n.looped: // rule 2
		n.loop(max(n.loopEnd, n.now+n.rules.Cooldown))
	case inWindow >= n.rules.Threshold: // rule 1
		n.loop(n.now + n.rules.Cooldown)
	default:
		n.backOff(len(n.crashes))
	}
}

func (n *naive) loop(until time.Duration) {
	n.looped, n.loopEnd = true, until
	n.phase, n.until = gate.CrashLooping, until
}

func (n *naive) backOff(streak int) {
	delay := float64(n.rules.Initial) * math.Pow(n.rules.Factor, float64(streak-1))
	hold := time.Duration(min(delay, float64(n.rules.Max)))
	if hold == 0 {
		n.open()
		return
	}
	n.phase, n.until = gate.BackingOff, n.now+hold
}

func (n *naive) cleanExit(now time.Duration) {
	n.see(now)
	if n.end() { // rule 4
		n.wipe()
	}
	n.open()
}

func (n *naive) restart(now time.Duration) {
	n.cleanExit(now)
	n.backOff(max(len(n.crashes), 1))
}

func (n *naive) admissible(now time.Duration) bool { return n.phase == gate.Idle || now >= n.until }

func (n *naive) maybeRelease(now time.Duration) bool {
	released := n.phase != gate.Idle && now >= n.until
	if released {
		n.open()
	}
	return released
}

// forceRelease is rule 6.
func (n *naive) forceRelease() bool {
	held := n.phase != gate.Idle
	n.wipe()
	n.open()
	return held
}

func (n *naive) state() gate.State {
	if n.phase == gate.Idle {
		return gate.State{}
	}
	return gate.State{Phase: n.phase, Until: start.Add(n.until)}
}
