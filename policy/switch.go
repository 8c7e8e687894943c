package policy

import "sync/atomic"

// Switch is a policy that can be exchanged for another while gates use it, as when a
// program reloads its configuration. Histories stay as they are, since a policy has
// no state; a rule that looks further back than those before it sees what is still
// kept. A hold that has begun stays as it is, too.
//
// The zero value is [Default] until [Switch.Set]. A Switch must not be copied.
// Safe for concurrent use.
type Switch struct{ current atomic.Pointer[Policy] }

// NewSwitch returns a switch that stands at p; nil is [Default].
func NewSwitch(p Policy) *Switch {
	s := &Switch{}
	s.Set(p)
	return s
}

// Set has p decide from the next decision on, and returns the policy before; a nil
// p is [Default]. A decision under way is still the old one's. Set panics if p is
// the switch itself or contains it.
func (s *Switch) Set(p Policy) (before Policy) {
	if p == nil {
		p = Default()
	}
	if left := maxLayers; contains(p, s, &left) {
		panic("policy: Switch: Set: the policy contains this switch, which would ask itself forever; give another")
	}
	if old := s.current.Swap(&p); old != nil {
		return *old
	}
	return Default()
}

// maxLayers ends the walk through a policy that contains itself.
const maxLayers = 1000

// contains reports whether p is or wraps s, as far as that can be seen.
func contains(p Policy, s *Switch, left *int) bool {
	for ; p != nil && *left > 0; p = unwrap(p) {
		*left--
		if p == Policy(s) {
			return true
		}
		if m, ok := p.(*match); ok && contains(m.other, s, left) {
			return true
		}
	}
	return false
}

// unwrap returns what p wraps, or nil.
func unwrap(p Policy) Policy {
	if w, ok := p.(interface{ Unwrap() Policy }); ok {
		return w.Unwrap()
	}
	return nil
}

// Policy returns the policy that decides.
func (s *Switch) Policy() Policy {
	if p := s.current.Load(); p != nil {
		return *p
	}
	return Default()
}

// Decide returns what the present policy decides.
func (s *Switch) Decide(h History) Decision { return s.Policy().Decide(h) }

// Unwrap returns the present policy.
func (s *Switch) Unwrap() Policy { return s.Policy() }

// String returns the present policy in words.
func (s *Switch) String() string { return printed(s) }

func (s *Switch) rule() string { return "Switch" }
