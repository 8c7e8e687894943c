// Package saver saves gates to a [gate.Store] in the background, so that no task ever
// waits for a disk.
//
//	s := saver.New(store)              // one life of a supervisor
//	e := s.Entry("root/db", g, report) // one gate
//	saved, found, err := e.Load(ctx)   // before the first run
//	…
//	e.Mark()                           // at each change
//	…
//	s.Close()                          // saves the rest, a second at most
//
// Each gate passes through these phases:
//
//	        Mark                 a worker is free
//	idle ─────────► queued ─────────────────────────► saving ─┐ Mark
//	 ▲                ▲ ▲                              │ │ ▲  ▼
//	 │                │ └── a retry, or another works ─┐│ │ dirty
//	 ├── saved ───────┼────────────────────────────────┼┘ │
//	 │                │            waiting ◄── failed ─┼──┘
//	 │                │               └────────────────┘
//	 └─ (parked, while an older entry of the same key is busy)
//
// # What it promises
//
// A gate is saved as it is when its turn comes, so of several changes the last is
// saved, and what is kept here is bounded by the number of gates. At most 16 saves run
// at once, and one per key. A store that fails is tried again, after 100 ms at first
// and 30 s at last, with one gate; when that works all others follow.
//
// A store fails if it returns an error, panics, calls [runtime.Goexit], or does not
// answer for 5 s. That is reported once when it begins, and once when all gates are
// saved again. Nothing that a store does, or an error of its own, does harm: what
// blocks keeps the goroutine that called it, at most 16 per saver and one per Load.
//
// # Conflicts
//
// A Save that failed may have saved all the same, at once or a moment later. So before
// the next one a Load finds out, and a Save that meets a conflict looks at what is
// there. If that is what this gate has sent, it is no conflict. Nor is it if an earlier
// entry of the same key has sent it: one whose task was removed, or one of an earlier
// life, which Close has left behind because the store was slow. Otherwise somebody else
// has taken over: the key is fenced, and its gate not saved any more.
package saver
