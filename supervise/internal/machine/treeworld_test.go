package machine_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// treeWorld steps a Tree and its naive model with the same inputs, and plays the shell:
// it knows of each task what the effects had it do, and checks that each of them may be.
type treeWorld struct {
	judge
	dice
	config machine.Config
	tree   *machine.Tree
	naive  naiveTree
	tasks  []shellTask // by index
	open   bool        // between Open and Finish
	begun  bool        // all are being stopped
	up     bool        // Settled was said since Open
	past   []happened
}

// shellTask is what the shell knows of a task.
type shellTask struct {
	traits  machine.Traits
	served  bool // it has a worker
	halted  bool // which was asked to stop
	culprit bool // which crashed, and the supervisor was told that
	ready   bool // which has said that it is, or need not
	rested  bool // it has ended for good
	story   bool // which began with a crash, and neither a start nor an end followed
	gone    bool
	late    bool // added while all were being stopped
	serial  uint32
	wish    uint32 // of the last RenewWorker
}

// happened is an input, an added task, or a compaction.
type happened struct {
	what   string
	in     machine.Input
	traits machine.Traits
}

func newTreeWorld(j judge, d dice) *treeWorld {
	w := &treeWorld{judge: j, dice: d}
	w.reset()
	return w
}

// reset begins anew, with another supervisor.
func (w *treeWorld) reset() {
	w.config = machine.Config{Strategy: machine.Strategy(w.dice(3)), Unordered: w.often(20), AllSignificant: w.often(40),
		DropDynamic: w.often(30)}
	if w.often(20) {
		w.config.MaxAbandoned = 1 + w.dice(2)
	}
	w.tree, w.naive = machine.NewTree(w.config), naiveTree{config: w.config, group: -1}
	w.tasks, w.past = w.tasks[:0], w.past[:0]
	w.open, w.begun, w.up = false, false, false
	for range w.dice(5) {
		w.add()
	}
}

// add adds a task with random traits.
func (w *treeWorld) add() {
	var traits machine.Traits
	for _, trait := range []machine.Traits{machine.Slow, machine.Once, machine.Significant, machine.Optional} {
		if w.often(25) {
			traits |= trait
		}
	}
	w.past = append(w.past, happened{what: "add", traits: traits})
	w.tasks = append(w.tasks, shellTask{traits: traits, late: w.begun})
	if w.open {
		w.tasks[len(w.tasks)-1].traits |= machine.Dynamic
	}
	i, effects := w.tree.Add(traits)
	if i != len(w.tasks)-1 || w.tree.Len() != len(w.tasks) {
		w.fail("it has index %d", i)
	}
	w.check(effects, w.naive.add(traits))
}

// compact has the places of removed tasks used again.
func (w *treeWorld) compact() {
	w.past = append(w.past, happened{what: "compact"})
	did := w.tree.Compact()
	if did != w.naive.compact() {
		w.fail("it compacts: %v", did)
	}
	if did {
		w.tasks = slices.DeleteFunc(w.tasks, func(t shellTask) bool { return t.gone })
	}
	w.consistent()
}

// step has both take in one thing.
func (w *treeWorld) step(in machine.Input) {
	w.past = append(w.past, happened{in: in})
	if in.Kind == machine.Open && !w.open {
		w.open, w.begun, w.up = true, false, false
		for i := range w.tasks {
			w.tasks[i].late = false
		}
	}
	if in.Index < len(w.tasks) {
		w.happens(&w.tasks[in.Index], in)
	}
	w.check(w.tree.Step(in), w.naive.step(in))
}

// happens notes what a task's worker did, if it has one.
func (w *treeWorld) happens(t *shellTask, in machine.Input) {
	switch in.Kind {
	case machine.Ended:
		if t.served {
			t.served, t.halted, t.culprit = false, false, false
			t.story = in.End == machine.Opened
		}
	case machine.Crashed:
		if t.served && !t.halted && w.open && !w.begun && w.config.Strategy != machine.OneForOne {
			t.culprit = true
		}
	case machine.IsReady:
		if t.served && t.serial == in.Serial {
			t.ready = true
		}
	}
}

// check has the shell do what the machine wants, which is to be what the model wants.
func (w *treeWorld) check(effects, want []machine.Effect) {
	if !slices.Equal(effects, want) {
		w.fail("it wants\n\t%s\nand not\n\t%s", inWords(effects), inWords(want))
	}
	for _, e := range effects {
		w.perform(e)
	}
	w.consistent()
}

// perform checks that an effect may be, and does it.
func (w *treeWorld) perform(e machine.Effect) {
	var t *shellTask
	if e.Do < machine.Settled {
		if t = &w.tasks[e.Index]; t.gone {
			w.fail("%v of a task that was forgotten", e.Do)
		}
	}
	switch e.Do {
	case machine.Start:
		w.start(t, e)
	case machine.Halt:
		w.halt(t, e)
	case machine.RenewWorker:
		if !t.served || t.halted || e.Serial == 0 {
			w.fail("a worker is to be renewed that is not there, or stops")
		}
		t.wish = e.Serial
	case machine.Pardon:
		if t.served {
			w.fail("a task is pardoned that is served")
		}
		t.rested = false
	case machine.Close:
		if t.served || !t.story {
			w.fail("a story is closed that was not begun, or is not over")
		}
		t.story = false
	case machine.Rested:
		if t.served || t.rested || t.story {
			w.fail("a task rests that is served, rests already, or has a story without end")
		}
		t.rested = true
	case machine.Forget:
		if t.served || t.story {
			w.fail("a task is forgotten that is served, or has a story without end")
		}
		t.gone = true
	case machine.Settled:
		w.settle()
	case machine.Begun:
		if !w.open || w.begun {
			w.fail("it begins to stop all twice, or without need")
		}
		w.begun = true
	case machine.Finish:
		w.finish()
	}
}

// start checks that a task starts in its turn.
func (w *treeWorld) start(t *shellTask, e machine.Effect) {
	switch {
	case !w.open || w.begun:
		w.fail("a task starts though all are to stop")
	case t.served:
		w.fail("a task starts that is served")
	case e.Serial != t.serial+1:
		w.fail("start %d follows start %d", e.Serial, t.serial)
	}
	for i := range w.tasks {
		other := &w.tasks[i]
		if other.served && (other.culprit || i < e.Index && !other.ready) && (i < e.Index || w.config.Strategy == machine.OneForAll) {
			w.fail("%s starts before %s is ready, or while it holds its group", name(e.Index), name(i))
		}
	}
	t.served, t.rested, t.story, t.serial = true, false, false, e.Serial
	t.ready = !t.traits.Has(machine.Slow)
}

// halt checks that a task is stopped in its turn.
func (w *treeWorld) halt(t *shellTask, e machine.Effect) {
	if !t.served || t.halted {
		w.fail("a task is to stop that is not served, or stops already")
	}
	ordered := e.Why == machine.ForGroup || e.Why == machine.ForShutdown && !w.config.Unordered
	for i := e.Index + 1; ordered && i < len(w.tasks); i++ {
		if other := &w.tasks[i]; other.served && (!other.culprit || other.halted || e.Why == machine.ForShutdown) {
			w.fail("%s stops before %s has", name(e.Index), name(i))
		}
	}
	t.halted = true
}

// settle checks that all tasks are up.
func (w *treeWorld) settle() {
	if !w.open || w.begun || w.up {
		w.fail("it has settled twice, or though all are to stop")
	}
	for i, t := range w.tasks {
		if !t.gone && (t.served && !t.ready || !t.served && !t.rested) {
			w.fail("it has settled without %s", name(i))
		}
	}
	w.up = true
}

// finish checks that nothing is left.
func (w *treeWorld) finish() {
	if !w.begun {
		w.fail("it finishes though nobody stops it")
	}
	for i := range w.tasks {
		t := &w.tasks[i]
		switch {
		case t.gone:
		case t.served || t.story:
			w.fail("it finishes without %s", name(i))
		case !t.rested && !t.late:
			w.fail("%s has not rested", name(i))
		case w.config.DropDynamic && t.traits.Has(machine.Dynamic):
			w.fail("%s is not forgotten", name(i))
		}
		t.rested, t.ready = false, false
	}
	w.open, w.begun = false, false
}

// consistent checks what must be so after each step.
func (w *treeWorld) consistent() {
	if w.tree.Closing() != w.begun || w.tree.Abandoned() != w.naive.abandoned {
		w.fail("closing %v, %d abandoned", w.tree.Closing(), w.tree.Abandoned())
	}
	for i := range w.tasks {
		t := &w.tasks[i]
		if got, want := w.tree.Stance(i), t.stance(); got != want {
			w.fail("%s is %v, and not %v", name(i), got, want)
		}
		by, blocked := w.tree.Blocker(i)
		if want, found := w.blocker(i); blocked != found || blocked && by != want {
			w.fail("%s waits for %s: %v; and not for %s: %v", name(i), name(by), blocked, name(want), found)
		}
		if waits := w.open && !w.begun && t.stance() == machine.Waiting; waits && !blocked {
			w.fail("%s was not started, and waits for nothing", name(i))
		}
	}
}

// stance is where a task stands, from what the shell knows.
func (t *shellTask) stance() machine.Stance {
	switch {
	case t.gone:
		return machine.Gone
	case t.halted:
		return machine.Halting
	case t.served && t.culprit:
		return machine.Culprit
	case t.served:
		return machine.Served
	case t.rested:
		return machine.Down
	}
	return machine.Waiting
}

// blocker finds for which task one waits: one of its group, or the first one before
// it that is not ready.
func (w *treeWorld) blocker(index int) (int, bool) {
	if !w.open || w.begun || w.tasks[index].stance() != machine.Waiting {
		return 0, false
	}
	if from := w.naive.group; from >= 0 && index >= from {
		for i := from; i < len(w.tasks); i++ {
			if w.tasks[i].served {
				return i, true
			}
		}
	}
	for i := range index {
		if t := &w.tasks[i]; t.served && !t.ready {
			return i, true
		}
	}
	return 0, false
}

func (w *treeWorld) fail(format string, args ...any) {
	w.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, format+"\n%+v", append(args, w.config)...)
	for _, h := range w.past {
		switch h.what {
		case "":
			fmt.Fprintf(&b, "\n%v %s", h.in.Kind, name(h.in.Index))
			if h.in.Kind == machine.Ended {
				fmt.Fprintf(&b, " %v", h.in.End)
			} else if h.in.Serial > 0 {
				fmt.Fprintf(&b, " %d", h.in.Serial)
			}
		case "add":
			fmt.Fprintf(&b, "\nadd with traits %05b", h.traits)
		default:
			fmt.Fprintf(&b, "\n%s", h.what)
		}
	}
	w.Fatalf("%s", b.String())
}

// name names a task by its index.
func name(index int) string { return string(rune('a' + index)) }

func inWords(effects []machine.Effect) string {
	var words []string
	for _, e := range effects {
		words = append(words, fmt.Sprintf("%v %s %v (%d)", e.Do, name(e.Index), e.Why, e.Serial))
	}
	return strings.Join(words, "; ")
}
