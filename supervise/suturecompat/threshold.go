package suturecompat

import (
	"fmt"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

const (
	// mostFailures is the highest threshold that is counted up to, as each crash adds over all before it.
	mostFailures = 1_000
	// halfLives is after how many of them a failure counts for nothing: a millionth.
	halfLives = 20
)

// Threshold is the policy of a suture.Spec for each task by itself: a task that crashes is
// restarted at once, until its count of failures is above failures; then it is held for
// backoff, and the count starts anew. The count grows by one with each crash, and halves
// with each decay that passes.
//
//	suture                                     here
//	FailureThreshold, FailureDecay (seconds)   failures, decay
//	FailureBackoff                             backoff
//	DefaultJitter, up to half as long again    policy.Compose(Threshold(…), policy.Spread(0.5))
//	all zero: its defaults                     Threshold(5, 30*time.Second, 15*time.Second)
//
// In suture the count and the hold are those of the supervisor: one service that keeps
// crashing holds the restarts of all. A threshold above 1,000, such as that of
// [math.MaxFloat64], is never reached, and a task that fails at once spins.
//
// It is here so that behaviour does not change with the library; [policy.Default] holds
// longer what stays broken. It panics if failures is negative or no number, or decay or
// backoff is not positive.
func Threshold(failures float64, decay, backoff time.Duration) policy.Policy {
	switch {
	case failures < 0 || math.IsNaN(failures):
		panic(fmt.Sprintf("suturecompat: Threshold: failures (%v) is not a number from 0 up; 0 holds after each crash", failures))
	case decay <= 0:
		panic(fmt.Sprintf("suturecompat: Threshold: decay (%v) is not positive; suture's default is 30s", decay))
	case backoff <= 0:
		panic(fmt.Sprintf("suturecompat: Threshold: backoff (%v) is not positive; suture's default is 15s", backoff))
	}
	return &threshold{failures, decay, backoff}
}

type threshold struct {
	failures       float64
	decay, backoff time.Duration
}

// String returns the rule with its figures.
func (p *threshold) String() string {
	return fmt.Sprintf("Threshold(above %g, halved each %v: %v)", p.failures, p.decay, p.backoff)
}

// Decide returns whether the task is held after the crash at hand.
func (p *threshold) Decide(h policy.History) policy.Decision {
	if h.Err() == nil {
		return policy.Decision{}
	}
	over := h.Trips() > 0 && !h.Looping() // the hold is over: the count starts anew
	if over {
		h = h.Fresh()
	}
	d := policy.Decision{Fresh: over}
	if h.Looping() || p.exceeded(h) {
		d.Verdict, d.Delay = policy.CrashLooping, p.backoff
	}
	return d
}

// exceeded reports whether the count is above the threshold. The count, which suture keeps
// by c = c/2^(t/decay) + 1, is the sum of 1/2^(age/decay) over all crashes.
func (p *threshold) exceeded(h policy.History) bool {
	if p.failures > mostFailures {
		return false
	}
	// A decay with more than 2c+2 crashes leaves a count above c, and the slate is wiped
	// then. So those of the last halfLives are among this many.
	most := halfLives * (2*int(p.failures) + 4)
	_, _ = h.Since(most) // the same look back at every crash
	count := 0.0
	for k := 1; k <= most; k++ {
		age, ok := h.Since(k)
		if !ok || float64(age) > halfLives*float64(p.decay) {
			break
		}
		count += math.Exp2(-float64(age) / float64(p.decay))
		if count > p.failures {
			return true
		}
	}
	return false
}
