package supervisetest_test

import "github.com/holdfast-go/holdfast/supervise/supervisetest"

// otherCases are of the other rules, and of Except.
var otherCases = []ruleCase{
	// release
	{name: "released in a run", want: []string{"release r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 release until=1s
		1s r/a 1 stop`},
	{name: "released, and was not held", want: []string{"release r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 stop
		2s r/a 1 release
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "a hold whose end is not reported", want: []string{"release r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=2s
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "holds of a gate that others use", events: `
		0s r/a 0 release until=0s
		0s r/a 1 start
		1s r/a 1 crash until=2s
		2s r/a 1 release until=2s
		3s r/a 1 release until=3s
		3s r/a 2 start
		4s r/a 2 stop
		5s r/a 2 release until=5s
		5s r/a 3 start
		6s r/a 3 stop`},
	{name: "a group whose culprit is not held", events: `
		0s r/a 1 start
		1s r/a 1 crash
		1s r/a 1 release
		1s r/a 2 start
		2s r/a 2 stop`},

	// order
	{name: "time goes back", want: []string{"order r/a 1"}, events: `
		2s r/a 1 start
		1s r/a 1 stop`},
	{name: "time goes back between tasks, and for a fault", events: `
		2s r/a 1 start
		1s r/b 1 start
		1s r/a 1 fault
		1s r/a 0 store
		3s r/a 1 stop
		3s r/b 1 stop`},
	{name: "a return before its abandon", want: []string{"order r/a 1"}, events: `
		1s r/a 1 start
		2s r/a 1 abandon
		1s r/a 1 return`},
	{name: "a return that is reported late", events: `
		1s r/a 1 start
		2s r/a 1 abandon
		4s r/a 1 stop
		3s r/a 1 return`},

	// streak
	{name: "counted twice", want: []string{"streak r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 crash streak=1
		1s r/a 2 start
		2s r/a 2 crash streak=3 last`},
	{name: "a negative streak", want: []string{"streak r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash streak=-1 last`},
	{name: "streaks that are right", events: `
		0s r/a 1 start
		1s r/a 1 crash streak=4
		1s r/a 2 start
		2s r/a 2 crash streak=5
		2s r/a 3 start
		3s r/a 3 crash streak=5
		3s r/a 4 start
		4s r/a 4 crash streak=1
		4s r/a 5 start
		5s r/a 5 crash streak=0 last`},
	{name: "streaks of crashes that all count", opts: with(supervisetest.Counted("r/a")), want: []string{"streak r/a 2", "streak r/a 3"}, events: `
		0s r/a 1 start
		1s r/a 1 crash streak=4
		1s r/a 2 start
		2s r/a 2 crash streak=4
		2s r/a 3 start
		3s r/a 3 crash streak=0 last
		0s r/b 1 start
		1s r/b 1 crash streak=4
		1s r/b 2 start
		2s r/b 2 crash streak=4 last`},

	// lost
	{name: "a run under way", want: []string{"lost r/a 1"}, events: `
		0s r/a 1 start`},
	{name: "a run that was to follow a crash", want: []string{"lost r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=2s`},
	{name: "a run that was to follow an exit", want: []string{"lost r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 exit`},
	{name: "a run that was to follow a release", want: []string{"lost r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 stop
		2s r/a 1 release until=2s`},
	{name: "the end of a policy that gave up", want: []string{"lost r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash gave-up`},
	{name: "all have ended", events: `
		0s r/a 1 start
		1s r/a 1 exit last
		0s r/b 1 start
		1s r/b 1 abandon
		0s r/c 1 start
		1s r/c 1 crash gave-up
		1s r/c 1 give-up
		0s r/d 0 store`},
	{name: "below a task that was abandoned", want: []string{"lost r/ab 1"}, events: `
		0s r/a 1 start
		0s r/a/b 1 start
		0s r/ab 1 start
		1s r/a 1 abandon err=deaf`},
	{name: "below a task that was abandoned, and has returned", want: []string{"lost r/a/b 1"}, events: `
		0s r/a 1 start
		0s r/a/b 1 start
		1s r/a 1 abandon err=deaf
		2s r/a 1 return`},

	// dropped
	{name: "events are missed", want: []string{"dropped  0"}, events: `
		0s r/a 1 start
		0s r/b 1 start
		0s r/c 1 start
		9s r/a 4 stop dropped=7
		9s r/a 3 return
		9s r/b 3 return
		9s r/b 3 abandon
		9s r/d 3 crash streak=3
		9s r/d 4 start
		9s r/d 4 stop`},
	{name: "what was known before does not hold", want: []string{"dropped  0"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=9s streak=1
		0s r/b 1 start
		1s r/b 1 abandon err=watchdog
		0s r/c 1 start
		1s r/c 1 crash until=9s
		2s r/a 5 start dropped=9
		3s r/a 5 crash streak=5 last
		3s r/b 4 start
		4s r/b 4 stop
		3s r/c 3 abandon err=watchdog
		4s r/c 3 crash streak=3
		5s r/c 3 return
		5s r/c 4 start
		5s r/c 4 stop
		5s r/d 1 abandon err=watchdog
		5s r/d 1 crash last`},
	{name: "events are missed, but numbers do not come again", want: []string{"number r/a 3", "dropped  0"}, events: `
		0s r/a 3 start
		1s r/a 3 stop
		2s r/a 3 start dropped=1
		3s r/a 3 stop`},
	{name: "the rules hold after what was missed", want: []string{"double r/a 6", "dropped  0"}, events: `
		0s r/a 3 start
		1s r/a 5 start dropped=1
		2s r/a 6 start
		3s r/a 6 stop`},

	// Except
	{name: "a rule that is left out", opts: with(supervisetest.Except("double")), events: `
		0s r/a 1 start
		1s r/a 2 start
		2s r/a 2 stop`},
	{name: "a rule that is left out for some", opts: with(supervisetest.Except("double", "r/a", "r/c/..."), nil), want: []string{"double r/b 2"}, events: `
		0s r/a 1 start
		1s r/a 2 start
		2s r/a 2 stop
		0s r/b 1 start
		1s r/b 2 start
		2s r/b 2 stop
		0s r/c/d 1 start
		1s r/c/d 2 start
		2s r/c/d 2 stop`},
	{name: "drops that are known of", opts: with(supervisetest.Except("dropped")), events: `
		0s r/a 1 start dropped=3
		1s r/a 1 stop`},
}
