// Package gate decides whether a task that crashes may start: one gate per
// task, fed with what happens to the task, open or held until an instant.
//
//	g := gate.New(policy.Default())
//	…
//	if now := time.Now(); g.Admissible(now) {
//		g.ObserveStart(now)
//		start(daemon)
//	}
//	…
//	g.ObserveCrash(time.Now(), err) // holds the gate as long as the policy says
//
// A gate has a [Phase]:
//
//	        crash                   too many crashes
//	Idle ──────────► BackingOff ──────────────────────► CrashLooping
//	 ▲                  │                                  │
//	 └──────────────────┴── time is up, start, clean exit, ┘
//	                        force release (which also cleans the slate)
//
// and GaveUp, which no time opens, only an event: a force release, a start, or
// the end of a run that was started in spite of it.
//
// The package is pure and synchronous. It starts no goroutine, and what it
// decides never depends on a clock of its own: the time is an argument, so that
// it can be replayed, simulated and tested. Only [Gate.Wait] must look at the
// real one. There are two shells over one state machine. [Tracker] is the
// machine alone, for callers with a lock or a loop of their own; [Gate] is safe
// for concurrent use, can be waited for, and tells observers of its transitions.
//
// A [Set] has a gate for each of very many tasks, and tells which are due. A
// [Store] keeps what happened to them beyond the death of the process; module
// gate/filestore has one in a file. A [RateLimiter] puts a policy into a
// controller's work queue.
//
// Package supervise runs goroutines under a gate. Use a gate by itself where
// something else starts the task, such as a reconcile loop over daemons.
package gate
