package machine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// lifeStates are all states of a Life in which it differs in what it does, with run 7 and
// worker 3. No other combination of its fields can be reached; TestLifeModel sees to that.
var lifeStates = []machine.Life{
	{Phase: machine.Idle},
	{Phase: machine.Idle, Again: true},
	{Phase: machine.Held},
	{Phase: machine.Held, Again: true},
	{Phase: machine.Starting},
	{Phase: machine.Starting, Fault: machine.Silent},
	{Phase: machine.Starting, Fault: machine.Unready},
	{Phase: machine.Running},
	{Phase: machine.Running, Fault: machine.Silent},
	{Phase: machine.Stopping},
	{Phase: machine.Stopping, Fault: machine.Silent},
	{Phase: machine.Leaving},
}

// TestLifeTable writes down what a Life does in each state with each input: about the
// run under way, or the next one, and the worker that serves the task; about the run
// before that; about a worker that was left behind; and about a run of such.
func TestLifeTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("What a task does about each input, and how it stands then. Worker 3 serves it or did\n" +
		"last, and its last run is 7. An input is about that worker, and about run 7 if that\n" +
		"is under way, or else run 8, except where another one is given. What is left out changes\n" +
		"nothing, and there is nothing to do.\n")
	for _, life := range lifeStates {
		life.Run, life.Worker = 7, 3
		fmt.Fprintf(&b, "\n%s\n", standing(life))
		for kind := machine.Serve; kind <= machine.Overdue; kind++ {
			for _, c := range cases(kind, life) {
				stepped := life
				if effect := stepped.Step(c.in); effect != 0 || stepped != life {
					fmt.Fprintf(&b, "\t%-26s %-20v %s\n", c.name, effect, standing(stepped))
				}
			}
		}
	}
	golden(t, "testdata/table.golden", b.String())
}

type lifeCase struct {
	name string
	in   machine.LifeInput
}

// cases are the inputs of a kind.
func cases(kind machine.LifeKind, life machine.Life) []lifeCase {
	all := []lifeCase{{name: kind.String()}}
	switch kind {
	case machine.Serve, machine.Stop, machine.Renew, machine.Cycle:
		all[0].in.Kind = kind
		return all // about the task
	case machine.Begin:
		all = append(all, lifeCase{name: "begin slow", in: machine.LifeInput{Slow: true}})
	}
	var each []lifeCase
	for _, c := range all {
		run := life.Pending()
		c.in.Kind, c.in.Worker, c.in.Run = kind, life.Worker, run
		each = append(each, c)
		if kind != machine.Begin && kind != machine.Leave { // these are about no run
			earlier := c
			earlier.name += fmt.Sprint(" run ", run-1)
			earlier.in.Run--
			each = append(each, earlier)
		}
		left := c
		left.name += " worker 2"
		left.in.Worker--
		each = append(each, left)
		if kind != machine.Begin && kind != machine.Leave {
			left.name += fmt.Sprint(" run ", run-1)
			left.in.Run--
			each = append(each, left)
		}
	}
	return each
}
