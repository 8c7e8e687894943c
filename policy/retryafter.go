package policy

import (
	"errors"
	"fmt"
	"time"
)

// RetryAfter honours an error that says how long to wait: one that has, or
// wraps an error that has, a method RetryAfter() time.Duration. The hold is at
// least that long, though no more than max of it is believed; it is never
// shorter than the inner policy's. A server that answers 503 with a Retry-After
// header is the common source. RetryAfter panics if max is not positive.
func RetryAfter(max time.Duration) Decorator {
	if max <= 0 {
		panic(fmt.Sprintf("policy: RetryAfter: max (%v) is not positive; raise it, it bounds what an error may ask for", max))
	}
	return func(inner Policy) Policy { return &retryAfter{mustPolicy("RetryAfter", inner), max} }
}

type retryAfter struct {
	inner Policy
	max   time.Duration
}

func (p *retryAfter) Unwrap() Policy { return p.inner }

func (p *retryAfter) Decide(h *History) Decision {
	d := p.inner.Decide(h)
	var asked interface{ RetryAfter() time.Duration }
	if d.Verdict != GiveUp && errors.As(h.Err(), &asked) {
		d.Delay = max(d.Delay, min(asked.RetryAfter(), p.max))
	}
	return d
}
