// Package gatetest helps to test what stands behind a gate.
package gatetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/gate"
)

// Recorder keeps the transitions of one gate, so that a test can look at them
// afterwards. Hand its Observe to the gate:
//
//	var rec gatetest.Recorder
//	g := gate.New(p, gate.OnTransition(rec.Observe))
//
// The zero value is ready to use. A Recorder must not be copied once used. Safe
// for concurrent use.
type Recorder struct {
	mu          sync.Mutex
	transitions []gate.Transition
}

// Observe keeps t. It never blocks for long.
func (r *Recorder) Observe(t gate.Transition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.transitions = append(r.transitions, t)
}

// Transitions returns a copy of the transitions observed so far, in order.
func (r *Recorder) Transitions() []gate.Transition {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.transitions)
}

// Phases returns the phase that each transition led to, in order.
func (r *Recorder) Phases() []gate.Phase {
	r.mu.Lock()
	defer r.mu.Unlock()
	phases := make([]gate.Phase, len(r.transitions))
	for i, t := range r.transitions {
		phases[i] = t.To.Phase()
	}
	return phases
}

// Check returns nil if the transitions make one unbroken chain: each changes the
// state, begins where the one before it ended, and has the next number. Otherwise
// the error joins all breaks. A chain may begin anywhere, since an observer may
// have come late. Two gates must not share a Recorder that is checked.
func (r *Recorder) Check() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var breaks []error
	for i, t := range r.transitions {
		if t.From == t.To {
			breaks = append(breaks, fmt.Errorf("gatetest: transition %d changes nothing, it is %v before and after", t.Seq, t.To))
		}
		if i > 0 {
			breaks = append(breaks, follows(r.transitions[i-1], t))
		}
	}
	return errors.Join(breaks...)
}

// follows returns what is wrong with t as the next after before. Where some are
// missing in between the states cannot be expected to meet.
func follows(before, t gate.Transition) error {
	switch {
	case t.Seq != before.Seq+1:
		return fmt.Errorf("gatetest: transition %d follows %d; observers must be fast, or some are dropped", t.Seq, before.Seq)
	case t.From != before.To:
		return fmt.Errorf("gatetest: transition %d begins at %v, but %d ended at %v", t.Seq, t.From, before.Seq, before.To)
	}
	return nil
}

// Reset forgets the transitions observed so far.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.transitions = nil
}
