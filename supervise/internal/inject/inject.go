// Package inject marks runs in which a fault was injected on purpose, so that the
// events about them say so.
package inject

import "context"

// Key is the key under which the context of a run has its Marker.
type Key struct{}

// Marker is a run that can be marked. Safe for concurrent use.
type Marker interface{ MarkInjected() }

// Mark marks the run that ctx belongs to. Outside a run it does nothing.
func Mark(ctx context.Context) {
	if m, ok := ctx.Value(Key{}).(Marker); ok {
		m.MarkInjected()
	}
}
