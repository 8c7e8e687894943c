package machine_test

import (
	"slices"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// naiveTree is what the documentation says of a supervisor, as facts about its tasks.
// What is to be done next is found by looking at all of them, after each input.
type naiveTree struct {
	config    machine.Config
	tasks     []*naiveTask
	mode      string // "" when it does not run, "up" or "closing"
	group     int    // tasks from here on are being restarted together; -1: none
	abandoned int
	settled   bool
	out       []machine.Effect
}

// naiveTask is a task. It waits if it is wanted and not served, and is down if neither.
type naiveTask struct {
	traits machine.Traits
	wanted bool
	served bool
	gone   bool
	late   bool // added while all were being stopped

	asked   asked // while served
	culprit bool  // while served: it crashed, and its group is restarted
	ready   bool  // while served
	story   bool  // it crashed, and its worker has ended
	serial  uint32
	wish    uint32
}

// asked is why the worker of a task was asked to stop.
type asked int

const (
	notAsked asked = iota
	forGroup
	toRenew
	toStop // by an operator, or with all
	toForget
)

// What follows when a worker has ended.
const (
	stays   = iota // down
	starts         // in its turn
	renewed        // likewise, pardoned
	leaves         // it is forgotten
	decides        // it ended by itself, so its traits decide
)

// follows is what follows, by why the worker was asked to stop, and how it ended.
var follows = [...][6]int{
	//         stopped, renewed, opened,  completed, failed, gave up
	notAsked: {stays, renewed, starts, decides, decides, decides},
	forGroup: {starts, renewed, starts, decides, decides, decides},
	toRenew:  {renewed, renewed, renewed, renewed, renewed, renewed},
	toStop:   {stays, stays, stays, stays, stays, stays},
	toForget: {leaves, leaves, leaves, leaves, leaves, leaves},
}

// step takes in one thing that happened, and then does what can be done.
func (n *naiveTree) step(in machine.Input) []machine.Effect {
	n.out = n.out[:0]
	switch in.Kind {
	case machine.Open:
		if n.mode == "" {
			n.mode, n.group, n.settled = "up", -1, false
			n.countAbandoned()
		}
	case machine.Shutdown:
		n.close(machine.ForShutdown, 0)
	case machine.Left:
		n.abandoned++
		n.countAbandoned()
	case machine.Returned:
		n.abandoned--
	default:
		if t := n.tasks[in.Index]; !t.gone {
			n.about(t, in)
		}
	}
	n.proceed()
	return n.out
}

func (n *naiveTree) add(traits machine.Traits) []machine.Effect {
	n.out = n.out[:0]
	if n.mode != "" {
		traits |= machine.Dynamic
	}
	n.tasks = append(n.tasks, &naiveTask{traits: traits, wanted: true, late: n.mode == "closing"})
	n.proceed()
	return n.out
}

// compact closes the gaps if more than half the places are, except while all are
// being stopped.
func (n *naiveTree) compact() bool {
	var gone, before int // in all, and in front of the group
	for i, t := range n.tasks {
		if t.gone {
			gone++
			if i < n.group {
				before++
			}
		}
	}
	if gone*2 <= len(n.tasks) || n.mode == "closing" {
		return false
	}
	n.group -= before
	n.tasks = slices.DeleteFunc(n.tasks, func(t *naiveTask) bool { return t.gone })
	return true
}

func (n *naiveTree) about(t *naiveTask, in machine.Input) {
	switch in.Kind {
	case machine.Crashed:
		if n.mode != "up" || n.config.Strategy == machine.OneForOne || !t.served || t.asked != notAsked || t.culprit {
			return
		}
		t.culprit = true
		from := in.Index
		if n.config.Strategy == machine.OneForAll {
			from = 0
		}
		if n.group < 0 || from < n.group {
			n.group = from
		}
	case machine.IsReady:
		if t.served && in.Serial == t.serial {
			t.ready = true
		}
	case machine.Ended:
		if t.served {
			n.ended(t, in.Index, in.End)
		}
	case machine.StopTask:
		t.wish++
		n.ask(t, in.Index, machine.Asked, toStop)
	case machine.RemoveTask:
		t.wish++
		n.ask(t, in.Index, machine.Asked, toForget)
	case machine.RenewTask:
		n.renew(t, in)
	}
}

// ask has a task stop.
func (n *naiveTree) ask(t *naiveTask, i int, why machine.Why, what asked) {
	if t.traits.Has(machine.Once) && why != machine.ForShutdown {
		what = toForget // it is not started again
	}
	switch {
	case !t.served && what == toForget:
		n.forget(t, i)
	case !t.served:
		n.rest(t, i)
	case t.asked == notAsked:
		t.asked = what
		n.do(machine.Halt, why, i)
	default:
		t.asked = max(t.asked, what)
	}
}

func (n *naiveTree) renew(t *naiveTask, in machine.Input) {
	if n.mode == "closing" || in.Serial != 0 && in.Serial != t.wish {
		return
	}
	if in.Serial == 0 {
		t.wish++
	}
	switch {
	case t.served && t.asked != notAsked:
		t.asked = toRenew
	case t.served && in.Serial == 0:
		n.out = append(n.out, machine.Effect{Do: machine.RenewWorker, Index: in.Index, Serial: t.wish})
	case !t.served && !t.wanted:
		n.do(machine.Pardon, machine.Asked, in.Index)
		t.wanted = true
	}
}

func (n *naiveTree) ended(t *naiveTask, i int, how machine.End) {
	next := follows[t.asked][how]
	once, byItself := t.traits.Has(machine.Once), how == machine.Completed || how == machine.Failed || how == machine.GaveUp
	if n.mode == "closing" && next != leaves {
		next = stays
		if once && byItself {
			next = leaves
		}
	}
	t.served, t.culprit, t.asked, t.story = false, false, notAsked, how == machine.Opened
	t.wanted = true // so that it can rest
	switch {
	case next == renewed:
		n.do(machine.Pardon, machine.Asked, i)
	case next == leaves || next != starts && once && n.mode != "closing":
		n.forget(t, i)
	case next != starts:
		n.rest(t, i)
	}
	if next != decides {
		return
	}
	significant, all, optional := t.traits.Has(machine.Significant), n.config.AllSignificant, t.traits.Has(machine.Optional)
	switch {
	case how == machine.GaveUp && !optional:
		n.close(machine.ForGiveUp, i)
	case significant && all && !slices.ContainsFunc(n.tasks, (*naiveTask).significantStill):
		n.close(machine.ForCompletion, i)
	case significant && !all && how != machine.GaveUp:
		n.close(machine.ForCompletion, i)
	}
}

func (t *naiveTask) significantStill() bool {
	return t.traits.Has(machine.Significant) && !t.gone && (t.served || t.wanted)
}

func (n *naiveTree) rest(t *naiveTask, i int) {
	n.endStory(t, i)
	if t.wanted {
		t.wanted = false
		n.do(machine.Rested, machine.Asked, i)
	}
}

func (n *naiveTree) forget(t *naiveTask, i int) {
	n.endStory(t, i)
	t.wanted, t.gone = false, true
	n.do(machine.Forget, machine.Asked, i)
}

func (n *naiveTree) endStory(t *naiveTask, i int) {
	if t.story {
		t.story = false
		n.do(machine.Close, machine.Asked, i)
	}
}

func (n *naiveTree) countAbandoned() {
	if n.config.MaxAbandoned > 0 && n.abandoned > n.config.MaxAbandoned {
		n.close(machine.ForAbandoned, 0)
	}
}

func (n *naiveTree) close(why machine.Why, i int) {
	if n.mode == "up" {
		n.mode, n.group = "closing", -1
		n.out = append(n.out, machine.Effect{Do: machine.Begun, Why: why, Index: i})
	}
}

func (n *naiveTree) do(d machine.Do, why machine.Why, i int) {
	n.out = append(n.out, machine.Effect{Do: d, Why: why, Index: i, Serial: n.tasks[i].serial})
}

// proceed does what can be done next.
func (n *naiveTree) proceed() {
	switch n.mode {
	case "up":
		n.stopGroup()
		n.start()
	case "closing":
		n.stop()
	}
}

// stopGroup has the last one stop that still runs in the group. The group is over when
// nobody does.
func (n *naiveTree) stopGroup() {
	if n.group < 0 {
		return
	}
	runs := false
	for i, t := range slices.Backward(n.tasks) {
		if i < n.group || !t.served {
			continue
		}
		runs = true
		if t.asked == notAsked && t.culprit {
			continue // it ends by itself
		}
		if t.asked == notAsked {
			n.ask(t, i, machine.ForGroup, forGroup)
		}
		return
	}
	if !runs {
		n.group = -1
	}
}

// start starts what is wanted, in order, up to the first that is not ready, or is in a
// group.
func (n *naiveTree) start() {
	for i, t := range n.tasks {
		if n.group >= 0 && i >= n.group {
			return
		}
		if t.wanted && !t.served && !t.gone {
			t.served, t.story, t.ready = true, false, !t.traits.Has(machine.Slow)
			t.serial++
			n.do(machine.Start, machine.Asked, i)
		}
		if t.served && !t.ready {
			return
		}
	}
	if !n.settled {
		n.settled = true
		n.out = append(n.out, machine.Effect{Do: machine.Settled})
	}
}

// stop has the last task stop that runs, or all.
func (n *naiveTree) stop() {
	for i, t := range slices.Backward(n.tasks) {
		switch {
		case t.gone || t.late:
		case t.served:
			n.ask(t, i, machine.ForShutdown, toStop)
			if !n.config.Unordered {
				return
			}
		default:
			n.rest(t, i)
		}
	}
	if slices.ContainsFunc(n.tasks, func(t *naiveTask) bool { return t.served }) {
		return
	}
	n.mode = ""
	for i, t := range n.tasks {
		switch {
		case t.gone:
		case n.config.DropDynamic && t.traits.Has(machine.Dynamic):
			n.forget(t, i)
		default:
			*t = naiveTask{traits: t.traits, wanted: true, serial: t.serial}
		}
	}
	n.out = append(n.out, machine.Effect{Do: machine.Finish})
}
