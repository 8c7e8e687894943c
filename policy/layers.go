package policy

import "iter"

// layers yields p and all that it wraps, outermost first, as far as that can be
// seen: by a method Unwrap() Policy, and the other policy of Match.
func layers(p Policy) iter.Seq[Policy] {
	return func(yield func(Policy) bool) { walk(p, yield, maxLayers) }
}

// maxLayers ends the walk through a policy that contains itself.
const maxLayers = 1000

func walk(p Policy, yield func(Policy) bool, most int) bool {
	if p == nil || most == 0 {
		return true
	}
	if !yield(p) {
		return false
	}
	if m, ok := p.(*match); ok && !walk(m.other, yield, most-1) {
		return false
	}
	if w, ok := p.(interface{ Unwrap() Policy }); ok {
		return walk(w.Unwrap(), yield, most-1)
	}
	return true
}
