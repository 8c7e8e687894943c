package machine

import "slices"

// Strategy says which tasks are restarted when one crashes.
type Strategy uint8

const (
	// OneForOne restarts the one that crashed.
	OneForOne Strategy = iota
	// OneForAll restarts all.
	OneForAll
	// RestForOne restarts the one that crashed and those after it.
	RestForOne
)

// Config is what does not change of a supervisor.
type Config struct {
	Strategy       Strategy
	Unordered      bool // all are stopped at once
	AllSignificant bool // all significant tasks must have ended, not one
	DropDynamic    bool // those that were added while it ran are forgotten when it ends
	MaxAbandoned   int  // 0: any number
}

// Tree is the machine of one supervisor. Tasks are known by their index in start order.
//
// Whatever happened, a Step ends with what can be done next towards what is wanted, as
// a controller reconciles; so no order of inputs can leave a task behind.
type Tree struct {
	config Config
	places []place
	mode   mode

	next int // no task before this index waits, and those before it that run are ready
	last int // no task after this index is still to be asked to stop; while grouping or closing
	from int // the first task of the group; while grouping

	stand       [Gone + 1]int // how many tasks have each stance
	significant int           // tasks that are, and are neither Down nor Gone
	abandoned   int           // runs that have not returned
	settled     bool          // all tasks were up once

	out []Effect
}

// mode is what the supervisor does.
type mode uint8

const (
	shut     mode = iota // it does not run
	up                   // it starts what waits
	grouping             // it restarts all tasks from an index on, and starts what waits before
	closing              // it stops all
)

// NewTree returns the machine of a supervisor that does not run and has no tasks.
func NewTree(c Config) *Tree { return &Tree{config: c} }

// Len returns how many places there are, those of removed tasks with them.
func (m *Tree) Len() int { return len(m.places) }

// Stance returns where a task stands.
func (m *Tree) Stance(index int) Stance { return m.places[index].stance }

// Closing reports whether all tasks are being stopped.
func (m *Tree) Closing() bool { return m.mode == closing }

// Abandoned returns how many abandoned runs have not returned.
func (m *Tree) Abandoned() int { return m.abandoned }

// Blocker returns the index of the task for which one of index waits, or false if it
// waits for none: the task before it that is not ready, or one of its group that has
// not ended yet.
func (m *Tree) Blocker(index int) (int, bool) {
	switch {
	case m.places[index].stance != Waiting || !m.running():
		return 0, false
	case m.mode == grouping && index >= m.from:
		return m.from + slices.IndexFunc(m.places[m.from:], func(p place) bool { return p.serves() }), true
	}
	return m.next, true
}

// Add adds a task, after all others, and returns its index and what is to be done. One
// that is added while all are stopped waits for the next Open.
func (m *Tree) Add(traits Traits) (int, []Effect) {
	m.clear()
	if m.mode != shut {
		traits |= Dynamic
	}
	m.places = append(m.places, place{traits: traits})
	m.stand[Waiting]++
	if traits.Has(Significant) {
		m.significant++
	}
	m.advance()
	return len(m.places) - 1, m.out
}

// Compact closes the gaps of removed tasks if they are more than half, and reports
// whether it did: then the indices of the others have moved up.
func (m *Tree) Compact() bool {
	if m.stand[Gone] <= len(m.places)/2 || m.mode == closing {
		return false
	}
	next, from := m.next, m.from
	for i := range m.places {
		if m.places[i].stance == Gone && i < next {
			m.next--
		}
		if m.places[i].stance == Gone && i < from {
			m.from--
		}
	}
	m.places = slices.DeleteFunc(m.places, func(p place) bool { return p.stance == Gone })
	m.last, m.stand[Gone] = len(m.places)-1, 0
	return true
}

// Step takes in what happened, and returns what is to be done; that is valid until
// the next call.
func (m *Tree) Step(in Input) []Effect {
	m.clear()
	switch in.Kind {
	case Open:
		m.open()
	case Shutdown:
		m.close(ForShutdown, 0)
	case Returned:
		m.abandoned--
	case Left:
		m.abandoned++
		m.bound()
	default:
		if p := &m.places[in.Index]; p.stance != Gone {
			m.take(in, p)
		}
	}
	m.advance()
	return m.out
}

// clear forgets the effects of the last Step. The room for very many is given back: they
// are rare, and there may be nothing to do for days.
func (m *Tree) clear() {
	m.out = m.out[:0]
	if cap(m.out) > 256 {
		m.out = nil
	}
}

func (m *Tree) do(d Do, why Why, index int) {
	m.out = append(m.out, Effect{Do: d, Why: why, Index: index, Serial: m.places[index].serial})
}

// move has a task stand elsewhere.
func (m *Tree) move(p *place, to Stance) {
	if p.traits.Has(Significant) {
		if p.stance < Down {
			m.significant--
		}
		if to < Down {
			m.significant++
		}
	}
	m.stand[p.stance]--
	m.stand[to]++
	p.stance = to
}

func (m *Tree) running() bool { return m.mode == up || m.mode == grouping }

func (m *Tree) serving() int { return m.stand[Served] + m.stand[Culprit] + m.stand[Halting] }

func (m *Tree) open() {
	if m.mode == shut {
		m.mode, m.next, m.settled = up, 0, false
		m.bound()
	}
}

// bound ends the supervisor if there are too many abandoned runs.
func (m *Tree) bound() {
	if limit := m.config.MaxAbandoned; limit > 0 && m.abandoned > limit {
		m.close(ForAbandoned, 0)
	}
}

// close has all tasks stop. Only the first reason counts.
func (m *Tree) close(why Why, index int) {
	if m.running() {
		m.mode, m.last = closing, len(m.places)-1
		m.out = append(m.out, Effect{Do: Begun, Why: why, Index: index})
	}
}
