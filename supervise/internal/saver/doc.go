// Package saver saves gates to a [gate.Store] in the background, so that no task ever
// waits for a disk.
//
//	s := saver.New(store)              // for one life of a supervisor
//	e := s.Entry("root/db", g, report) // one gate
//	saved, found, err := e.Load(ctx)   // before the first run
//	…
//	e.Mark()                           // at each change
//	…
//	e.Drop()                           // the task was removed
//	…
//	s.Close()                          // saves the rest, in a second at most
//
// An entry is in one of these phases:
//
//	idle     nothing is to be done                     Mark: queued or parked
//	parked   an older entry of the key is not done     that is done: queued
//	queued   it is its turn soon                       a worker takes it: saving
//	saving   a worker has it                           saved: idle; failed: waiting; Mark: dirty
//	dirty    it was marked while a worker has it       saved: queued; failed: waiting
//	waiting  it could not be saved                     a retry, or another one is saved: queued
//
// # What it promises
//
// A gate is saved as it is when its turn comes: of several changes the last is saved, and
// the memory that a saver needs is bounded by the number of its gates. At most 16 saves
// run at once, and one per key.
//
// The store fails if it returns an error, panics, calls [runtime.Goexit], or does not
// answer for 5 s. That is reported once when it begins, and once when all gates are
// saved again. Until then one gate at a time is tried again, after 100 ms at first and
// after 30 s at last. When that succeeds, all others follow at once. A retry is due as
// long as any gate waits for one, whatever became of the last.
//
// A store can do no harm. What blocks keeps the goroutine that called it: at most 16 of
// a saver, and one of each Load. The errors that are reported are an [*Error], of which
// no method panics, whatever those of the store's do.
//
// # Conflicts
//
// A Save that failed may have saved all the same, at once or a moment later. So before
// the next one a Load finds out, and after a conflict as well. What this entry has sent
// is no conflict. Nor is what an earlier entry of the same key has sent: one whose task
// was removed, or one of an earlier life whose Save was still under way when Close gave
// up. Anything else is of somebody who has taken over. Then the entry is fenced: the
// conflict is reported, and the gate never saved again.
package saver
