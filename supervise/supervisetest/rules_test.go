package supervisetest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

// TestRules has a story for each thing that a rule refuses, and for each that it lets
// pass. The violations that are wanted are "rule task run".
func TestRules(t *testing.T) {
	for _, c := range slices.Concat(startCases, endCases, otherCases) {
		t.Run(c.name, func(t *testing.T) {
			err := supervisetest.Check(script(t, c.events), c.opts...)
			if got := found(err); !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q\n%v", got, c.want, err)
			}
		})
	}
}

// found returns the violations that an error joins, in short.
func found(err error) []string {
	var short []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			var v *supervisetest.Violation
			if errors.As(err, &v) {
				short = append(short, strings.TrimSpace(fmt.Sprintf("%s %s %d", v.Rule, v.Task, v.Run)))
			}
		}
	}
	return short
}

type ruleCase struct {
	name   string
	events string
	opts   []supervisetest.CheckOption
	want   []string
}

func with(opts ...supervisetest.CheckOption) []supervisetest.CheckOption { return opts }

// startCases are of the rules double, number and early.
var startCases = []ruleCase{
	{name: "a whole life", events: `
		0s  r/a 1 start
		1s  r/a 1 crash until=2s ran=1s err=boom
		2s  r/a 1 release until=2s
		2s  r/a 2 start
		3s  r/a 2 exit until=4s ran=1s
		4s  r/a 2 release until=4s
		4s  r/a 3 start
		5s  r/a 3 crash gave-up streak=1
		5s  r/a 3 give-up
		9s  r/a 4 start
		10s r/a 4 stop ran=1s
		10s r/a 5 start
		12s r/a 5 abandon err=deaf
		20s r/a 5 return`},

	// double
	{name: "two runs at once", want: []string{"double r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 2 start
		2s r/a 2 stop`},
	{name: "beside an abandoned run", want: []string{"double r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "beside an abandoned run, with Overlap", opts: with(supervisetest.Overlap("r/a")), events: `
		0s r/a 1 start
		1s r/a 1 abandon
		2s r/a 2 start
		3s r/a 1 return
		3s r/a 2 stop`},
	{name: "beside an abandoned run, with Overlap elsewhere", opts: with(supervisetest.Overlap("r/b")), want: []string{"double r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "with Overlap, beside one that was not abandoned", opts: with(supervisetest.Overlap()), want: []string{"double r/a 2"}, events: `
		0s r/a 1 start
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "after a run that the watchdog abandoned, in a tree", want: []string{"double r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 abandon err=watchdog
		1s r/a 1 crash
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "after a run that the watchdog abandoned, and that has returned", events: `
		0s r/a 1 start
		1s r/a 1 abandon err=watchdog
		1s r/a 1 crash
		2s r/a 1 return
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "after a run that the watchdog abandoned, under Run", events: `
		0s a 1 start
		1s a 1 abandon err=watchdog
		9s a 1 crash
		9s a 2 start
		10s a 2 abandon err=watchdog
		19s a 2 crash
		19s a 2 return
		19s a 3 start
		20s a 3 abandon err=watchdog
		21s a 3 abandon err=deaf
		25s a 3 return`},
	{name: "stopped while the watchdog waits for it, under Run", events: `
		0s a 1 start
		1s a 1 abandon err=watchdog
		2s a 1 stop ran=2s
		3s a 2 start
		4s a 2 stop`},

	// number
	{name: "a number comes again", want: []string{"number r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 stop
		2s r/a 1 start
		3s r/a 1 stop`},
	{name: "a number is left out", want: []string{"number r/a 3"}, events: `
		0s r/a 1 start
		1s r/a 1 stop
		2s r/a 3 start
		3s r/a 3 stop`},
	{name: "number 0", want: []string{"number r/a 0"}, events: `
		0s r/a 0 start
		1s r/a 0 stop`},
	{name: "numbers that a store has kept", events: `
		0s r/a 7 start
		1s r/a 7 stop
		0s r/b 7 crash err=died until=1s
		1s r/b 7 release until=1s
		1s r/b 8 start
		2s r/b 8 stop`},
	{name: "the number of another run between two", want: []string{"number r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=2s
		2s r/a 2 release until=2s
		2s r/a 3 start
		3s r/a 3 stop`},
	{name: "the number of an earlier run between two", want: []string{"number r/a 1"}, events: `
		0s r/a 2 start
		1s r/a 2 crash until=2s
		2s r/a 1 release until=2s
		2s r/a 3 start
		3s r/a 3 stop`},

	// early
	{name: "within the hold", want: []string{"early r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=3s
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "within the hold after an exit", want: []string{"early r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 exit until=3s
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "a release before its time", want: []string{"early r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=3s
		2s r/a 1 release until=3s
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "a release of a shorter hold", want: []string{"early r/a 1"}, events: `
		0s r/a 1 start
		1s r/a 1 crash until=3s
		2s r/a 1 release until=2s
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "after the policy gave up", want: []string{"early r/a 2"}, events: `
		0s r/a 1 start
		1s r/a 1 crash gave-up
		2s r/a 2 start
		3s r/a 2 stop`},
	{name: "after a run that began within the hold, by force", events: `
		0s r/a 1 start
		1s r/a 1 crash until=9s
		2s r/a 2 start by=ann
		3s r/a 2 abandon
		4s r/a 2 return
		4s r/a 3 start
		5s r/a 3 stop`},
	{name: "within the hold of an end for good, when it is started again", events: `
		0s r/a 1 start
		1s r/a 1 crash until=9s last
		2s r/a 2 start
		3s r/a 2 exit until=9s last
		4s r/a 3 start
		4s r/a 3 stop`},
	{name: "within the hold, by force", events: `
		0s r/a 1 start
		1s r/a 1 crash until=9s
		2s r/a 1 release until=9s forced
		2s r/a 2 start
		3s r/a 2 crash until=9s
		4s r/a 2 release until=9s by=ann
		4s r/a 3 start
		5s r/a 3 crash until=9s
		6s r/a 4 start by=ann
		7s r/a 4 crash until=9s
		7s r/a 4 stop
		8s r/a 5 start
		8s r/a 5 stop`},
}
