// Package writes has a policy that changes its history in each way there might be.
// It does not compile.
package writes

import (
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

var _ policy.Policy = policy.Func(func(h policy.History) policy.Decision {
	h.Reset()
	h.Apply(policy.Decision{})
	h.Seed(1)
	h.Load(policy.Record{})
	h.ObserveCrash(time.Now(), errors.New("a crash of its own"))
	h.log = nil
	h.fresh = true
	h.Streak() = 1
	h.Fresh() = h
	return policy.Decision{}
})
