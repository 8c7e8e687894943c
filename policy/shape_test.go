package policy_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

// cycle is an error that wraps itself.
type cycle struct{ next error }

func (*cycle) Error() string   { return "cycle" }
func (c *cycle) Unwrap() error { return c.next }

// bush is an error that wraps itself, twice.
type bush struct{ all []error }

func (*bush) Error() string     { return "bush" }
func (b *bush) Unwrap() []error { return b.all }

// mean is an error of which one method panics.
type mean string

func (m mean) Error() string             { return m.say("Error", "mean") }
func (m mean) Is(error) bool             { return m.say("Is", "") != "" }
func (m mean) As(any) bool               { return m.say("As", "") != "" }
func (m mean) Unwrap() error             { m.say("Unwrap", ""); return nil }
func (m mean) Permanent() bool           { return m.say("Permanent", "") != "" }
func (m mean) RetryAfter() time.Duration { m.say("RetryAfter", ""); return 0 }
func (m mean) say(name, text string) string {
	if string(m) == name {
		panic(name)
	}
	return text
}

// RetryAfterError is an error of backoff's shape.
type RetryAfterError struct{ Duration time.Duration }

func (e *RetryAfterError) Error() string { return "retry after" }

// asks is a policy that looks at errors in all the ways there are.
func asks() policy.Policy {
	return policy.Guard(policy.Compose(policy.Constant(time.Second),
		policy.RetryAfter(time.Minute), policy.PermanentErrors(errConfig)), nil)
}

// deep wraps an error so many times.
func deep(err error, times int) error {
	for range times {
		err = &cycle{err}
	}
	return err
}

// Whatever an error does when it is looked at, the crash is decided on.
func TestHostileErrors(t *testing.T) {
	loop, tangle := &cycle{}, &bush{}
	loop.next = loop
	tangle.all = []error{tangle, nil, tangle, policy.Permanent(errCrash)}
	wide := make([]error, 100_000)
	for i := range wide {
		wide[i] = errCrash
	}
	var none *bush
	for _, test := range []struct {
		name  string
		err   error
		want  policy.Decision
		panic bool // the decision is that of Default
	}{
		{"wraps itself", loop, hold(1), false},
		{"wraps itself in another", fmt.Errorf("poll: %w", loop), hold(1), false},
		{"wraps itself twice", tangle, hold(1), false}, // the permanent one comes too late
		{"a permanent one beside a cycle", errors.Join(policy.Permanent(errCrash), loop), giveUp, false},
		{"a target beside a cycle", errors.Join(errConfig, loop), giveUp, false},
		{"a target behind a cycle", errors.Join(loop, errConfig), hold(1), false},
		{"very wide", errors.Join(wide...), hold(1), false},
		{"very deep", deep(errConfig, 100_000), hold(1), false},
		{"deep", deep(errConfig, 900), giveUp, false},
		{"nil of backoff's permanent error", (*backoff.PermanentError)(nil), hold(1), true}, // its Unwrap panics
		{"nil of backoff's shape", (*RetryAfterError)(nil), hold(1), false},
		{"nil that panics", none, hold(1), true},
		{"of backoff's shape", &RetryAfterError{time.Minute}, hold(60), false},
		{"of backoff's shape, forever", &RetryAfterError{math.MaxInt64}, hold(60), false},
		{"of backoff's shape, negative", &RetryAfterError{math.MinInt64}, hold(1), false},
		{"panics in Error", mean("Error"), hold(1), false},
		{"panics in Is", mean("Is"), hold(1), true},
		{"panics in As", mean("As"), hold(1), false},
		{"panics in Unwrap", mean("Unwrap"), hold(1), true},
		{"panics in Permanent", mean("Permanent"), hold(1), true},
		{"panics in RetryAfter", mean("RetryAfter"), hold(1), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := newTask(t, asks())
			k.log.ObserveCrash(start, test.err)
			want := test.want
			if test.panic {
				want = policy.Default().Decide(k.history())
			}
			if got := k.decide(); got != want {
				t.Errorf("%v, want %v", got, want)
			}
			if !test.panic {
				return
			}
			defer func() {
				if recover() == nil {
					t.Error("unguarded, it does not panic")
				}
			}()
			asks().(unwrapper).Unwrap().Decide(k.history())
		})
	}
}

// A fleet or a timeline of such errors is simulated and printed all the same.
func TestSimulateHostileErrors(t *testing.T) {
	loop := &cycle{}
	loop.next = loop
	for _, err := range []error{loop, mean("Error"), mean("Is"), mean("Unwrap"), (*bush)(nil), (*backoff.PermanentError)(nil)} {
		timeline := policy.Simulate(asks(), []policy.Run{{Err: err}, {Err: err}})
		if len(timeline) != 2 || timeline.String() == "" {
			t.Errorf("%T: %d runs, want 2", err, len(timeline))
		}
		starts := policy.SimulateFleet(asks(), 2, time.Second, func(int, time.Duration) policy.Run { return policy.Run{Err: err} })
		if len(starts) != 1 || starts[0] < 2 {
			t.Errorf("%T: starts %v, want two at least", err, starts)
		}
	}
}
