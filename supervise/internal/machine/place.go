package machine

// Stance is where a task stands with its supervisor.
type Stance uint8

const (
	// Waiting is a task that is to be started, in its turn.
	Waiting Stance = iota
	// Served is a task that a worker serves; it crashes and is restarted there.
	Served
	// Halting is a task whose worker was asked to stop.
	Halting
	// Down is a task that is not to run.
	Down
	// Gone is the place of a task that was removed.
	Gone
)

var stances = [...]string{"waiting", "served", "halting", "down", "gone"}

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
	stance  Stance
	then    Stance // what follows Halting: Waiting, Down or Gone
	traits  Traits
	ready   bool   // its worker has been ready once, or needs not say so
	culprit bool   // it crashed, its group is restarted for it, and its gate is not open yet
	again   bool   // an operator wants a new run after Halting, whatever the end
	open    bool   // its story: it crashed, and neither a run nor an end followed yet
	serial  uint32 // of the last start
	wish    uint32 // of an operator, the last one
}

// serves reports whether a worker serves the task.
func (p *place) serves() bool { return p.stance == Served || p.stance == Halting }

// End is how a worker has ended.
type End uint8

const (
	// Stopped as it was asked to.
	Stopped End = iota
	// Renewed: stopped, to be started again.
	Renewed
	// Opened: it crashed, its hold is over, and its group is to be started.
	Opened
	// Completed by a clean exit.
	Completed
	// Failed by a crash after which no run follows.
	Failed
	// GaveUp: the policy did.
	GaveUp
)

var ends = [...]string{"stopped", "renewed", "opened", "completed", "failed", "gave up"}

// String returns the end in words.
func (e End) String() string { return name(ends[:], e, "end") }
