package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cenkalti/backoff/v4"
)

// PermanentErrors gives up at once on an error that no restart can cure: one
// that wraps a *[backoff.PermanentError] (made by [backoff.Permanent]), or any
// of errs as [errors.Is] sees it. It panics if one of errs is nil.
func PermanentErrors(errs ...error) Decorator {
	for i, err := range errs {
		if err == nil {
			panic(fmt.Sprintf("policy: PermanentErrors: error %d is nil; leave it out", i+1))
		}
	}
	errs = slices.Clone(errs)
	return func(inner Policy) Policy { return &permanentErrors{mustPolicy("PermanentErrors", inner), errs} }
}

type permanentErrors struct {
	inner Policy
	errs  []error
}

func (p *permanentErrors) Unwrap() Policy { return p.inner }

func (p *permanentErrors) Decide(h *History) Decision {
	if p.permanent(h.Err()) {
		return Decision{Verdict: GiveUp}
	}
	return p.inner.Decide(h)
}

func (p *permanentErrors) permanent(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*backoff.PermanentError](err); ok {
		return true
	}
	return slices.ContainsFunc(p.errs, func(target error) bool { return errors.Is(err, target) })
}
