package gate_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// together runs f in n goroutines that begin at the same time, and returns when
// all have ended.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}

func TestMaybeReleaseIsTrueForOneOfMany(t *testing.T) {
	g := gate.New(policy.Classic())
	for round := range 50 {
		now := at(float64(1000 * round))
		until := g.ObserveCrash(now, errCrash).Until()
		var released atomic.Int32
		together(16, func(int) {
			if g.MaybeRelease(until.Add(-1)) {
				t.Error("released before the hold was over")
			}
			if g.MaybeRelease(until) {
				released.Add(1)
			}
		})
		if got := released.Load(); got != 1 {
			t.Fatalf("round %d: %d goroutines got true, want one", round, got)
		}
	}
}

func TestForceReleaseIsTrueForOneOfMany(t *testing.T) {
	g := gate.New(givesUp)
	for range 50 {
		g.ObserveCrash(start, errCrash)
		var released atomic.Int32
		together(16, func(int) {
			if g.ForceRelease() {
				released.Add(1)
			}
		})
		if got := released.Load(); got != 1 {
			t.Fatalf("%d goroutines got true, want one", got)
		}
	}
}

// No crash is lost, however many come at once.
func TestCrashesAtOnceAllCount(t *testing.T) {
	const goroutines, each = 16, 100
	g := gate.New(policy.Exponential(time.Second, 1.0001, time.Hour))
	together(goroutines, func(int) {
		for range each {
			g.ObserveCrash(start, errCrash)
		}
	})
	if got := g.History().Streak(); got != goroutines*each {
		t.Errorf("streak = %d, want %d", got, goroutines*each)
	}
}

// A policy may take its time. Those who only look do not wait for it.
func TestReadersDoNotWaitForTheLock(t *testing.T) {
	deciding, decide := make(chan struct{}), make(chan struct{})
	slow := policy.Func(func(policy.History) policy.Decision {
		deciding <- struct{}{}
		<-decide
		return policy.Decision{Delay: time.Minute}
	})
	g := gate.New(slow)
	done := make(chan gate.State)
	for crash := range 2 {
		before := g.State()
		go func() { done <- g.ObserveCrash(at(float64(crash)), errCrash) }()
		<-deciding
		if got := g.State(); got != before {
			t.Errorf("crash %d: state = %v while the policy decides, want %v still", crash, got, before)
		}
		if got, want := g.Admissible(at(1)), before.Admissible(at(1)); got != want {
			t.Errorf("crash %d: admissible = %t while the policy decides, want %t still", crash, got, want)
		}
		if g.MaybeRelease(at(0)) {
			t.Error("released before the hold was over")
		}
		decide <- struct{}{}
		if got := <-done; got != g.State() {
			t.Errorf("crash %d: state = %v, want %v", crash, g.State(), got)
		}
	}
}

// Nor do those who look at a gate that is held without an end, even if nothing had been
// seen before.
func TestReadersOfAPausedGateDoNotWaitForTheLock(t *testing.T) {
	deciding, decide := make(chan struct{}), make(chan struct{})
	g := gate.New(policy.Func(func(policy.History) policy.Decision {
		close(deciding)
		<-decide
		return policy.Decision{}
	}))
	g.Pause()
	done := make(chan gate.State)
	go func() { done <- g.ObserveCrash(at(0), errCrash) }()
	<-deciding
	wantState(t, g, held(gate.Paused, endless))
	if g.Admissible(at(0)) || g.MaybeRelease(at(0)) || g.TryStart(at(0)) {
		t.Error("a paused gate is open while the policy decides")
	}
	close(decide)
	<-done
}

// Whoever comes while a policy decides takes their turn after it.
func TestEventsWaitForTheLock(t *testing.T) {
	deciding, decide := make(chan struct{}), make(chan struct{})
	var first sync.Once
	g := gate.New(policy.Func(func(policy.History) policy.Decision {
		first.Do(func() {
			close(deciding)
			<-decide
		})
		return policy.Decision{Delay: time.Minute}
	}))
	var events sync.WaitGroup
	events.Go(func() { g.ObserveCrash(at(0), errCrash) })
	<-deciding
	var begun sync.WaitGroup
	for range 4 {
		begun.Add(1)
		events.Go(func() {
			begun.Done()
			g.ObserveCrash(at(0), errCrash)
		})
	}
	begun.Wait()
	close(decide)
	events.Wait()
	if got := g.History().Streak(); got != 5 {
		t.Errorf("streak = %d, want all 5", got)
	}
}
