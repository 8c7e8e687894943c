// Package gate decides whether a task that keeps crashing may start. Each task has a
// gate. It learns what happens to the task, and is open or held until an instant.
//
//	g := gate.New(policy.Default())
//	…
//	if g.TryStart(time.Now()) {
//		start(daemon)
//	}
//	…
//	g.ObserveCrash(time.Now(), err) // holds the gate as long as the policy says
//
// A gate is in one of five phases:
//
//	           crash, if the policy holds the task
//	Idle ────────────┬─────────────────────┬───────────────────┐
//	 ▲               ▼                     ▼                   ▼
//	 │          BackingOff            CrashLooping           GaveUp
//	 │               │                     │                   │
//	 ├─ time is up ──┴─────────────────────┤                   │
//	 │                                     │                   │
//	 ├─ start, clean exit, ForceRelease, ──┴───────────────────┘
//	 │  Probe
//	 │
//	 └─ start, ForceRelease, Probe ────── Paused ◄── Pause, from any phase
//
// No time opens a gate that gave up or is paused. A paused one stays so whatever its
// task does, and however often the process restarts, until somebody opens it by hand or
// starts the task. There are two ways to open a gate by hand: ForceRelease wipes the
// slate, so that the next crash counts as the first. Probe keeps it, for one try: a
// crash goes on where the last one was.
//
// The package starts no goroutine, and its decisions never depend on a clock of its
// own: the time is an argument, so that everything can be replayed, simulated and
// tested. There are two shells around one state machine. [Tracker] is the machine alone,
// for callers with a lock or a loop of their own. [Gate] is safe for concurrent use, can
// be waited for, and reports its transitions to observers; only [Gate.Wait] goes by the
// real clock.
//
// A gate is not a circuit breaker; see [Gate] for the difference.
//
// A [Set] has a gate for each of very many tasks and finds those whose hold is over. A
// [Store] keeps what happened to the tasks when the process dies; module gate/filestore
// has one in a file. A [RateLimiter] puts a policy into a controller's work queue.
//
// Package supervise runs goroutines behind a gate. Use a gate by itself where something
// else starts the task, such as a reconcile loop over daemons.
package gate
