package policy_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// busy is the error of a server that says when to come back.
type busy time.Duration

func (b busy) Error() string             { return "503 Service Unavailable" }
func (b busy) RetryAfter() time.Duration { return time.Duration(b) }

func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		name  string
		err   error
		inner policy.Decision
		want  policy.Decision
	}{
		{"longer", busy(sec(30)), hold(1), hold(30)},
		{"wrapped", fmt.Errorf("poll: %w", busy(sec(30))), hold(1), hold(30)},
		{"shorter", busy(sec(30)), hold(40), hold(40)},
		{"at the max", busy(sec(60)), hold(1), hold(60)},
		{"above the max", busy(math.MaxInt64), hold(1), hold(60)},
		{"above the max, inner longer still", busy(math.MaxInt64), hold(70), hold(70)},
		{"negative", busy(-5), hold(1), hold(1)},
		{"silent", errCrash, hold(1), hold(1)},
		{"crash loop", busy(sec(30)), loop(10), loop(30)},
		{"longer crash loop", busy(sec(30)), loop(300), loop(300)},
		{"gives up", busy(sec(30)), giveUp, giveUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			inner := policy.Func(func(policy.History) policy.Decision { return test.inner })
			k := newTask(t, policy.RetryAfter(time.Minute)(inner))
			if got := k.fail(0, test.err); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			k.wantExit(1, test.inner)
		})
	}
}

func TestRetryAfterPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: retry_after_max (0s) is not positive; raise it, it bounds what an error may ask for": func() { policy.RetryAfter(0) },
		"policy: RetryAfter: the policy is nil; policy.Default() is a good one":                       func() { policy.RetryAfter(1)(nil) },
	} {
		wantPanic(t, want, f)
	}
}
