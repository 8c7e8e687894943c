package machine_test

import (
	"fmt"
	"testing"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// BenchmarkLifeRestart is what a restart after a crash costs in the machine: the run
// returns, and the next one begins.
func BenchmarkLifeRestart(b *testing.B) {
	life := served()
	for b.Loop() {
		life.Step(machine.LifeInput{Kind: machine.Return, Worker: life.Worker, Run: life.Run})
		life.Step(machine.LifeInput{Kind: machine.Begin, Worker: life.Worker})
	}
}

// BenchmarkTree is what one task costs in each of these: all start, all are restarted
// after a crash, one of all is restarted by an operator, all stop.
func BenchmarkTree(b *testing.B) {
	for _, tasks := range []int{10, 1000, 100_000} {
		perTask := func(name string, bench func(m *machine.Tree), before func() *machine.Tree) {
			b.Run(fmt.Sprint(name, "/", tasks), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					m := before()
					b.StartTimer()
					bench(m)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tasks), "ns/task")
			})
		}
		perTask("start", func(m *machine.Tree) { m.Step(machine.Input{Kind: machine.Open}) }, func() *machine.Tree { return added(tasks) })
		perTask("group", func(m *machine.Tree) { restartAll(m, tasks/2) }, func() *machine.Tree { return opened(tasks) })
		perTask("stop", stopAll, func() *machine.Tree { return opened(tasks) })
		perTask("renew each", func(m *machine.Tree) {
			for i := range tasks {
				m.Step(machine.Input{Kind: machine.RenewTask, Index: i})
				m.Step(machine.Input{Kind: machine.Ended, Index: i, End: machine.Renewed})
			}
		}, func() *machine.Tree { return opened(tasks) })
	}
}

// TestAllocs has no memory allocated by what happens often.
func TestAllocs(t *testing.T) {
	life, tree := served(), opened(100)
	restartAll(tree, 50) // grows the room for effects
	for name, f := range map[string]func(){
		"a restart": func() {
			life.Step(machine.LifeInput{Kind: machine.Return, Worker: life.Worker, Run: life.Run})
			life.Step(machine.LifeInput{Kind: machine.Begin, Worker: life.Worker})
		},
		"a restart of all": func() { restartAll(tree, 50) },
	} {
		if n := testing.AllocsPerRun(100, f); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// served is a task whose first run is under way.
func served() *machine.Life {
	life := &machine.Life{}
	life.Step(machine.LifeInput{Kind: machine.Serve})
	life.Step(machine.LifeInput{Kind: machine.Begin, Worker: 1})
	return life
}

func added(tasks int) *machine.Tree {
	m := machine.NewTree(machine.Config{Strategy: machine.OneForAll})
	for range tasks {
		m.Add(0)
	}
	return m
}

func opened(tasks int) *machine.Tree {
	m := added(tasks)
	m.Step(machine.Input{Kind: machine.Open})
	return m
}

// restartAll is what follows a crash under one for all.
func restartAll(m *machine.Tree, culprit int) {
	effects := m.Step(machine.Input{Kind: machine.Crashed, Index: culprit})
	for len(effects) == 1 && effects[0].Do == machine.Halt {
		effects = m.Step(machine.Input{Kind: machine.Ended, Index: effects[0].Index})
	}
	m.Step(machine.Input{Kind: machine.Ended, Index: culprit, End: machine.Opened})
}

// stopAll is a shutdown, to its end.
func stopAll(m *machine.Tree) {
	effects := m.Step(machine.Input{Kind: machine.Shutdown})
	for last := effects[len(effects)-1]; last.Do == machine.Halt; last = effects[len(effects)-1] {
		effects = m.Step(machine.Input{Kind: machine.Ended, Index: last.Index})
	}
}
