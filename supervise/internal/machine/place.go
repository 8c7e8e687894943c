package machine

// Stance is where a task stands with its supervisor.
type Stance uint8

const (
	// Waiting is a task that is to be started, in its turn.
	Waiting Stance = iota
	// Served is a task that a worker serves; it crashes and is restarted there.
	Served
	// Culprit is a served task that crashed, and for which its group is restarted: its
	// worker ends when the gate opens.
	Culprit
	// Halting is a task whose worker was asked to stop.
	Halting
	// Down is a task that is not to run.
	Down
	// Gone is the place of a task that was removed.
	Gone
)

var stances = [...]string{"waiting", "served", "culprit", "halting", "down", "gone"}

// String returns the stance in words.
func (s Stance) String() string { return name(stances[:], s, "stance") }

// Traits are what the supervisor has to know of a task, as a set.
type Traits uint8

const (
	// Slow tasks are ready when they say so, and those after them wait for that.
	Slow Traits = 1 << iota
	// Once is a task that is not restarted, and is forgotten when it has ended.
	Once
	// Significant tasks end the supervisor by their end.
	Significant
	// Optional tasks may give up without ending the supervisor.
	Optional
	// Dynamic tasks were added while the supervisor ran.
	Dynamic
)

// Has reports whether all of t are among the traits.
func (t Traits) Has(traits Traits) bool { return t&traits == traits }

// place is one task in the order of a supervisor.
type place struct {
	stance Stance
	fate   fate
	traits Traits
	ready  bool   // its worker has been ready once, or needs not say so
	story  bool   // it crashed, its worker has ended, and neither a run nor an end followed yet
	serial uint32 // of the last start
	wish   uint32 // of an operator, the last one
}

// serves reports whether a worker serves the task.
func (p *place) serves() bool {
	return p.stance == Served || p.stance == Culprit || p.stance == Halting
}

// fate is what follows when the worker of a task has ended. Of two wishes the one
// further down counts, except that the last wish of an operator does.
type fate uint8

const (
	open      fate = iota // nobody asked the worker to end: how it ends decides
	regrouped             // a start with its group, unless it ended by itself
	renewed               // a start, however it ended
	down                  // none
	forgotten             // none, and the task is forgotten
)
