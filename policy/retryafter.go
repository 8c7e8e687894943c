package policy

import (
	"fmt"
	"time"
)

// RetryAfter honours an error that says how long to wait: the hold is at least that
// long, though no more than max of it is believed, and never shorter than the inner
// policy's. An error says so that is or wraps
//
//   - one with a method RetryAfter() time.Duration;
//   - one made by backoff.RetryAfter of github.com/cenkalti/backoff, in any version
//     that has it, which is recognised by its shape: a struct named RetryAfterError
//     with a field Duration.
//
// A server that answers 503 with a Retry-After header is the common source.
// RetryAfter panics if max is not positive.
func RetryAfter(max time.Duration) Decorator {
	if err := checkRetryAfter(max); err != nil {
		panic(err)
	}
	return func(inner Policy) Policy { return &retryAfter{mustPolicy("RetryAfter", inner), max} }
}

type retryAfter struct {
	inner Policy
	max   time.Duration
}

func (p *retryAfter) Unwrap() Policy { return p.inner }

func (p *retryAfter) String() string { return printed(p) }
func (p *retryAfter) rule() string   { return "RetryAfter(≤ " + short(p.max) + ")" }

func (p *retryAfter) Decide(h History) Decision {
	d := p.inner.Decide(h)
	if d.Verdict != GiveUp && h.Err() != nil {
		d.Delay = max(d.Delay, min(asked(h.Err()), p.max))
	}
	return d
}

// asked returns how long err asks to wait, 0 if it does not.
func asked(err error) time.Duration {
	for e := range errorTree(err) {
		if r, ok := e.(interface{ RetryAfter() time.Duration }); ok {
			return r.RetryAfter()
		}
		if s, ok := structOf(e); ok && s.Type().Name() == "RetryAfterError" && hasField(s, "Duration", durationType) {
			return time.Duration(s.FieldByName("Duration").Int())
		}
	}
	return 0
}

func checkRetryAfter(max time.Duration) error {
	if max <= 0 {
		return fmt.Errorf("policy: retry_after_max (%v) is not positive; raise it, it bounds what an error may ask for", max)
	}
	return nil
}
