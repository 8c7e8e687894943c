// Package suturecompat runs services that were written for github.com/thejerf/suture under
// a [supervise.Supervisor], with the meaning that suture gives to what they return. It does
// not import suture: you hand in its errors, or your own.
//
//	compat := &suturecompat.Adapter{
//		DoNotRestart: suture.ErrDoNotRestart,
//		Terminate:    suture.ErrTerminateSupervisorTree,
//	}
//	root := supervise.New("root", supervise.WithPolicy(compat.Policy(nil)))
//	compat.Add(root, &counter{})
//	err := root.Run(ctx)
//
// A service that returns only errors, or runs until its context is done, needs none of
// this: its Serve method is the function of a task, as in root.Add("counter", c.Serve).
//
// What Serve returns, while its context is not done, means
//
//	nil                          a crash, with ErrReturned: it runs again
//	Adapter.DoNotRestart         a clean exit: the task has ended
//	Adapter.Terminate            the policy gives up, and the supervisor ends
//	any other error, or a panic  a crash, as in package supervise
//
// MIGRATING.md, in the folder of package supervise, has a table of all of suture's API.
package suturecompat
