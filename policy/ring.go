package policy

import (
	"math"
	"time"
)

// ring keeps the instants of the most recent crashes. Crash n, counted from 0
// over the life of the task, has its place at n modulo the ring's length, which
// is a power of two or zero.
type ring []time.Duration

// lost marks the place of a crash whose instant was not kept.
const lost = time.Duration(math.MinInt64)

const (
	// minRing serves the default policy: its first crash is the only one that
	// allocates.
	minRing = 8
	// eagerRing is the depth up to which a ring is made as soon as a policy asks
	// for it. A deeper one grows with the crashes it has to hold, so that a task
	// which crashes seldom stays small under a policy that looks far back.
	eagerRing = 64
)

func (r ring) at(n uint64) time.Duration     { return r[n&uint64(len(r)-1)] }
func (r ring) put(n uint64, t time.Duration) { r[n&uint64(len(r)-1)] = t }

// resized returns a ring of another length with the instants that r has of the
// crashes before crash number next.
func (r ring) resized(length int, next uint64) ring {
	to := make(ring, length)
	for i := range to {
		to[i] = lost
	}
	for n := next - min(next, uint64(min(len(r), length))); n < next; n++ {
		to.put(n, r.at(n))
	}
	return to
}

// grow makes room for one more crash, as far as a policy has asked for it.
func (h *History) grow() {
	n := len(h.crashed)
	if n == 0 {
		h.draw()
		h.crashed = h.crashed.resized(minRing, h.crashes)
	} else if uint64(n) < uint64(h.depth) {
		h.crashed = h.crashed.resized(2*n, h.crashes)
	}
}

// deepen remembers that a policy looks k crashes back.
func (h *History) deepen(k int) {
	h.depth = max(h.depth, uint32(min(uint64(k), math.MaxUint32)))
	n := len(h.crashed)
	for n > 0 && n < k && (n < eagerRing || uint64(n) <= h.crashes-h.wiped) {
		n *= 2
	}
	if n > len(h.crashed) {
		h.crashed = h.crashed.resized(n, h.crashes)
	}
}
