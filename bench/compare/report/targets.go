package main

import "fmt"

// target is a figure to reach: the median of a over that of b, or of a alone if
// there is no b.
type target struct {
	what    string
	a, b    figure
	limit   float64
	atLeast bool // or at most
	reach   string
}

func peer(bench, unit string) figure { return figure{"compare:" + bench, unit} }
func own(bench, unit string) figure  { return figure{"bench:" + bench, unit} }

var now = own("Now", "ns/op")

var targets = []target{
	{"restart after an error: suture ÷ ours", peer("Restart/after=error/lib=suture", "ns/op"),
		peer("Restart/after=error/lib=holdfast", "ns/op"), 10, true, "≥ 10"},
	{"… with supervise.Run, without a supervisor", peer("Restart/after=error/lib=suture", "ns/op"),
		peer("Restart/after=error/lib=holdfast-run", "ns/op"), 10, true, "≥ 10"},
	{"… allocations", peer("Restart/after=error/lib=holdfast", "allocs/op"), figure{}, 0, false, "0"},
	{"restart after a panic: suture ÷ ours", peer("Restart/after=panic/lib=suture", "ns/op"),
		peer("Restart/after=panic/lib=holdfast", "ns/op"), 25, true, "≥ 25"},
	{"… allocations", peer("Restart/after=panic/lib=holdfast", "allocs/op"), figure{}, 3, false, "≤ 3"},
	{"per-crash decision, default stack ÷ time.Now", own("TrackerObserveCrash/crashes=same-instant", "ns/op"),
		now, 14.0 / 43, false, "≤ 14/43 = 0.326"},
	{"… of crashes 200 s apart", own("TrackerObserveCrash/crashes=200s-apart", "ns/op"),
		now, 14.0 / 43, false, "≤ 14/43 = 0.326"},
	{"… allocations", own("TrackerObserveCrash/crashes=same-instant", "allocs/op"), figure{}, 0, false, "0"},
	{"through Gate ÷ time.Now", own("GateObserveCrash/observers=0", "ns/op"), now, 20.0 / 43, false, "≤ 20/43 = 0.465"},
	{"… allocations", own("GateObserveCrash/observers=0", "allocs/op"), figure{}, 0, false, "0"},
	{"gate read (Admissible, held) ÷ time.Now", own("GateAdmissible/gate=held", "ns/op"), now, 3.0 / 43, false, "≤ 3/43 = 0.070"},
	{"… (State, held)", own("GateState/gate=held", "ns/op"), now, 3.0 / 43, false, "≤ 3/43 = 0.070"},
	{"… by 2 readers beside a writer that pauses ÷ alone", own("GateReaders/readers=2/writer=paused", "ns/op"),
		own("GateReaders/readers=1/writer=none", "ns/op"), 1.5, false, "≤ 1.5"},
	{"… beside a writer that never pauses ÷ alone", own("GateReaders/readers=2/writer=busy", "ns/op"),
		own("GateReaders/readers=1/writer=none", "ns/op"), 1.5, false, "≤ 1.5"},
	{"memory of an idle task, of 100k, stacks included: ours ÷ suture", idleOf("holdfast", "B/task"), idleOf("suture", "B/task"), 1, false, "≤ 1"},
	{"… heap alone", idleOf("holdfast", "heap-B/task"), idleOf("suture", "heap-B/task"), 1, false, "≤ 1"},
	{"start of 100k tasks: ours ÷ suture", idleOf("holdfast", "start-ns"), idleOf("suture", "start-ns"), 0.7, false, "≤ 0.7"},
	{"stop of 100k tasks: ours ÷ suture", idleOf("holdfast", "stop-ns"), idleOf("suture", "stop-ns"), 0.7, false, "≤ 0.7"},
	{"10k-task crash storm, all restarted: ours ÷ suture", peer("Storm/lib=holdfast/tasks=10000", "storm-ns"),
		peer("Storm/lib=suture/tasks=10000", "storm-ns"), 0.25, false, "≤ 0.25"},
}

func idleOf(lib, unit string) figure { return peer("Idle/lib="+lib+"/tasks=100000", unit) }

// row says what was measured and whether it is enough.
func (t target) row(f figures) []string {
	value, spread, p := f.median(t.a), f.spread(t.a), ""
	if t.b != (figure{}) {
		value, spread, p = f.ratio(t.a, t.b), spread+" ÷ "+f.spread(t.b), fmt.Sprintf("%.3f", f.p(t.a, t.b))
	}
	reached := "**not reached**"
	if t.atLeast && value >= t.limit || !t.atLeast && value <= t.limit {
		reached = "reached"
	}
	return []string{t.what, t.reach, fmt.Sprintf("%.3g", value), spread, p, reached}
}
