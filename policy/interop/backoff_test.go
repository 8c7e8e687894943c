package interop_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	v4 "github.com/cenkalti/backoff/v4"
	v5 "github.com/cenkalti/backoff/v5"
	v6 "github.com/cenkalti/backoff/v6"
	v7 "github.com/cenkalti/backoff/v7"

	"github.com/holdfast-go/holdfast/policy"
)

var (
	errBad   = errors.New("bad password")
	errOther = errors.New("connection refused")
)

// decide returns what a policy decides on the first crash of a task.
func decide(p policy.Policy, err error) policy.Step {
	return policy.Simulate(p, []policy.Run{{Err: err}})[0]
}

// wrapped returns an error as it is, and as tasks wrap errors.
func wrapped(err error) map[string]error {
	return map[string]error{
		"plain":         err,
		"wrapped":       fmt.Errorf("log in: %w", err),
		"wrapped twice": fmt.Errorf("run: %w", fmt.Errorf("log in: %w", err)),
		"joined":        errors.Join(errOther, err),
		"joined first":  errors.Join(err, errOther),
	}
}

// afterRetry returns what Retry of a version makes of an operation that returns err.
func afterRetry(version int, err error) error {
	ctx := context.Background()
	op := func() (int, error) { return 0, err }
	switch version {
	case 4:
		return v4.Retry(func() error { return err }, &v4.StopBackOff{})
	case 5:
		_, err = v5.Retry(ctx, op, v5.WithBackOff(&v5.StopBackOff{}))
	case 6:
		_, err = v6.Retry(ctx, op, v6.WithBackOff(&v6.StopBackOff{}))
	case 7:
		_, err = v7.Retry(ctx, op, v7.WithBackOff(&v7.StopBackOff{}))
	}
	return err
}

func TestPermanentErrors(t *testing.T) {
	p := policy.PermanentErrors()(policy.Constant(time.Second))
	for version, err := range map[string]error{
		"v4":                       v4.Permanent(errBad),
		"v5":                       v5.Permanent(errBad),
		"v6":                       v6.Permanent(errBad),
		"v7":                       v7.Permanent(errBad),
		"v7 of RetryAfter":         v7.RetryAfter(time.Hour, v7.Permanent(errBad)),
		"v6, after its Retry":      afterRetry(6, v6.Permanent(errBad)),
		"v7, after its Retry":      afterRetry(7, v7.Permanent(errBad)),
		"v7, wrapped for Retry":    afterRetry(7, fmt.Errorf("log in: %w", v7.Permanent(errBad))),
		"v6's sentinel as a cause": &v6.RetryError{LastErr: errBad, Cause: v6.ErrPermanent},
	} {
		for how, err := range wrapped(err) {
			if got := decide(p, err); got.Verdict != policy.GiveUp {
				t.Errorf("%s, %s: %v, want give up", version, how, got.Verdict)
			}
		}
	}
}

// What v4 and v5 return from Retry is the error itself, which is permanent no more
// for anyone.
func TestErrorsThatAreNotPermanent(t *testing.T) {
	p := policy.PermanentErrors()(policy.Constant(time.Second))
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	_, errCanceled := v7.Retry(canceled, func() (int, error) { return 0, errOther })
	_, errTries := v7.Retry(context.Background(), func() (int, error) { return 0, errOther }, v7.WithMaxTries(1))
	for name, err := range map[string]error{
		"an ordinary one":            errOther,
		"v4, after its Retry":        afterRetry(4, v4.Permanent(errBad)),
		"v5, after its Retry":        afterRetry(5, errBad),
		"v6, exhausted":              afterRetry(6, errBad),
		"v7, exhausted":              afterRetry(7, errBad),
		"v7, canceled":               errCanceled,
		"v7, after too many tries":   errTries,
		"v7, retry after":            v7.RetryAfter(time.Second, errOther),
		"v7, a cause that is nil":    &v7.RetryError{LastErr: errBad},
		"v7, a nil RetryError":       (*v7.RetryError)(nil),
		"of the sentinel's text":     errors.New(v7.ErrPermanent.Error()),
		"v5, a nil permanent error":  (*v5.PermanentError)(nil),
		"v7, a nil of RetryAfter":    (*v7.RetryAfterError)(nil),
		"v7's Permanent of no error": errors.Join(v7.Permanent(nil), errOther),
	} {
		if got := decide(p, err); got.Verdict != policy.Restart {
			t.Errorf("%s: %v, want restart", name, got.Verdict)
		}
	}
}

// A task may return what a Retry of its own gave up with. The policy then decides as
// it would have on the error itself.
func TestSentinels(t *testing.T) {
	for name, target := range map[string]error{"v6": v6.ErrExhausted, "v7": v7.ErrExhausted} {
		p := policy.PermanentErrors(target)(policy.Constant(time.Second))
		err := afterRetry(7, errBad)
		if name == "v6" {
			err = afterRetry(6, errBad)
		}
		if got := decide(p, fmt.Errorf("poll: %w", err)); got.Verdict != policy.GiveUp {
			t.Errorf("%s: %v, want give up on what is exhausted", name, got.Verdict)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	p := policy.RetryAfter(time.Hour)(policy.Constant(time.Second))
	for version, err := range map[string]error{
		"v5":         v5.RetryAfter(90),
		"v6":         v6.RetryAfter(90),
		"v7":         v7.RetryAfter(90*time.Second, errOther),
		"v7, no err": v7.RetryAfter(90*time.Second, nil),
	} {
		for how, err := range wrapped(err) {
			if got := decide(p, err); got.Hold != 90*time.Second {
				t.Errorf("%s, %s: held for %v, want 90s", version, how, got.Hold)
			}
		}
	}
	for name, test := range map[string]struct {
		err  error
		want time.Duration
	}{
		"longer than is believed": {v7.RetryAfter(24*time.Hour, errOther), time.Hour},
		"shorter than the delay":  {v7.RetryAfter(time.Millisecond, errOther), time.Second},
		"nothing":                 {v5.RetryAfter(0), time.Second},
		"before now":              {v5.RetryAfter(-5), time.Second},
	} {
		if got := decide(p, test.err); got.Hold != test.want {
			t.Errorf("%s: held for %v, want %v", name, got.Hold, test.want)
		}
	}
}

// FromBackOff takes the types of each version, as they are and as that version's
// interface.
func TestFromBackOff(t *testing.T) {
	three := []policy.Run{{Err: errOther}, {Err: errOther}, {Err: errOther}}
	for name, p := range map[string]policy.Policy{
		"v4": policy.FromBackOff(func() v4.BackOff {
			return v4.NewExponentialBackOff(v4.WithRandomizationFactor(0))
		}),
		"v4's type": policy.FromBackOff(func() *v4.ExponentialBackOff {
			return v4.NewExponentialBackOff(v4.WithRandomizationFactor(0), v4.WithMaxElapsedTime(0))
		}),
		"v5": policy.FromBackOff(func() v5.BackOff {
			b := v5.NewExponentialBackOff()
			b.RandomizationFactor = 0
			return b
		}),
		"v6's type": policy.FromBackOff(func() *v6.ExponentialBackOff {
			b := v6.NewExponentialBackOff()
			b.RandomizationFactor = 0
			return b
		}),
		"v7": policy.FromBackOff(func() v7.BackOff {
			b := v7.NewExponentialBackOff()
			b.RandomizationFactor = 0
			return b
		}),
	} {
		for i, step := range policy.Simulate(p, three) {
			if want := []time.Duration{500, 750, 1125}[i] * time.Millisecond; step.Hold != want {
				t.Errorf("%s: crash %d is held for %v, want %v", name, i+1, step.Hold, want)
			}
		}
	}
	for name, p := range map[string]policy.Policy{
		"v4": policy.FromBackOff(func() v4.BackOff { return v4.WithMaxRetries(&v4.ZeroBackOff{}, 1) }),
		"v5": policy.FromBackOff(func() *v5.StopBackOff { return &v5.StopBackOff{} }),
		"v7": policy.FromBackOff(func() *v7.StopBackOff { return &v7.StopBackOff{} }),
	} {
		steps := policy.Simulate(p, three)
		if last := steps[len(steps)-1]; last.Verdict != policy.GiveUp {
			t.Errorf("%s: %v in the end, want give up", name, last.Verdict)
		}
	}
}

// ToBackOff serves the Retry of each version, which stops where the policy gives up.
func TestToBackOff(t *testing.T) {
	rules := policy.Compose(policy.Exponential(time.Second, 2, time.Minute), policy.MaxCrashes(3, time.Hour))
	for name, retry := range map[string]func(b policy.BackOff, op func() (int, error)) error{
		"v4": func(b policy.BackOff, op func() (int, error)) error {
			return v4.Retry(func() error { _, err := op(); return err }, b)
		},
		"v5": func(b policy.BackOff, op func() (int, error)) error {
			_, err := v5.Retry(context.Background(), op, v5.WithBackOff(b))
			return err
		},
		"v6": func(b policy.BackOff, op func() (int, error)) error {
			_, err := v6.Retry(context.Background(), op, v6.WithBackOff(b))
			return err
		},
		"v7": func(b policy.BackOff, op func() (int, error)) error {
			_, err := v7.Retry(context.Background(), op, v7.WithBackOff(b))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := policy.ToBackOff(rules)
				for range 2 { // Retry resets what it was given
					var tried []time.Duration
					begin := time.Now()
					err := retry(b, func() (int, error) {
						tried = append(tried, time.Since(begin))
						return 0, errOther
					})
					if !errors.Is(err, errOther) {
						t.Errorf("Retry = %v, want %v", err, errOther)
					}
					if fmt.Sprint(tried) != "[0s 1s 3s 7s]" {
						t.Errorf("tried at %v, want 0s, 1s, 3s, 7s", tried)
					}
				}
			})
		})
	}
}
