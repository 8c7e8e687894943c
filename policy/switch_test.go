package policy_test

import (
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestSwitch(t *testing.T) {
	one, other := policy.Exponential(time.Second, 2, time.Hour), policy.CrashLoop(3, time.Minute, time.Hour)(policy.Constant(0))
	s := policy.NewSwitch(one)
	k := newTask(t, s)
	k.wantCrash(0, hold(1))
	k.wantCrash(1, hold(2))
	if before := s.Set(other); before != one || s.Policy() != other || s.Unwrap() != other {
		t.Errorf("Set returned %v, and now %v decides", before, s.Policy())
	}
	k.wantCrash(2, loop(3600)) // the history is what it was
	if before := s.Set(one); before != other {
		t.Errorf("Set returned %v, want %v", before, other)
	}
	k.log.Reset()
	k.wantCrash(3, hold(1))
}

func TestSwitchOfNil(t *testing.T) {
	var zero policy.Switch
	set := policy.NewSwitch(policy.Constant(0))
	set.Set(nil)
	for name, s := range map[string]*policy.Switch{"zero": &zero, "made of nil": policy.NewSwitch(nil), "set to nil": set} {
		if s.Policy() != policy.Default() {
			t.Errorf("%s: %v decides, want Default", name, s.Policy())
		}
	}
	if before := zero.Set(policy.Constant(0)); before != policy.Default() {
		t.Errorf("before it was set, %v decided, want Default", before)
	}
}

func TestSwitchThatContainsItself(t *testing.T) {
	const want = "policy: Switch: Set: the policy contains this switch, which would ask itself forever; give another"
	s, outer := policy.NewSwitch(nil), policy.NewSwitch(nil)
	wantPanic(t, want, func() { s.Set(s) })
	wantPanic(t, want, func() { s.Set(policy.Spread(1)(s)) })
	wantPanic(t, want, func() { s.Set(policy.Match(isConfig, policy.Spread(1)(s))(policy.Default())) })
	outer.Set(s)
	wantPanic(t, want, func() { s.Set(outer) })
	if s.Policy() != policy.Default() {
		t.Errorf("%v decides, want what it was before", s.Policy())
	}
}

// A policy that has itself twice, again and again, is not walked through as often as
// it could be.
func TestSwitchOfManyMatches(t *testing.T) {
	p := policy.Default()
	for range 60 {
		p = policy.Match(isConfig, p)(p)
	}
	s := policy.NewSwitch(p)
	if newTask(t, s).crash(0).Delay == 0 {
		t.Error("it does not decide")
	}
	policy.Vet(p)
}

func TestSwitchConcurrently(t *testing.T) {
	const rounds = 2000
	choices := []policy.Policy{policy.Constant(time.Second), policy.Constant(2 * time.Second), policy.Constant(3 * time.Second)}
	s := policy.NewSwitch(choices[0])
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range rounds {
				if before := s.Set(choices[i%len(choices)]); before == nil {
					t.Error("Set returned nil")
				}
			}
		})
		wg.Go(func() {
			k := newTask(t, s)
			for i := range rounds {
				if d := k.crash(float64(i)); d.Delay < time.Second || d.Delay > 3*time.Second {
					t.Errorf("%v, which none of the policies decides", d)
				}
				if len(s.String()) == 0 || s.Unwrap() == nil {
					t.Error("it does not show what decides")
				}
			}
		})
	}
	wg.Wait()
}
