package machine

import "testing"

func TestWaits(t *testing.T) {
	for _, unordered := range []bool{false, true} {
		m := NewTree(Config{Strategy: OneForAll, Unordered: unordered})
		expect := func(when string, want Wait, at int) {
			t.Helper()
			if what, i := m.Waits(); what != want || want != NoWait && want != ForStops && i != at {
				t.Errorf("%s: waits %d for %d, want %d for %d", when, what, i, want, at)
			}
		}
		m.Add(Slow)
		m.Add(0)
		m.Add(0)
		expect("before it runs", NoWait, 0)
		m.Step(Input{Kind: Open})
		expect("the first is not ready", ForReady, 0)
		m.Step(Input{Kind: IsReady, Serial: 1})
		expect("all are up", NoWait, 0)
		m.Step(Input{Kind: Crashed, Index: 0})
		expect("the group stops", ForStop, 2)
		if m.Halted() != 2 {
			t.Errorf("%d is halted", m.Halted())
		}
		m.Step(Input{Kind: Ended, Index: 2, End: Stopped})
		m.Step(Input{Kind: Ended, Index: 1, End: Stopped})
		expect("the gate is held", NoWait, 0)
		m.Step(Input{Kind: Ended, Index: 0, End: Opened})
		m.Step(Input{Kind: IsReady, Serial: 2})
		m.Step(Input{Kind: Shutdown})
		want := ForStop
		if unordered {
			want = ForStops
		}
		expect("all are to stop", want, 2)
		if m.Rests(0) || m.Halted() < 0 {
			t.Error("the first one rests, or none is halted")
		}
		for i := 2; i >= 0; i-- {
			m.Step(Input{Kind: Ended, Index: i, End: Stopped})
		}
		expect("it has ended", NoWait, 0)
		if !m.Rests(0) || m.Halted() >= 0 {
			t.Error("the first one does not rest, or one is halted")
		}
	}
}
