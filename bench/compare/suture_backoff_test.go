package compare_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/thejerf/suture/v4"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/suturecompat"
)

// dies is a service whose runs last as a list says, and fail.
func dies(name string, after ...time.Duration) *scripted {
	s := &scripted{name: name}
	for _, d := range after {
		s.steps = append(s.steps, func(context.Context) error {
			time.Sleep(d)
			return errCrash
		})
	}
	return s
}

// offsets is when the runs started, from the first on.
func (s *scripted) offsets() (offsets []time.Duration) {
	for _, at := range s.starts {
		offsets = append(offsets, at.Sub(s.starts[0]))
	}
	return offsets
}

// TestSutureThreshold compares when one service is started under suture and under
// suturecompat.Threshold with the same figures: to the nanosecond.
func TestSutureThreshold(t *testing.T) {
	second := time.Second
	stories := map[string][]time.Duration{
		"a loop":                slices.Repeat([]time.Duration{0}, 20),
		"each 9 s":              slices.Repeat([]time.Duration{9 * second}, 60),  // reaches 5 in the end
		"each 10 s":             slices.Repeat([]time.Duration{10 * second}, 60), // never does
		"two bursts":            {0, 0, 0, 0, 40 * second, 0, 0, 0, 0, 0, 0},
		"a loop, then a crash":  {0, 0, 0, 0, 0, 0, 1 * second, 0, 0, 0, 0, 0},
		"slower and slower":     {0, 1 * second, 2 * second, 4 * second, 8 * second, 16 * second, 1, 1, 1, 1, 1},
		"a long run in between": {0, 0, 0, 0, 0, time.Hour, 0, 0, 0, 0, 0},
	}
	for name, after := range stories {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				there, here := dies("svc", after...), dies("svc", after...)

				s := newSuture(suture.Spec{FailureThreshold: 5, FailureDecay: 30, FailureBackoff: 15 * second, BackoffJitter: suture.NoJitter{}})
				s.Add(there)
				result, stop := startedSuture(s)
				time.Sleep(24 * time.Hour)
				stop()
				<-result

				h := supervise.New("root", silent, supervise.WithPolicy(suturecompat.Threshold(5, 30*second, 15*second)))
				add(t, h, here)
				result, stop = started(t, h)
				time.Sleep(24 * time.Hour)
				stop()
				<-result

				want, got := there.offsets(), here.offsets()
				if len(want) != len(after)+1 || !slices.Equal(got, want) {
					t.Errorf("holdfast: %v\nsuture:   %v", got, want)
				}
			})
		})
	}
}

// TestSutureJitter holds how long a hold may be with suture's own jitter.
func TestSutureJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop := slices.Repeat([]time.Duration{0}, 6*100)
		there, here := dies("svc", loop...), dies("svc", loop...)
		s := newSuture(suture.Spec{FailureThreshold: 5})
		s.Add(there)
		result, stop := startedSuture(s)
		time.Sleep(time.Hour)
		stop()
		<-result

		h := supervise.New("root", silent, supervise.WithPolicy(policy.Compose(
			suturecompat.Threshold(5, 30*time.Second, 15*time.Second), policy.Spread(0.5))))
		add(t, h, here)
		result, stop = started(t, h)
		time.Sleep(time.Hour)
		stop()
		<-result

		for who, svc := range map[string]*scripted{"suture": there, "holdfast": here} {
			var shortest, longest, before time.Duration
			for _, at := range svc.offsets() {
				if d := at - before; d > 0 {
					longest = max(longest, d)
					if shortest == 0 || d < shortest {
						shortest = d
					}
				}
				before = at
			}
			if shortest < 15*time.Second || longest > 22500*time.Millisecond || longest-shortest < 5*time.Second {
				t.Errorf("%s: holds of %v to %v", who, shortest, longest)
			}
		}
	})
}

// TestSutureSiblings crashes one service in a loop, and another once meanwhile: suture
// holds both.
func TestSutureSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop := slices.Repeat([]time.Duration{0}, 6)
		there, here := dies("innocent", time.Second), dies("innocent", time.Second)

		s := newSuture(suture.Spec{FailureThreshold: 5, BackoffJitter: suture.NoJitter{}})
		s.Add(dies("loops", loop...))
		s.Add(there)
		result, stop := startedSuture(s)
		time.Sleep(time.Minute)
		stop()
		<-result
		// The second failure while paused starts the hold anew.
		if got, want := there.offsets(), []time.Duration{0, 16 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("suture: %v, want %v", got, want)
		}

		h := supervise.New("root", silent, supervise.WithPolicy(suturecompat.Threshold(5, 30*time.Second, 15*time.Second)))
		add(t, h, dies("loops", loop...))
		add(t, h, here)
		result, stop = started(t, h)
		time.Sleep(time.Minute)
		stop()
		<-result
		if got, want := here.offsets(), []time.Duration{0, time.Second}; !slices.Equal(got, want) {
			t.Errorf("holdfast: %v, want %v", got, want)
		}
	})
}
