package policy_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

var errConfig = errors.New("bad configuration")

func isConfig(err error) bool { return errors.Is(err, errConfig) }

func TestMatch(t *testing.T) {
	k := newTask(t, policy.Match(isConfig, policy.Steps(time.Minute, 2*time.Minute, 3*time.Minute))(policy.Exponential(time.Second, 2, time.Hour)))
	k.wantCrash(0, hold(1))
	if got := k.fail(1, fmt.Errorf("start: %w", errConfig)); got != hold(120) {
		t.Errorf("an error that matches: %v, want the second step: the streak is one", got)
	}
	k.wantCrash(2, hold(4))
}

func TestMatchIsNotAskedAboutCleanExits(t *testing.T) {
	k := newTask(t, policy.Match(func(err error) bool {
		if err == nil {
			t.Error("asked about nil")
		}
		return true
	}, policy.Constant(time.Hour))(policy.Constant(time.Second)))
	k.wantExit(0, hold(1))
	k.wantCrash(1, hold(3600))
	k.wantExit(2, hold(1))
}

func TestMatchPanics(t *testing.T) {
	base := policy.Constant(1)
	for want, f := range map[string]func(){
		"policy: Match: pred is nil; give the function that says which errors match": func() { policy.Match(nil, base) },
		"policy: Match: the policy is nil; policy.Default() is a good one":           func() { policy.Match(isConfig, nil) },
	} {
		wantPanic(t, want, f)
	}
	wantPanic(t, "policy: Match: the policy is nil; policy.Default() is a good one", func() { policy.Match(isConfig, base)(nil) })
}
