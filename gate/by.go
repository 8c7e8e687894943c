package gate

// By is who opened or paused a gate by hand, and why. Both are words for people; they
// go with the [Transition] into events, logs and traces. The zero value is nobody in
// particular.
type By struct {
	Who string `json:"who,omitzero"` // such as a person, or the name of a program
	Why string `json:"why,omitzero"`
}

// String returns such as "ann: the database is back".
func (b By) String() string {
	if b.Who == "" || b.Why == "" {
		return b.Who + b.Why
	}
	return b.Who + ": " + b.Why
}

// first returns the optional argument of the methods that are called by hand. It is
// optional since a program that releases its own gates has nobody to name.
func first(by []By) By {
	if len(by) == 0 {
		return By{}
	}
	return by[0]
}
