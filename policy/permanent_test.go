package policy_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

// fatal is an error that says itself whether it is permanent.
type fatal bool

func (f fatal) Error() string   { return "fatal" }
func (f fatal) Permanent() bool { return bool(f) }

// PermanentError is an error of some other library of the same shape as backoff's.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return "permanent: " + e.Err.Error() }

// RetryError has a name of backoff's, but is of another package.
type RetryError struct{ Cause error }

func (e *RetryError) Error() string { return "retry" }

func TestPermanentErrors(t *testing.T) {
	targets := []error{errConfig, fs.ErrNotExist}
	p := policy.PermanentErrors(targets...)(policy.Constant(time.Second))
	targets[0] = errCrash
	_, notThere := os.Open("testdata/no such file")
	for _, test := range []struct {
		name string
		err  error
		want policy.Decision
	}{
		{"any other", errCrash, hold(1)},
		{"permanent", policy.Permanent(errCrash), giveUp},
		{"wrapped permanent", fmt.Errorf("poll: %w", policy.Permanent(errCrash)), giveUp},
		{"joined permanent", errors.Join(errCrash, policy.Permanent(errCrash)), giveUp},
		{"two wrapped, one permanent", fmt.Errorf("%w and %w", errCrash, policy.Permanent(errCrash)), giveUp},
		{"says it is", fatal(true), giveUp},
		{"says it is not", fatal(false), hold(1)},
		{"says it is not, wraps one that is", errors.Join(fatal(false), fatal(true)), giveUp},
		{"backoff v4", backoff.Permanent(errCrash), giveUp},
		{"of backoff's shape", &PermanentError{errCrash}, giveUp},
		{"nil of backoff's shape", (*PermanentError)(nil), hold(1)},
		{"of a name of backoff's", &RetryError{errors.New("backoff: permanent error")}, hold(1)},
		{"target", errConfig, giveUp},
		{"wrapped target", fmt.Errorf("start: %w", errConfig), giveUp},
		{"target by its Is method", notThere, giveUp},
		{"same text as a target", errors.New(errConfig.Error()), hold(1)},
		{"not a target", context.Canceled, hold(1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := newTask(t, p)
			if got := k.fail(0, test.err); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			k.wantExit(1, hold(1))
		})
	}
}

// mirror is not comparable, which errors.Is takes care of.
type mirror struct{ _ []int }

func (mirror) Error() string { return "mirror" }

func TestPermanentErrorsThatCannotBeCompared(t *testing.T) {
	p := policy.PermanentErrors(mirror{})(policy.Constant(time.Second))
	if got := newTask(t, p).fail(0, mirror{}); got != hold(1) {
		t.Errorf("%v, want what errors.Is says: it is another", got)
	}
}

func TestPermanentErrorsWithoutTargets(t *testing.T) {
	k := newTask(t, policy.PermanentErrors()(policy.Constant(time.Second)))
	k.wantCrash(0, hold(1))
	if got := k.fail(1, policy.Permanent(errCrash)); got != giveUp {
		t.Errorf("a permanent error: %v, want give up", got)
	}
}

func TestPermanent(t *testing.T) {
	if err := policy.Permanent(nil); err != nil {
		t.Errorf("Permanent(nil) = %v, want nil", err)
	}
	err := policy.Permanent(fmt.Errorf("start: %w", errConfig))
	if err.Error() != "start: bad configuration" || !errors.Is(err, errConfig) {
		t.Errorf("%v does not wrap what it was made of", err)
	}
}

func TestPermanentErrorsPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: PermanentErrors: error 2 is nil; leave it out":                      func() { policy.PermanentErrors(errCrash, nil) },
		"policy: PermanentErrors: the policy is nil; policy.Default() is a good one": func() { policy.PermanentErrors()(nil) },
	} {
		wantPanic(t, want, f)
	}
}
