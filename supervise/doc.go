// Package supervise keeps goroutines running: it runs a function, and runs it
// again when it crashes, under a [policy.Policy] that decides how long each
// crash holds it.
//
//	err := supervise.Run(ctx, poll, supervise.WithName("poller"))
//
// A run of the function ends in one of these ways:
//
//	it returns nil                   a clean exit: Run returns nil (under Always it runs again)
//	it returns an error              a crash: the gate holds, then it runs again
//	it panics                        a crash, with a *PanicError
//	it calls runtime.Goexit          a crash, with ErrGoexit
//	any of these, once ctx is done   Run returns context.Cause(ctx)
//	the policy gives up              Run returns a *GaveUpError
//
// Whether the task was asked to stop is read from its context, never from the
// error: a context.Canceled of some other context is a crash like any other.
//
// Recovering panics is deliberate. A supervisor is the place where a panic of a
// task ends, as it is with the processes of Erlang and the threads of a thread
// pool, and nothing is lost of it: the stack is kept as it was at the panic, it
// is logged, and runtime.Goexit is distinguished. [LetPanic] opts out. What cannot
// be recovered is a panic in a goroutine that the function started without [Go].
//
// [Go] starts goroutines that belong to a run, so that their panics are the task's.
// A [Supervisor] runs many tasks, and other supervisors, as a tree. Package
// [github.com/holdfast-go/holdfast/supervise/process] makes a task of a child process,
// package httptask one of an http.Server, and package supervisetest injects faults
// into tasks and checks what became of them.
//
// [WithStore] keeps the gates of tasks beyond the death of the process, which then
// counts as a crash of those that ran.
//
// # What happens to a crash
//
// One goroutine serves all runs of a task, its worker; a new one takes over only after
// runtime.Goexit, or when a run is abandoned. The worker records how a run ended
// (worker.go), asks the gate, reports the crash to observers and the logger, and waits
// until the gate opens (wait.go). Then it begins the next run. Where the crash concerns
// other tasks, under [OneForAll] and [RestForOne], the supervisor stops these meanwhile
// and starts all again when the gate is open.
//
// Which of two things was first, such as a stop and the end of a run, is decided by a
// machine without goroutines, locks or clocks (internal/machine): a Life for each task,
// a Tree for each supervisor. Each input says which run it is about, and one about an
// earlier run changes nothing. What the Tree wants done is done in order by the
// goroutine of Supervisor.Run (perform.go), outside of any lock.
//
// # Locks
//
// The order is Task.mu, Supervisor.mu, and then those of feeds and of the saver, which
// are leaves. No code of a user's runs under any of them: no observer, logger, policy,
// gate observer, store, admission, or method of an error or a context. The one exception
// is a policy, which decides while its gate is locked, as package gate says.
//
// # Nested supervisors
//
// What the tasks of a supervisor have that runs as a task of another:
//
//	given to                its tasks      tasks of supervisors below it
//	WithLogger              yes            unless they are given one
//	WithObserver            yes            yes, and theirs beside it
//	WithStore               yes            unless they are given one
//	WithPolicy              yes            unless they are given one
//	WithStopTimeout         yes            unless they are given one
//	WithAdmission           yes            unless they are given one
//	all others              yes            no
//
// Nothing polls: a task that does not crash costs nothing between its start and its
// end. What happens is reported to observers and to a slog.Logger in order, on goroutines
// of their own that live while there is something to report, so that no observer can
// hold up a task.
//
// There is no clock to inject. Tests run in a bubble of testing/synctest, where
// a cool-down of five minutes takes none.
package supervise
