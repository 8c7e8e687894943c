package machine_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// lifeWorld steps a Life and its naive model with the same random inputs.
type lifeWorld struct {
	judge
	dice
	life  machine.Life
	naive naiveLife
	past  []machine.LifeInput
	begun uint64       // the number of the last run whose function was called
	seen  map[int]bool // which of lifeStates it was in
}

// step has both take in one thing.
func (w *lifeWorld) step(in machine.LifeInput) {
	w.past = append(w.past, in)
	before := w.life
	effect := w.life.Step(in)
	if want := w.naive.step(in); effect != want {
		w.fail("it does %v, not %v", effect, want)
	}
	n, l := &w.naive, &w.life
	if l.Phase != n.phase() || l.Run != n.run.number || l.Worker != n.worker.number || l.Again != n.again {
		w.fail("it stands %s, and not %+v", standing(*l), *n)
	}
	if (l.UnderWay() || effect == machine.Settle) && l.Fault != n.run.fault {
		w.fail("its fault is %v, not %v", l.Fault, n.run.fault)
	}
	w.watch(before, effect)
}

// watch checks what must be so whatever happened.
func (w *lifeWorld) watch(before machine.Life, effect machine.LifeEffect) {
	l := &w.life
	switch {
	case l.Run < before.Run || l.Worker < before.Worker:
		w.fail("a number goes down")
	case effect&machine.Call != 0 && l.Run <= w.begun:
		w.fail("run %d comes again", l.Run)
	case effect&machine.Call != 0 && before.Phase != machine.Held:
		w.fail("a run begins beside another one, or though the task is to stop")
	case effect&machine.Abandon != 0 && before.Fault == machine.Healthy && before.Phase != machine.Stopping && before.Phase != machine.Leaving:
		w.fail("a run is abandoned that was not cancelled")
	case effect&machine.Replace != 0 && before.Phase == machine.Stopping:
		w.fail("a task goes on that is to stop")
	}
	state := slices.IndexFunc(lifeStates, func(s machine.Life) bool { return sameState(s, *l) })
	if state < 0 {
		w.fail("the table does not have that state")
	}
	w.seen[state] = true
	if effect&machine.Call != 0 {
		w.begun = l.Run
	}
}

// sameState reports whether two lives differ in numbers alone, and in a fault that
// does not count any more, or not which.
func sameState(a, b machine.Life) bool {
	a.Run, a.Worker = b.Run, b.Worker
	if !a.UnderWay() || a.Phase == machine.Stopping && b.Fault != machine.Healthy && a.Fault != machine.Healthy {
		a.Fault = b.Fault
	}
	return a == b
}

func (w *lifeWorld) fail(format string, args ...any) {
	w.Helper()
	w.Fatalf("%s\nafter %+v", fmt.Sprintf(format, args...), w.past)
}

// random is an input about the run and worker that the task has, mostly.
func (w *lifeWorld) random() machine.LifeInput {
	kinds := [...]machine.LifeKind{machine.Begin, machine.Begin, machine.Begin, machine.Return, machine.Return, machine.Leave,
		machine.Stop, machine.Renew, machine.Cycle, machine.Ready, machine.Silence, machine.Tardy, machine.Overdue}
	in := machine.LifeInput{Kind: kinds[w.dice(len(kinds))], Slow: w.often(50), Worker: w.life.Worker, Run: w.life.Pending()}
	if w.life.Phase == machine.Idle && w.often(50) || w.often(1) {
		in.Kind = machine.Serve
	}
	if w.often(10) {
		in.Worker -= uint32(w.dice(3))
	}
	if w.often(10) {
		in.Run += uint64(w.dice(4)) - 2
	}
	return in
}

func TestLifeModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &lifeWorld{judge: rt, dice: drawn(rt), seen: map[int]bool{}}
		for range rapid.IntRange(1, 60).Draw(rt, "inputs") {
			w.step(w.random())
		}
	})
}

// TestLifeRandom is the same with very many inputs.
func TestLifeRandom(t *testing.T) {
	const each = 1000
	seen := map[int]bool{}
	for seed := range uint64(inputs(t)) / each {
		w := &lifeWorld{judge: t, dice: seeded(seed), seen: seen, past: make([]machine.LifeInput, 0, each)}
		for range each {
			w.step(w.random())
		}
	}
	for i, state := range lifeStates {
		if !seen[i] {
			t.Errorf("it was never %s", standing(state))
		}
	}
}
