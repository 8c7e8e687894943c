// Package supervisetest helps to test tasks and trees of package supervise: it
// injects faults into them, records what happens, and checks that what happened keeps
// the rules.
//
//	faults := supervisetest.NewFaults(seed,
//		supervisetest.Fault{Kind: supervisetest.Panic, Path: "shop/db/*", Rate: 0.1},
//		supervisetest.Fault{Kind: supervisetest.Hang, Run: 3, After: supervisetest.Fixed(time.Minute)})
//	t.Cleanup(faults.Close)
//	var recorder supervisetest.Recorder
//	var checker supervisetest.Checker
//	s := supervise.New("shop", supervise.WithObserver(&recorder), supervise.WithObserver(&checker))
//	s.Add("web", faults.Wrap(web.Run))
//	…
//	if err := checker.Finish(); err != nil { // after s.Run has returned
//		t.Errorf("seed %d: %v\n%v", seed, err, &recorder)
//	}
//
// All of it works in real time, and in a bubble of testing/synctest, where a minute
// takes none.
//
// # Faults
//
// [Faults] strikes runs of the functions that it wraps. Which runs, and how, depends on
// the seed, the path of the task and the number of the run, and on nothing else: a test
// that fails with a seed fails with it again, however its goroutines are scheduled.
//
//	Error      the run ends with an *InjectedError
//	Panic      it panics with one
//	Goexit     it calls runtime.Goexit
//	Exit       it returns nil
//	Hang       it does not end when it is asked to
//	Silence    it does nothing, and does not call supervise.Alive
//	LateReady  the function is called late, or never, so that supervise.Ready is
//
// Events about a run that was struck have Injected set.
//
// # Rules
//
// [Checker] is an observer that holds a tree to these rules, by the names that [Except]
// takes. They are about each task by itself, from its events alone.
//
//	double   no run begins while another one of the task is under way
//	number   the numbers of a task's runs grow by one
//	early    no run begins before the hold is over, unless it was ended by force
//	ends     what begins ends, once; and nothing ends that has not begun
//	release  a hold is released before the run that follows, and only a hold is
//	order    time does not go back
//	streak   each crash is counted once
//	late     nothing takes longer to stop than it may (with StopTimeout and Stopped)
//	lost     when the root has returned, each task has ended (asked by Finish)
//	dropped  the observer missed no event (asked by Finish)
//
// What each of them allows is said with [Checker].
package supervisetest
