package gate

import (
	"fmt"
	"math/bits"
)

// WithMaxIdle bounds the number of idle gates, those that are neither held nor in a
// run, so that a flood of keys cannot fill the memory. Where there would be more,
// some are forgotten: first those with a clean slate, from which a new gate differs in
// nothing but its count of crashes, then those with a streak; of each kind the least
// recently used first. A use is an event, not a question. Held gates, paused ones and
// those in a run are never forgotten, so that a flood of keys frees no task that
// crashes; they do not count.
//
// There are never more than n idle gates. There may be some fewer while others are
// forgotten: from 2048 on n is divided among up to 64 parts of the Set, each of
// which forgets by itself, and the keys do not fall upon them quite evenly.
//
// A run whose end is never observed keeps its gate in the Set until Delete.
// WithMaxIdle panics if n is negative; 0 keeps no idle gate. Without it there is
// no bound.
func WithMaxIdle[K comparable](n int) SetOption[K] {
	if n < 0 {
		panic(fmt.Sprintf("gate: WithMaxIdle: n (%d) is negative; give the number of idle gates to keep", n))
	}
	return func(s *Set[K]) { s.maxIdle = n }
}

// leastShare is the least number of idle gates for which a shard is worth it. With so
// many, how unevenly keys fall upon shards is about three in a hundred.
const leastShare = 1024

// shardsFor returns the number of shards, a power of two, for a bound of maxIdle;
// a negative one is none.
func shardsFor(maxIdle int) int {
	if maxIdle < 0 {
		return mostShards
	}
	return min(1<<(bits.Len(uint(max(maxIdle/leastShare, 1)))-1), mostShards)
}

// idle is the idle gates of a shard, in the order in which they are forgotten: two
// rings, of which each begins and ends at an entry that is no gate's. The gate that
// was used last comes first.
type idle[K comparable] struct {
	most, count     int
	clean, streaked entry[K]
}

func newIdle[K comparable](most int) *idle[K] {
	i := &idle[K]{most: most}
	i.clean.next, i.clean.prev = &i.clean, &i.clean
	i.streaked.next, i.streaked.prev = &i.streaked, &i.streaked
	return i
}

// use puts e where it belongs after an event.
func (i *idle[K]) use(e *entry[K]) {
	i.unlink(e)
	if e.tracker.word != 0 || e.tracker.log.Running() {
		return
	}
	after := &i.streaked
	if e.tracker.log.Streak() == 0 {
		after = &i.clean
	}
	e.prev, e.next = after, after.next
	e.prev.next, e.next.prev = e, e
	i.count++
}

// unlink takes e out, if it is in.
func (i *idle[K]) unlink(e *entry[K]) {
	if e.next == nil {
		return
	}
	e.prev.next, e.next.prev = e.next, e.prev
	e.next, e.prev = nil, nil
	i.count--
}

// excess returns the gate that is to be forgotten next, nil if there are not too many.
func (i *idle[K]) excess() *entry[K] {
	switch {
	case i.count <= i.most:
		return nil
	case i.clean.prev != &i.clean:
		return i.clean.prev
	}
	return i.streaked.prev
}
