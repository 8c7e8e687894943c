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
		{"permanent", backoff.Permanent(errCrash), giveUp},
		{"wrapped permanent", fmt.Errorf("poll: %w", backoff.Permanent(errCrash)), giveUp},
		{"joined permanent", errors.Join(errCrash, backoff.Permanent(errCrash)), giveUp},
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

func TestPermanentErrorsWithoutTargets(t *testing.T) {
	k := newTask(t, policy.PermanentErrors()(policy.Constant(time.Second)))
	k.wantCrash(0, hold(1))
	if got := k.fail(1, backoff.Permanent(errCrash)); got != giveUp {
		t.Errorf("a permanent error: %v, want give up", got)
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
