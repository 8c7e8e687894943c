package policy_test

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestBudget(t *testing.T) {
	p := policy.Budget(2, 3)(policy.Constant(time.Second))
	for i, crash := range []struct{ at, wait float64 }{
		// A burst of three, then two a second.
		{0, 0}, {0, 0}, {0, 0}, {0, 0.5}, {0, 1},
		// Half a second on, one more turn has come.
		{0.5, 1},
		// What is due at 2 waits until the burst that is past is made up for.
		{2, 0}, {2, 0.5},
		// After a quiet time the burst is there again, and no more than that.
		{100, 0}, {100, 0}, {100, 0}, {100, 0.5},
		// Halfway to the next turn.
		{100.25, 0.75},
	} {
		if got, want := newTask(t, p).crash(crash.at), hold(1+crash.wait); got != want {
			t.Errorf("crash %d, at %v: %v, want %v", i, crash.at, got, want)
		}
	}
}

func TestBudgetIsSharedBetweenPolicies(t *testing.T) {
	budget := policy.Budget(1, 1)
	one, other := newTask(t, budget(policy.Constant(0))), newTask(t, budget(policy.Constant(time.Minute)))
	one.wantCrash(0, hold(0))
	other.wantCrash(0, hold(61))
	one.wantCrash(0, hold(2))
	stranger := newTask(t, policy.Budget(1, 1)(policy.Constant(0)))
	stranger.wantCrash(0, hold(0))
}

func TestBudgetChargesRestartsOnly(t *testing.T) {
	decision := giveUp
	k := newTask(t, policy.Budget(1, 1)(policy.Func(func(policy.History) policy.Decision { return decision })))
	for range 5 {
		k.wantCrash(0, giveUp)
	}
	decision = loop(10)
	k.wantCrash(0, loop(10))
	k.wantCrash(0, loop(11))
	decision = hold(-1)
	k.wantCrash(0, hold(2))
	decision = hold(0)
	k.wantExit(0, hold(3))
}

// Each task counts from the first instant it has seen; the budget counts from
// the first that it was asked about. Instants a little out of order are those of
// goroutines that read the clock at the same time.
func TestBudgetOfATaskThatIsBehind(t *testing.T) {
	p := policy.Budget(1, 1)(policy.Constant(0))
	newTask(t, p).wantCrash(10, hold(0))
	newTask(t, p).wantCrash(8, hold(1))
	newTask(t, p).wantCrash(10, hold(2))
	newTask(t, p).wantCrash(11, hold(2))
}

// A clock that is set back by an hour finds the level that was, not one that all
// restarts of that hour have been added to.
func TestBudgetOfAClockThatIsSetBack(t *testing.T) {
	p := policy.Budget(1, 1)(policy.Constant(0))
	newTask(t, p).wantCrash(0, hold(0))
	newTask(t, p).wantCrash(100, hold(0))
	for i := range 3600 {
		newTask(t, p).wantCrash(float64(101+i), hold(0))
	}
	newTask(t, p).wantCrash(200, hold(1))
	newTask(t, p).wantCrash(203, hold(0))
}

func TestBudgetSaturates(t *testing.T) {
	never := policy.Decision{Delay: math.MaxInt64}
	t.Run("delay", func(t *testing.T) {
		p := policy.Budget(1, 1)(policy.Constant(math.MaxInt64))
		newTask(t, p).wantCrash(0, never)
		newTask(t, p).wantCrash(0, never)
	})
	t.Run("a rate too small to represent", func(t *testing.T) {
		p := policy.Budget(1e-300, 1)(policy.Constant(0))
		newTask(t, p).wantCrash(0, hold(0))
		newTask(t, p).wantCrash(0, never)
		newTask(t, p).wantCrash(-1, never)
		newTask(t, p).wantCrash(1, policy.Decision{Delay: math.MaxInt64 - time.Second})
	})
	t.Run("a burst without end", func(t *testing.T) {
		p := policy.Budget(1e-3, math.MaxInt)(policy.Constant(0))
		for range 100 {
			newTask(t, p).wantCrash(0, hold(0))
		}
	})
	t.Run("a rate without a bound", func(t *testing.T) {
		p := policy.Budget(1e300, 1)(policy.Constant(0))
		for range 100 {
			newTask(t, p).wantCrash(0, hold(0))
		}
	})
}

// However the goroutines take turns, all turns are taken once.
func TestBudgetConcurrently(t *testing.T) {
	const goroutines, each, burst = 8, 100, 10
	p := policy.Budget(1000, burst)(policy.Constant(0))
	waits := make(chan time.Duration, goroutines*each)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			h := crashOnce(errCrash)
			for range each {
				waits <- p.Decide(h).Delay
			}
		})
	}
	wg.Wait()
	close(waits)
	taken := make(map[time.Duration]int)
	for wait := range waits {
		taken[wait]++
	}
	if taken[0] != burst {
		t.Errorf("%d restarts at once, want %d", taken[0], burst)
	}
	for turn := 1; turn <= goroutines*each-burst; turn++ {
		if n := taken[time.Duration(turn)*time.Millisecond]; n != 1 {
			t.Fatalf("%d restarts after %d ms, want 1", n, turn)
		}
	}
}

func TestBudgetPanics(t *testing.T) {
	const words = "is not a positive number; give the restarts per second"
	for want, f := range map[string]func(){
		"policy: Budget: rate (0) " + words:                                             func() { policy.Budget(0, 1) },
		"policy: Budget: rate (-1) " + words:                                            func() { policy.Budget(-1, 1) },
		"policy: Budget: rate (NaN) " + words:                                           func() { policy.Budget(math.NaN(), 1) },
		"policy: Budget: rate (+Inf) " + words:                                          func() { policy.Budget(math.Inf(1), 1) },
		"policy: Budget: burst (0) is below 1; give the restarts that may come at once": func() { policy.Budget(1, 0) },
		"policy: Budget: the policy is nil; policy.Default() is a good one":             func() { policy.Budget(1, 1)(nil) },
	} {
		wantPanic(t, want, f)
	}
}
