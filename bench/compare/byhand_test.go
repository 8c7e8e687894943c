package compare

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// handStart has a monotonic clock reading, as the instants of a program have that runs.
var handStart = time.Now()

// TestByHandIsTheClassicRule holds a million random operations against a tracker, so
// that what is measured against does the same.
func TestByHandIsTheClassicRule(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	spans := []time.Duration{0, time.Millisecond, time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, time.Hour}
	var hand ByHand
	tracker := gate.NewTracker(policy.Classic())
	now := handStart
	for i := range 1_000_000 {
		step := spans[random.IntN(len(spans))]
		if step > 0 {
			step = time.Duration(random.Int64N(2*int64(step))) - step/8
		}
		if i%10_000 == 0 { // a gate counts as far as 36 years
			hand, tracker, now = ByHand{}, gate.NewTracker(policy.Classic()), handStart
		}
		now = now.Add(step)
		switch random.IntN(10) {
		case 0, 1:
			hand.Start(now)
			tracker.ObserveStart(now)
		case 2:
			hand.Release()
			tracker.ForceRelease()
		default:
			if got, _ := hand.Crash(now, errCrash); got != HandPhase(tracker.ObserveCrash(now, errCrash).Phase()) {
				t.Fatalf("operation %d: %v by hand, %v by the tracker", i, got, tracker.State())
			}
		}
		at := now.Add(spans[random.IntN(len(spans))])
		if s := tracker.State(); s.Admissible(at) != hand.Admissible(at) || s.Phase() != gate.Idle && !s.Until().Equal(hand.Until()) {
			t.Fatalf("operation %d: until %v by hand, %v by the tracker", i, hand.Until(), s)
		}
	}
}

// handApart are the instants of crashes 16 s apart, which trip no loop, made before
// the clock runs.
var handApart = func() (all [1 << 12]time.Time) {
	for i := range all {
		all[i] = handStart.Add(time.Duration(i) * 16 * time.Second)
	}
	return all
}()

// BenchmarkByHand is the classic rule by hand beside a tracker and a gate, at crashes
// of one instant, which are all in a crash loop, and 16 s apart.
func BenchmarkByHand(b *testing.B) {
	var hand ByHand
	var locked ByHandLocked
	tracker, g := gate.NewTracker(policy.Classic()), gate.New(policy.Classic())
	for _, decider := range []struct {
		name  string
		crash func(time.Time)
		reset func()
	}{
		{"by-hand", func(now time.Time) { hand.Crash(now, errCrash) }, func() { hand = ByHand{} }},
		{"tracker", func(now time.Time) { tracker.ObserveCrash(now, errCrash) }, func() { tracker = gate.NewTracker(policy.Classic()) }},
		{"by-hand-locked", func(now time.Time) { locked.Crash(now, errCrash) }, func() { locked = ByHandLocked{} }},
		{"gate", func(now time.Time) { g.ObserveCrash(now, errCrash) }, func() { g = gate.New(policy.Classic()) }},
	} {
		b.Run("decider="+decider.name+"/crashes=same-instant", func(b *testing.B) {
			decider.reset()
			b.ReportAllocs()
			for b.Loop() {
				decider.crash(handStart)
			}
		})
		b.Run("decider="+decider.name+"/crashes=16s-apart", func(b *testing.B) {
			decider.reset()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if i == len(handApart) {
					decider.reset()
					i = 0
				}
				decider.crash(handApart[i])
				i++
			}
		})
	}
	b.Run("decider=none/crashes=same-instant", func(b *testing.B) {
		for b.Loop() {
			_ = time.Now()
		}
	})
}
