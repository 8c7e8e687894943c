package history

import (
	"math"
	"time"
)

// Rules are the usual stack of policies, Exponential, CrashLoop, Probation, StableRun
// and Spread, in one value: the same answers as those of the stack, at the cost of one
// call. A gate under such a stack asks it with CrashUnder.
type Rules struct {
	Delays      []time.Duration // by streak; 0 is after a clean exit; the last serves all that follow
	Threshold   int
	Window      time.Duration
	Cooldown    time.Duration
	Cooldowns   []time.Duration // of Probation; none for no such rule
	StableAfter time.Duration
	Spread      float64 // 0 for no such rule
}

// Decide returns what the stack decides about v.
func (r *Rules) Decide(v View) (verdict uint8, delay time.Duration, fresh bool) {
	if v.Ran() >= r.StableAfter {
		v, fresh = v.Fresh(), true
	}
	delay = r.probation(v)
	if delay == 0 {
		if v.Trips() > 0 && !v.Looping() && v.Err() != nil {
			v, fresh = v.Fresh(), true
		}
		if v.Looping() || v.Err() != nil && v.Span(r.Threshold) <= r.Window {
			delay = r.Cooldown
		}
	}
	if delay > 0 {
		return CrashLooping, r.lengthen(v.of(), delay), fresh
	}
	return Restart, r.lengthen(v.of(), r.Delays[min(v.Streak(), len(r.Delays)-1)]), fresh
}

// probation returns the cool-down of a crash on probation, 0 if it is not.
func (r *Rules) probation(v View) time.Duration {
	trips := v.Trips()
	if v.Looping() {
		trips--
	}
	if trips <= 0 || len(r.Cooldowns) == 0 || v.Err() == nil {
		return 0
	}
	return r.Cooldowns[min(trips, len(r.Cooldowns))-1]
}

// SpreadSalt makes the draw of Spread another than that of Jitter.
const SpreadSalt = 1

func (r *Rules) lengthen(h *Log, d time.Duration) time.Duration {
	if r.Spread == 0 {
		return d
	}
	return Lengthen(d, r.Spread*h.draws(SpreadSalt))
}

// Lengthen returns d and a part of it, from 0 to 1, or as much as there can be.
func Lengthen(d time.Duration, part float64) time.Duration {
	if longer := float64(d) * (1 + part); longer < math.MaxInt64 {
		return d + time.Duration(float64(d)*part)
	}
	return math.MaxInt64
}

// CrashUnder records a crash at the last instant seen, as ObserveCrash does, and what
// the rules decide, as Apply does. Most crashes of most tasks come here, so that it
// calls others only where things are not as usual.
func (h *Log) CrashUnder(r *Rules, err error) Word {
	last := h.last
	if int(h.ready) < r.Threshold || h.running && last-h.started >= r.StableAfter ||
		h.trips > 1 || h.trips == 1 && last >= h.loopEnd {
		return h.crashUnder(r, err)
	}
	h.err = err
	h.end()
	n, m := h.crashes, h.more
	m.small[n%minRing] = last
	n++
	h.crashes = n
	h.looping = h.trips > 0
	if !h.looping {
		streak := int(n - h.wiped)
		first := m.small[(n-uint64(r.Threshold))%minRing]
		if streak < r.Threshold || last-first > r.Window || first == lost {
			delay := r.Delays[min(streak, len(r.Delays)-1)]
			if r.Spread != 0 {
				delay = r.lengthen(h, delay)
			}
			return h.hold(Restart, delay)
		}
		h.trips, h.loopEnd = 1, last
	}
	delay := r.Cooldown
	if r.Spread != 0 {
		delay = r.lengthen(h, delay)
	}
	h.loopEnd = max(h.loopEnd, addSaturating(last, delay))
	return h.hold(CrashLooping, h.loopEnd-last)
}

// hold records a hold of the last crash.
func (h *Log) hold(verdict uint8, delay time.Duration) Word {
	h.delay = delay
	end := h.last + delay
	if delay <= 0 || end < h.last {
		return unusual(verdict, delay)
	}
	return held(verdict, end)
}

func unusual(verdict uint8, delay time.Duration) Word {
	if delay <= 0 {
		return 0
	}
	return held(verdict, Never)
}

// crashUnder is CrashUnder, whatever has happened.
func (h *Log) crashUnder(r *Rules, err error) Word {
	h.crash(err)
	verdict, delay, fresh := r.Decide(h.View())
	if m := h.more; m.large == nil && !m.mayGrow() {
		h.ready = uint8(m.depth)
	}
	return h.Apply(verdict, delay, fresh, false)
}
