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

	next      int // no task before this index waits for its start
	last      int // no task after this index is to be stopped; while closing
	serving   int // tasks that a worker serves
	abandoned int // runs that have not returned
	gone      int // places of removed tasks

	grouping bool // several tasks are being restarted, those from the index from on
	from     int
	halted   int  // the one of them that was asked to stop; -1 for none
	settled  bool // all tasks were up once

	out []Effect
}

// mode is what the supervisor does.
type mode uint8

const (
	shut mode = iota // it does not run
	up
	closing
)

// Kind is what has happened to a supervisor, or to the task of an index.
type Kind uint8

const (
	// Open: Run begins.
	Open Kind = iota
	// Shutdown: all tasks are to stop.
	Shutdown
	// Crashed: a task crashed, and its worker waits at the gate. Not under OneForOne.
	Crashed
	// Ended: the worker of a task has ended; End says how.
	Ended
	// IsReady: a worker is ready; Serial says which.
	IsReady
	// Left: a run of a task was abandoned. Its worker has ended, too, unless Replaced.
	Left
	// Returned: a run that was abandoned has returned.
	Returned
	// StopTask: an operator wants a task to stop.
	StopTask
	// RenewTask: an operator wants a task to be started anew. With a Serial it is the
	// wish of a RenewWorker that found no worker.
	RenewTask
	// RemoveTask: an operator wants a task to stop and be forgotten.
	RemoveTask
)

var kinds = [...]string{"open", "shutdown", "crashed", "ended", "ready", "left", "returned", "stop", "renew", "remove"}

// String returns the kind in words.
func (k Kind) String() string { return name(kinds[:], k, "input") }

// Input is one thing that happened.
type Input struct {
	Kind   Kind
	End    End
	Index  int
	Serial uint32
}

// Do is a kind of effect.
type Do uint8

const (
	// Start a worker for the task, which has Serial.
	Start Do = iota
	// Halt the worker of the task; Why says for what.
	Halt
	// RenewWorker has the worker of the task begin a new run now. Serial is that of the wish.
	RenewWorker
	// Pardon a task on which the policy had given up: it starts from a clean slate.
	Pardon
	// Close the story of a task that crashed, and is not to run again.
	Close
	// Rested: the task has ended for good, as far as the supervisor knows.
	Rested
	// Forget the task, which has ended for good.
	Forget
	// Settled: all tasks are up, for the first time since Open.
	Settled
	// Begun to stop all tasks; Why says for what.
	Begun
	// Finish: no task is served any more.
	Finish
)

var dos = [...]string{"start", "halt", "renew", "pardon", "close", "rested", "forget", "settled", "begun", "finish"}

// String returns the effect in words.
func (d Do) String() string { return name(dos[:], d, "effect") }

// Why says for what a worker is halted, or all are.
type Why uint8

const (
	// Asked by an operator.
	Asked Why = iota
	// ForGroup: to be restarted with a task that crashed.
	ForGroup
	// ForShutdown of the supervisor.
	ForShutdown
	// ForGiveUp of a task.
	ForGiveUp
	// ForCompletion of a significant task.
	ForCompletion
	// ForAbandoned runs, of which there are too many.
	ForAbandoned
)

var whys = [...]string{"asked", "for its group", "for shutdown", "for a give-up", "for completion", "for abandoned runs"}

// String returns the reason in words.
func (w Why) String() string { return name(whys[:], w, "why") }

// Effect is one thing to be done. The effects of all steps are to be done in order.
type Effect struct {
	Do     Do
	Why    Why
	Index  int
	Serial uint32
}

// NewTree returns the machine of a supervisor that does not run and has no tasks.
func NewTree(c Config) *Tree { return &Tree{config: c} }

// Len returns how many places there are, those of removed tasks with them.
func (m *Tree) Len() int { return len(m.places) }

// Stance returns where a task stands.
func (m *Tree) Stance(index int) Stance { return m.places[index].stance }

// Rests reports whether a task has ended for good: it is not to run, or it was started by
// a run of the supervisor that is over.
func (m *Tree) Rests(index int) bool {
	p := &m.places[index]
	return p.stance == Down || p.stance == Gone || m.mode == shut && p.serial > 0
}

// Closing reports whether all tasks are being stopped.
func (m *Tree) Closing() bool { return m.mode == closing }

// Abandoned returns how many abandoned runs have not returned.
func (m *Tree) Abandoned() int { return m.abandoned }

// Blocker returns the index of the task for which one of index waits, or false if it
// waits for none: a task before it that is not ready, or one of its group.
func (m *Tree) Blocker(index int) (int, bool) {
	if m.places[index].stance != Waiting || m.mode != up {
		return 0, false
	}
	for i := range m.places {
		p := &m.places[i]
		inGroup := m.grouping && index >= m.from && i >= m.from
		if p.serves() && (inGroup || i < index && !p.ready) {
			return i, true
		}
	}
	return 0, false
}

// Wait is for what a supervisor waits.
type Wait uint8

const (
	// NoWait: for nothing.
	NoWait Wait = iota
	// ForReady: for a task to be ready, so that those after it can start.
	ForReady
	// ForStop: for a task to stop.
	ForStop
	// ForStops: for all tasks to stop.
	ForStops
)

// Waits returns for what the supervisor waits, and the index of the task, if it is one.
func (m *Tree) Waits() (what Wait, index int) {
	switch {
	case m.mode == closing && m.last < 0:
		return ForStops, 0
	case m.mode == closing:
		return ForStop, m.last
	case m.mode == up && m.grouping && m.halted >= 0:
		return ForStop, m.halted
	case m.mode == up && m.next < len(m.places)-1 && m.places[m.next].serves() && !m.places[m.next].ready:
		return ForReady, m.next
	}
	return NoWait, 0
}

// Halted returns the index of a task that was asked to stop and has not; -1 if there is
// none.
func (m *Tree) Halted() int {
	return slices.IndexFunc(m.places, func(p place) bool { return p.stance == Halting })
}

// Add adds a task, after all others, and returns its index and what is to be done.
func (m *Tree) Add(traits Traits) (int, []Effect) {
	m.out = m.out[:0]
	if m.mode != shut {
		traits |= Dynamic
	}
	m.places = append(m.places, place{traits: traits})
	m.advance()
	return len(m.places) - 1, m.out
}

// Compact closes the gaps of removed tasks if they are more than half, and reports
// whether it did: then the indices of the others have moved up.
func (m *Tree) Compact() bool {
	if m.gone <= len(m.places)/2 || m.grouping || m.mode == closing {
		return false
	}
	m.places = slices.DeleteFunc(m.places, func(p place) bool { return p.stance == Gone })
	m.gone, m.next = 0, 0
	return true
}

// Step takes in what happened, and returns what is to be done; that is valid until
// the next call.
func (m *Tree) Step(in Input) []Effect {
	m.out = m.out[:0]
	switch in.Kind {
	case Open:
		m.open()
	case Shutdown:
		m.close(ForShutdown, 0)
	case Returned:
		m.abandoned--
	case Left:
		m.left()
	default:
		if p := &m.places[in.Index]; p.stance != Gone {
			m.take(in, p)
		}
	}
	m.advance()
	return m.out
}

func (m *Tree) do(d Do, why Why, index int) {
	m.out = append(m.out, Effect{Do: d, Why: why, Index: index, Serial: m.places[index].serial})
}

func (m *Tree) open() { m.mode, m.next, m.settled = up, 0, false }

func (m *Tree) left() {
	m.abandoned++
	if limit := m.config.MaxAbandoned; limit > 0 && m.abandoned > limit {
		m.close(ForAbandoned, 0)
	}
}

// take is Step for what is about one task.
func (m *Tree) take(in Input, p *place) {
	switch in.Kind {
	case Crashed:
		if p.stance == Served {
			m.crashed(in.Index, p)
		}
	case IsReady:
		if p.serves() && p.serial == in.Serial {
			p.ready = true
		}
	case Ended:
		if p.serves() {
			m.ended(in.Index, p, in.End)
		}
	case StopTask:
		p.wish++
		m.halt(in.Index, p, Asked, Down)
	case RemoveTask:
		p.wish++
		m.halt(in.Index, p, Asked, Gone)
	case RenewTask:
		m.renew(in.Index, p, in.Serial)
	}
}

// crashed begins the restart of the group of a task, or has the task join one.
func (m *Tree) crashed(index int, p *place) {
	if m.mode != up {
		return
	}
	p.culprit = true
	from := index
	if m.config.Strategy == OneForAll {
		from = 0
	}
	if m.grouping {
		from = min(from, m.from)
	}
	m.grouping, m.from = true, from
}

// halt has a task stop, and stand as then after that.
func (m *Tree) halt(index int, p *place, why Why, then Stance) {
	switch p.stance {
	case Served:
		p.stance, p.then = Halting, then
		m.do(Halt, why, index)
	case Halting:
		if why != ForGroup {
			p.then, p.again = max(then, p.then), false
		}
	default:
		m.rest(index, p, then)
	}
}

// rest has a task without a worker not run.
func (m *Tree) rest(index int, p *place, then Stance) {
	if p.open {
		p.open = false
		m.do(Close, Asked, index)
	}
	p.culprit = false
	if then == Gone {
		p.stance = Gone
		m.gone++
		m.do(Forget, Asked, index)
		return
	}
	p.stance = Down
	m.do(Rested, Asked, index)
}

// renew has a task started anew. A wish that is not 0 is one that came back: the worker
// which was to fulfil it had ended already.
func (m *Tree) renew(index int, p *place, wish uint32) {
	switch {
	case m.mode == closing:
		return
	case wish == 0:
		p.wish++
	case wish != p.wish: // another one came since
		return
	}
	switch {
	case p.stance == Served && wish == 0:
		m.out = append(m.out, Effect{Do: RenewWorker, Index: index, Serial: p.wish})
	case p.stance == Halting && p.then != Gone:
		p.then, p.again = Waiting, true
	case p.stance == Down:
		m.do(Pardon, Asked, index)
		m.await(index, p)
	}
}

func (m *Tree) await(index int, p *place) {
	p.stance = Waiting
	m.next = min(m.next, index)
}

// ended records that the worker of a task has ended.
func (m *Tree) ended(index int, p *place, how End) {
	asked, then, again := p.stance == Halting, p.then, p.again
	byItself := how >= Completed
	m.serving--
	p.culprit, p.again = false, false
	p.open = how == Opened
	p.stance = Down
	switch {
	case m.mode == closing || asked && then == Gone:
		if byItself && p.traits.Has(Once) {
			then = Gone
		}
		m.rest(index, p, then)
		return
	case again:
		if how == GaveUp {
			m.do(Pardon, Asked, index)
		}
		m.await(index, p)
		return
	case asked && then == Down || !asked && how == Stopped:
	case asked && !byItself || how == Renewed || how == Opened:
		m.await(index, p)
		return
	case how == GaveUp && !p.traits.Has(Optional):
		m.close(ForGiveUp, index)
	case how != GaveUp || m.config.AllSignificant:
		m.complete(index, p)
	}
	if p.traits.Has(Once) {
		m.rest(index, p, Gone)
	} else {
		m.rest(index, p, Down)
	}
}

// complete records that a task has ended by itself for good.
func (m *Tree) complete(index int, p *place) {
	if !p.traits.Has(Significant) {
		return
	}
	if m.config.AllSignificant {
		for i := range m.places {
			other := &m.places[i]
			if other.traits.Has(Significant) && (other.serves() || other.stance == Waiting) {
				return
			}
		}
	}
	m.close(ForCompletion, index)
}

// close has all tasks stop. Only the first reason counts.
func (m *Tree) close(why Why, index int) {
	if m.mode != up {
		return
	}
	m.mode, m.last, m.grouping = closing, len(m.places)-1, false
	m.out = append(m.out, Effect{Do: Begun, Why: why, Index: index})
}
