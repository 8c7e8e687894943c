package history

import (
	"math"
	"time"
)

// ring keeps the instants of the most recent crashes. Crash n, counted from 0
// over the life of the task, has its place at n modulo the ring's length, which
// is a power of two. The zero value is not ready: see cleared.
type ring struct {
	large *[]time.Duration // instead of small, once a policy looks further back
	small [minRing]time.Duration
}

// lost marks the place of a crash whose instant is not known.
const lost = time.Duration(math.MinInt64)

const (
	// minRing serves the default policy: its first crash is the only one that
	// allocates.
	minRing = 8
	// eagerRing is the depth up to which a ring is made as soon as a policy asks
	// for it. A deeper one grows with the crashes it has to hold, so that a task
	// that crashes seldom stays small under a policy that looks far back.
	eagerRing = 64
	// MaxLookBack bounds how many crashes back a policy can look, and so what a
	// task and its record can take.
	MaxLookBack = 1 << 20
)

func (r *ring) length() int {
	if r.large != nil {
		return len(*r.large)
	}
	return minRing
}

func (r *ring) at(n uint64) time.Duration {
	if r.large != nil {
		large := *r.large
		return large[n&uint64(len(large)-1)]
	}
	return r.small[n%minRing]
}

func (r *ring) put(n uint64, t time.Duration) {
	if r.large != nil {
		large := *r.large
		large[n&uint64(len(large)-1)] = t
		return
	}
	r.small[n%minRing] = t
}

func (r *ring) all() []time.Duration {
	if r.large != nil {
		return *r.large
	}
	return r.small[:]
}

func (r *ring) clear() {
	all := r.all()
	for i := range all {
		all[i] = lost
	}
}

// resize gives the ring another length, more than minRing, and keeps the instants
// it has.
func (h *Log) resize(length int) {
	r, next := &h.more.ring, h.crashes
	from := *r
	large := make([]time.Duration, length)
	r.large = &large
	r.clear()
	for n := next - min(next, uint64(min(from.length(), length))); n < next; n++ {
		r.put(n, from.at(n))
	}
	h.ready = 0
}

// needMore returns what a task needs that has crashed, or whose origin has moved.
func (h *Log) needMore() *more {
	if h.more == nil {
		h.more = &more{}
		h.more.clear()
	}
	return h.more
}

// mayGrow reports whether a policy looks further back than the ring goes.
func (m *more) mayGrow() bool { return int(m.depth) > m.length() }

// grow makes room for one more crash, as far as a policy has asked for it.
func (h *Log) grow() {
	m := h.needMore()
	h.draw()
	if n := m.length(); h.crashes >= uint64(n) && m.mayGrow() && n < MaxLookBack && h.filled(n) {
		h.resize(2 * n)
	}
}

// filled reports whether the ring, of length n, is full of instants that are
// known: only then is there something to lose by the next crash.
func (h *Log) filled(n int) bool { return h.more.at(h.crashes-uint64(n)) != lost }

// deepen remembers that a policy looks k crashes back.
func (h *Log) deepen(k int) {
	m := h.more
	m.depth = max(m.depth, uint32(min(uint64(k), math.MaxUint32)))
	n := m.length()
	for n < k && n < MaxLookBack && (n < eagerRing || uint64(n) <= h.crashes) {
		n *= 2
	}
	if n > m.length() {
		h.resize(n)
	}
}
