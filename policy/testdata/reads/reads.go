// Package reads has a policy that asks its history for all there is, and compiles.
package reads

import "github.com/holdfast-go/holdfast/policy"

var _ policy.Policy = policy.Func(func(h policy.History) policy.Decision {
	since, _ := h.Since(h.Streak())
	return policy.Decision{Delay: h.Ran() + h.LastDelay() + since + h.Now().Sub(h.Fresh().Now())}
})
