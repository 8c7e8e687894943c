package otelgate

import (
	"reflect"
	"sync/atomic"
)

// silence remembers that a provider gave nothing to record with, so that not
// every crash needs to ask it. It is over when the global provider is replaced:
// the one that gave nothing may have been its placeholder, which is alive then.
// Safe for concurrent use.
type silence struct {
	global func() any // the provider that is the global one now
	since  atomic.Pointer[any]
}

// holds reports whether there is nothing to record with.
func (s *silence) holds() bool {
	p := s.since.Load()
	return p != nil && *p == s.global()
}

// fall begins the silence.
func (s *silence) fall() {
	if p := s.global(); reflect.ValueOf(p).Comparable() {
		s.since.Store(&p)
	}
}
