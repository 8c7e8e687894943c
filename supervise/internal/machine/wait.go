package machine

import "slices"

// Wait is for what a supervisor waits.
type Wait uint8

const (
	// NoWait is for nothing.
	NoWait Wait = iota
	// ForReady is for a task to be ready, so that those after it can start.
	ForReady
	// ForStop is for a task to stop.
	ForStop
	// ForStops is for several tasks to stop.
	ForStops
)

// Waits returns for what the supervisor waits, and the index of the task, if it is one.
func (m *Tree) Waits() (what Wait, index int) {
	switch {
	case m.mode == closing && m.config.Unordered && m.stand[Halting] > 0:
		return ForStops, 0
	case (m.mode == closing || m.mode == grouping) && m.last >= 0 && m.places[m.last].stance == Halting:
		return ForStop, m.last
	case m.stand[Halting] > 0:
		return ForStops, 0
	case m.running() && m.next < len(m.places)-1 && m.places[m.next].serves() && !m.places[m.next].ready:
		return ForReady, m.next
	}
	return NoWait, 0
}

// Halted returns the index of a task that was asked to stop and has not; -1 if there is
// none.
func (m *Tree) Halted() int {
	return slices.IndexFunc(m.places, func(p place) bool { return p.stance == Halting })
}

// Rests reports whether a task has ended for good: it is not to run, or it was started by
// a run of the supervisor that is over.
func (m *Tree) Rests(index int) bool {
	p := &m.places[index]
	return p.stance == Down || p.stance == Gone || m.mode == shut && p.serial > 0
}
