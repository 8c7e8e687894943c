package supervisetest_test

// endCases are of the rule ends.
var endCases = []ruleCase{
	// ends
	{name: "an end without a beginning", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 exit last`},
	{name: "a crash without a beginning", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 crash last`},
	{name: "two ends", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=2s
		1s r/a 1 exit last`},
	{name: "the end of another run", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 stop
		1s r/a 2 start
		2s r/a 1 crash
		2s r/a 2 stop`},
	{name: "the stop of another run", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 stop
		1s r/a 2 start
		2s r/a 1 stop`},
	{name: "a stop that says how long, and there was no run", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=9s
		2s r/a 1 stop ran=2s`},
	{name: "stopped in a hold, and before the first run", events: `
		0s r/a 1 start
		1s r/a 1 crash until=9s
		2s r/a 1 stop
		0s r/b 0 stop`},
	{name: "a stop that is reported twice", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 stop ran=1s
		1s r/a 1 stop ran=1s`},
	{name: "stopped for the restart of a group, and again while it waits for that", events: `
		0s r/a 1 start
		1s r/a 1 stop ran=1s
		1s r/a 1 stop
		1s r/a 1 stop`},
	{name: "started after its end, and stopped while it waits for that", events: `
		0s r/a 1 start
		1s r/a 1 exit last
		2s r/a 1 stop err=stop`},
	{name: "stopped, as it gave up itself", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash gave-up
		1s r/a 1 give-up
		2s r/a 1 stop err=gave-up`},
	{name: "released after it gave up, and stopped for that", events: `
		0s r/a 1 start
		1s r/a 1 crash gave-up
		1s r/a 1 give-up
		2s r/a 1 release gave-up forced
		2s r/a 1 stop err=gave-up`},
	{name: "stopped, as another one gave up, when it waited to start again", events: `
		0s r/b 1 start
		1s r/b 1 crash gave-up
		1s r/b 1 give-up
		2s r/b 1 stop err=gave-up`},
	{name: "given up twice", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash gave-up
		1s r/a 1 give-up
		1s r/a 1 give-up`},
	{name: "given up again, later", events: `
		0s r/a 1 start
		1s r/a 1 crash gave-up
		1s r/a 1 give-up
		2s r/a 1 give-up`},
	{name: "given up in a run", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 give-up`},
	{name: "given up before the first run", events: `
		0s r/a 0 give-up`},
	{name: "abandoned between two runs", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash
		1s r/a 1 abandon`},
	{name: "abandoned twice", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon err=deaf
		2s r/a 1 abandon err=deaf`},
	{name: "a crash of an abandoned run that was not the watchdog's", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon err=deaf
		2s r/a 1 crash last`},
	{name: "an exit of a run that was the watchdog's", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon err=watchdog
		1s r/a 1 exit last`},
	{name: "a crash of another run than the watchdog's", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		0s r/a 1 stop
		0s r/a 2 start
		1s r/a 2 abandon err=watchdog
		1s r/a 1 crash last`},
	{name: "a stop of a run that was the watchdog's, in a tree", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon err=watchdog
		2s r/a 1 stop ran=2s`},
	{name: "a stop of a run that was abandoned, under Run", want: []string{"ends a 1"}, events: `
		0s a 1 start
		1s a 1 abandon err=deaf
		2s a 1 stop ran=2s`},
	{name: "a stop of another run than the watchdog's, under Run", want: []string{"ends a 1", "number a 1"}, events: `
		0s a 1 start
		0s a 1 stop
		0s a 2 start
		1s a 2 abandon err=watchdog
		2s a 1 stop ran=2s`},
	{name: "a stop of a run that was the watchdog's, and has crashed, under Run", want: []string{"ends a 1"}, events: `
		0s a 1 start
		1s a 1 abandon err=watchdog
		2s a 1 crash until=3s
		3s a 1 release until=3s
		3s a 1 stop ran=2s`},
	{name: "another run is abandoned", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		0s r/a 1 stop
		0s r/a 2 start
		1s r/a 1 abandon err=deaf
		2s r/a 3 start
		3s r/a 3 stop`},
	{name: "two crashes of a run that was the watchdog's", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon err=watchdog
		1s r/a 1 crash
		2s r/a 1 crash last streak=2`},
	{name: "returned before the crash is reported", events: `
		0s r/a 1 start
		1s r/a 1 abandon err=watchdog
		1s r/a 1 return
		1s r/a 1 crash
		1s r/a 1 stop`},
	{name: "returned, and was not abandoned", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 return
		1s r/a 1 stop`},
	{name: "returned twice", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon
		2s r/a 1 return
		2s r/a 1 return`},
	{name: "a death in a run of this process", want: []string{"ends r/a 1"}, events: `
		0s r/a 2 start
		1s r/a 1 crash err=died last`},
	{name: "an error whose methods panic", want: []string{"ends r/a 1"}, events: `
		0s r/a 1 crash err=panics last
		1s r/b 1 start
		2s r/b 1 abandon err=panics
		3s r/c 0 stop err=panics`},
}
