package gate_test

import (
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func wantWhen(t *testing.T, got, want time.Duration) {
	t.Helper()
	if got != want {
		t.Errorf("the item is to wait for %v, want %v", got, want)
	}
}

func TestRateLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := gate.NewRateLimiter[string](policy.Classic())
		delay := 500 * time.Millisecond
		for i := range 4 {
			when := l.When("a")
			wantWhen(t, when, delay)
			if got := l.NumRequeues("a"); got != i+1 {
				t.Errorf("requeues = %d, want %d", got, i+1)
			}
			time.Sleep(when)
			delay *= 2
		}
		wantWhen(t, l.When("a"), 5*time.Minute) // a crash loop
		wantWhen(t, l.When("b"), 500*time.Millisecond)
		l.Forget("a")
		l.Forget("unknown")
		if got := l.NumRequeues("a"); got != 0 {
			t.Errorf("requeues = %d of a forgotten item", got)
		}
		wantWhen(t, l.When("a"), 500*time.Millisecond)
	})
}

// An item that fails again before its time does not get off lighter.
func TestRateLimiterTriedTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := gate.NewRateLimiter[int](policy.CrashLoop(2, time.Minute, time.Hour)(policy.Constant(time.Second)))
		l.When(1)
		wantWhen(t, l.When(1), time.Hour)
		time.Sleep(time.Minute)
		wantWhen(t, l.When(1), time.Hour)
		time.Sleep(2 * time.Hour)
		wantWhen(t, l.When(1), time.Second) // a fresh slate
		if got := l.NumRequeues(1); got != 4 {
			t.Errorf("requeues = %d, want all four", got)
		}
	})
}

// The time that an item waits is not a run of it.
func TestRateLimiterDoesNotCountWaitingAsARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ran []time.Duration
		l := gate.NewRateLimiter[int](policy.Func(func(h policy.History) policy.Decision {
			ran = append(ran, h.Ran())
			return policy.Decision{Delay: time.Minute}
		}))
		time.Sleep(l.When(1) + time.Second)
		l.When(1)
		if len(ran) != 2 || ran[1] != time.Second {
			t.Errorf("runs of %v, want the second to be of a second", ran)
		}
	})
}

func TestRateLimiterErrors(t *testing.T) {
	permanent := errors.New("no such user")
	l := gate.NewRateLimiter[string](policy.PermanentErrors(permanent)(policy.Constant(0)))
	wantWhen(t, l.When("a"), 0)
	wantWhen(t, l.Failed("a", errCrash), 0)
	wantWhen(t, l.Failed("a", permanent), math.MaxInt64)
	wantWhen(t, l.Failed("b", nil), 0)
	panics := gate.NewRateLimiter[string](policy.Func(func(policy.History) policy.Decision { panic("no") }))
	if when := panics.When("a"); when < 500*time.Millisecond || when > 550*time.Millisecond {
		t.Errorf("the item is to wait for %v, want what the default policy says", when)
	}
}

func TestRateLimiterConcurrently(t *testing.T) {
	l := gate.NewRateLimiter[int](nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				l.When(i % 10)
				l.NumRequeues(i % 10)
				if i%100 == 0 {
					l.Forget(i % 10)
				}
			}
		})
	}
	all.Wait()
	total := 0
	for item := range 10 {
		total += l.NumRequeues(item)
	}
	if total == 0 || total > 8000 {
		t.Errorf("%d failures, want those since the items were forgotten", total)
	}
}

func BenchmarkRateLimiterWhen(b *testing.B) {
	l := gate.NewRateLimiter[int](nil)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		l.When(i & 1023)
		i++
	}
}
