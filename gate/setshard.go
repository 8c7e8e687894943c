package gate

import (
	"sync"
	"sync/atomic"

	"github.com/holdfast-go/holdfast/policy"
)

// shard is a part of a Set, by the hash of the key.
type shard[K comparable] struct {
	first *atomic.Int64 // of Set.first; written under mu

	mu        sync.Mutex // guards what follows; see Set for what runs under it
	policy    policy.Policy
	gates     table[K, *entry[K]]
	deadlines queue[K] // see Set.expect
	idle      *idle[K] // nil if there may be any number of these
	outboxes  map[K]*outbox
	spare     *outbox // the last one that was emptied
	panicked  *Panic  // of a policy, until it is handed over
}

// entry is the gate of a key. It is in its shard's table until it is removed.
type entry[K comparable] struct {
	tracker    Tracker
	key        K
	next, prev *entry[K] // among the idle ones; nil if it is not there
	seq        uint64    // of the last transition
	hash       uint32
	place      int32 // among the deadlines, counted from 1; or one of those below
}

const (
	nowhere int32 = 0  // not among the deadlines
	removed int32 = -1 // and not in the Set any more
)

func (e *entry[K]) id() K { return e.key }

// create adds an open gate.
func (h *shard[K]) create(hash uint32, key K) *entry[K] {
	e := &entry[K]{key: key, hash: hash}
	h.gates.add(hash, e)
	return e
}

func (h *shard[K]) remove(e *entry[K]) {
	h.gates.remove(e.hash, e)
	h.schedule(e, none)
	if h.idle != nil {
		h.idle.unlink(e)
	}
	e.place = removed
}

// schedule has e among the deadlines at an instant, or not at all, for none.
func (h *shard[K]) schedule(e *entry[K], at int64) {
	switch {
	case at != none:
		h.deadlines.put(e, at)
	case e.place > nowhere:
		h.deadlines.remove(e)
	default:
		return
	}
	if first := h.deadlines.first(); h.first.Load() != first {
		h.first.Store(first)
	}
}

// all returns the entries that are in the shard now.
func (h *shard[K]) all() []*entry[K] {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gates.all()
}
