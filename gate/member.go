package gate

// member is a gate as the Set it is in knows it. Set is generic, and Gate is
// not: this is what the one needs of the other.
type member interface {
	// enter is called at each event while the gate is locked, changed telling
	// whether the state is another. It takes no lock.
	enter(changed bool)
	// settle is called after it, when the gate has been unlocked.
	settle()
}
