package policy_test

import (
	"math"
	"testing"

	"github.com/holdfast-go/holdfast/policy"
)

// A policy that looks far back at every crash is always answered.
func TestSinceAtAnyDepth(t *testing.T) {
	for _, depth := range []int{1, 8, 9, 16, 63, 64, 65, 128, 129, 500} {
		var h policy.History
		for i := range 3 * depth {
			h.ObserveCrash(at(float64(i)), errCrash)
			if i < depth-1 {
				wantSince(t, &h, map[int]float64{depth: none, i + 1: float64(i)})
			} else {
				wantSince(t, &h, map[int]float64{depth: float64(depth - 1), 1: 0})
			}
		}
		h.Forget()
		wantSince(t, &h, map[int]float64{depth + 1: none, 1: 0, 2: none})
		for i := range depth { // the slate is clean, the ring is not
			h.ObserveCrash(at(float64(10_000+i)), errCrash)
		}
		wantSince(t, &h, map[int]float64{depth: float64(depth - 1)})
	}
}

// Eight crashes are kept for one who has not asked; of those before, nothing is
// known, though they are counted.
func TestSinceOfLostCrashes(t *testing.T) {
	var h policy.History
	for i := range 20 {
		h.ObserveCrash(at(float64(i)), errCrash)
	}
	wantSince(t, &h, map[int]float64{8: 7})
	wantSince(t, &h, map[int]float64{9: none, 15: none, 20: none, 21: none})
	wantSince(t, &h, map[int]float64{8: 7})
	for i := range 4 { // what is asked for now is kept from now on
		h.ObserveCrash(at(float64(20+i)), errCrash)
	}
	wantSince(t, &h, map[int]float64{8: 7, 9: 8, 12: 11, 13: none, 24: none})
	if h.Streak() != 24 {
		t.Errorf("streak = %d, want 24", h.Streak())
	}
}

// To ask for what cannot be is no reason to make room for it.
func TestSinceBeyondReasonCostsNoMemory(t *testing.T) {
	var h policy.History
	for i := range 100 {
		h.ObserveCrash(at(float64(i)), errCrash)
		wantSince(t, &h, map[int]float64{math.MaxInt: none, math.MaxInt16: none})
	}
	wantSince(t, &h, map[int]float64{100: 99})
	if got := len(h.Record().Crashes); got != 100 {
		t.Errorf("%d crashes are kept, want 100", got)
	}
	if allocs := testing.AllocsPerRun(100, func() { h.Since(math.MaxInt) }); allocs != 0 {
		t.Errorf("Since allocates %v times, want 0", allocs)
	}
	var fresh policy.History
	if allocs := testing.AllocsPerRun(100, func() { fresh.Since(1000) }); allocs != 0 {
		t.Errorf("Since allocates %v times before the first crash, want 0", allocs)
	}
}
