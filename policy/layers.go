package policy

import "iter"

// layers yields p and all that it wraps, outermost first, as far as that can be
// seen: by a method Unwrap() Policy, and the other policy of Match.
func layers(p Policy) iter.Seq[Policy] {
	return func(yield func(Policy) bool) {
		left := maxLayers
		walk(p, yield, &left)
	}
}

// maxLayers ends the walk through a policy that contains itself.
const maxLayers = 1000

func walk(p Policy, yield func(Policy) bool, left *int) bool {
	for p != nil && *left > 0 {
		*left--
		if !yield(p) {
			return false
		}
		if m, ok := p.(*match); ok && !walk(m.other, yield, left) {
			return false
		}
		p = unwrap(p)
	}
	return true
}

// unwrap returns what p wraps, or nil.
func unwrap(p Policy) Policy {
	if w, ok := p.(interface{ Unwrap() Policy }); ok {
		return w.Unwrap()
	}
	return nil
}
