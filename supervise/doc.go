// Package supervise keeps goroutines running: it runs a function, and runs it
// again when it crashes, under a [policy.Policy] that decides how long each
// crash holds it.
//
//	err := supervise.Run(ctx, poll, supervise.WithName("poller"))
//
// A run of the function ends in one of these ways:
//
//	it returns nil                   a clean exit: Run returns nil (with Always it runs again)
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
// is logged, and runtime.Goexit is told apart. [LetPanic] opts out. What cannot
// be recovered is a panic in a goroutine that the function started without [Go].
//
// [Go] starts goroutines that belong to a run, so that their panics are the task's.
// [Command] makes a task of a child process. A [Supervisor] runs many tasks, and
// other supervisors, as a tree.
//
// [WithStore] keeps the gates of tasks beyond the death of the process, which then
// counts as a crash of those that ran.
//
// One goroutine serves all runs of a task; a new one takes over only after
// runtime.Goexit. Nothing polls: a task that does not crash costs nothing
// between its start and its end. What happens is told to observers and to a
// slog.Logger in order, on goroutines of their own that live while there is
// something to tell, so that no observer can hold up a task.
//
// There is no clock to inject. Tests run in a bubble of testing/synctest, where
// a cool-down of five minutes takes none.
package supervise
