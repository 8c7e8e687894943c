package machine_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// random does one thing at random. What its tasks do is plausible, mostly.
func (w *treeWorld) random() {
	switch {
	case !w.open && w.often(40):
		w.step(machine.Input{Kind: machine.Open})
		return
	case len(w.tasks) == 0 || w.often(5) && len(w.tasks) < 8:
		w.add()
		return
	case w.often(3):
		w.compact()
		return
	case w.often(2):
		w.step(machine.Input{Kind: []machine.Kind{machine.Shutdown, machine.Open}[w.dice(2)]})
		return
	}
	i := w.dice(len(w.tasks))
	t := &w.tasks[i]
	in := machine.Input{Index: i}
	switch what := w.dice(16); {
	case what < 6 && t.served || what == 6:
		in.Kind, in.End = machine.Ended, w.end(t)
	case what < 8:
		in.Kind = machine.Crashed
	case what < 10:
		in.Kind, in.Serial = machine.IsReady, t.serial-uint32(w.dice(5)/4)
	case what == 10 && w.tree.Abandoned() > 0 && w.often(50):
		in.Kind = machine.Returned
	case what == 10:
		in.Kind = machine.Left
	case what == 11:
		in.Kind = machine.RemoveTask
	case what < 14:
		in.Kind = machine.StopTask
	case what == 14:
		in.Kind = machine.RenewTask
	default:
		in.Kind, in.Serial = machine.RenewTask, t.wish
	}
	w.step(in)
}

// end is how a worker ends, that of a task which may stop.
func (w *treeWorld) end(t *shellTask) machine.End {
	switch {
	case t.halted && w.often(80):
		return machine.Stopped
	case t.culprit && w.often(80):
		return machine.Opened
	}
	return machine.End(w.dice(6))
}

// calm has all workers that were asked to stop do so, all gates open, and all tasks
// become ready. That comes to an end, and then all are up, or down as is wanted; or the
// supervisor has finished.
func (w *treeWorld) calm() {
	for range 100 {
		if !w.calmer() {
			w.still()
			return
		}
	}
	w.fail("it never ends")
}

// calmer does the next thing of calm, and reports whether there was any.
func (w *treeWorld) calmer() bool {
	for i := range w.tasks {
		t := &w.tasks[i]
		switch {
		case t.halted:
			w.step(machine.Input{Kind: machine.Ended, Index: i, End: machine.Stopped})
		case t.culprit:
			w.step(machine.Input{Kind: machine.Ended, Index: i, End: machine.Opened})
		case t.served && !t.ready:
			w.step(machine.Input{Kind: machine.IsReady, Index: i, Serial: t.serial})
		default:
			continue
		}
		return true
	}
	return false
}

// still checks that nothing is left to be done.
func (w *treeWorld) still() {
	if w.begun {
		w.fail("it does not finish")
	}
	if w.open && !w.up {
		w.fail("it does not settle")
	}
	for i, t := range w.tasks {
		if w.open && !t.gone && !t.rested && !t.served {
			w.fail("%s is not started", name(i))
		}
	}
}

// live does n things at random, then comes to rest, stops, and comes to rest.
func (w *treeWorld) live(n int) {
	for range n {
		w.random()
	}
	w.calm()
	w.step(machine.Input{Kind: machine.Shutdown})
	w.calm()
	if w.open {
		w.fail("it goes on after a shutdown")
	}
}

func TestTreeModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newTreeWorld(rt, drawn(rt))
		for range rapid.IntRange(1, 3).Draw(rt, "lives") {
			w.live(rapid.IntRange(1, 40).Draw(rt, "inputs"))
		}
	})
}

// TestTreeRandom is the same with very many inputs.
func TestTreeRandom(t *testing.T) {
	w := newTreeWorld(t, seeded(1))
	for done, n := 0, inputs(t); done < n; done += len(w.past) {
		w.reset()
		for range 1 + w.dice(4) {
			w.live(w.dice(100))
		}
	}
}

// FuzzTree is the same with inputs of a fuzzer.
func FuzzTree(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(20) {
		dice := seeded(seed)
		data := make([]byte, 50+dice(500))
		for i := range data {
			data[i] = byte(dice(256))
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newTreeWorld(t, ofBytes(&data))
		for range 4 {
			w.live(min(len(data)/4, 200))
		}
	})
}
