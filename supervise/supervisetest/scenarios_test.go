package supervisetest_test

import (
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

var (
	one  = []supervise.Strategy{supervise.OneForOne}
	each = []supervise.Strategy{supervise.OneForOne, supervise.OneForAll, supervise.RestForOne}

	crashes = []supervisetest.FaultKind{supervisetest.Error, supervisetest.Panic, supervisetest.Goexit}
	ends    = append([]supervisetest.FaultKind{supervisetest.Exit}, crashes...)
	hangs   = append([]supervisetest.FaultKind{supervisetest.Hang}, ends...)
	all     = append([]supervisetest.FaultKind{supervisetest.Silence, supervisetest.LateReady}, hangs...)
)

// scenarios go from what is simple to all at once.
var scenarios = []scenario{
	{name: "crashes", strategies: one, kinds: crashes},
	{name: "ends, nested", strategies: one, kinds: ends, depth: 2},
	{name: "ends, held", strategies: one, kinds: ends, depth: 2, held: true},
	{name: "ends, held, again", strategies: one, kinds: ends, depth: 2, held: true, again: true},
	{name: "ends, at whole seconds", strategies: one, kinds: ends, depth: 2, coarse: true},
	{name: "hangs", strategies: one, kinds: hangs, held: true},
	{name: "hangs, nested", strategies: one, kinds: hangs, held: true, depth: 2},
	{name: "hangs, again", strategies: one, kinds: hangs, held: true, again: true},
	{name: "hangs, at whole seconds", strategies: one, kinds: hangs, depth: 1, coarse: true, brink: true},
	{name: "give up", strategies: one, kinds: ends, giveUp: true},
	{name: "give up, nested", strategies: one, kinds: ends, giveUp: true, held: true, depth: 2},
	{name: "give up, again", strategies: each, kinds: ends, giveUp: true, again: true, depth: 2},
	{name: "ready", strategies: one, kinds: all, ready: true, held: true},
	{name: "crowd", strategies: one, kinds: ends, crowd: true, held: true, depth: 1},
	{name: "crowd, ready", strategies: one, kinds: all, crowd: true, ready: true, held: true, depth: 1},
	{name: "watchdog", strategies: one, kinds: all, watchdog: true, held: true},
	{name: "watchdog, overlap", strategies: one, kinds: all, watchdog: true, held: true, overlap: true},
	{name: "watchdog, at whole seconds", strategies: one, kinds: all, watchdog: true, coarse: true, brink: true},
	{name: "watchdog, overlap, at whole seconds", strategies: one, kinds: all, watchdog: true, overlap: true, coarse: true, brink: true},
	{name: "operators", strategies: one, kinds: ends, held: true, operators: true},
	{name: "operators, hangs", strategies: one, kinds: hangs, held: true, operators: true},
	{name: "operators, nested", strategies: one, kinds: ends, held: true, depth: 2, operators: true},
	{name: "operators, watchdog", strategies: one, kinds: all, held: true, depth: 1, operators: true, watchdog: true, ready: true},
	{name: "operators, at whole seconds", strategies: one, kinds: hangs, held: true, depth: 2, operators: true, coarse: true, brink: true},
	{name: "groups", strategies: each, kinds: ends},
	{name: "groups, held", strategies: each, kinds: ends, held: true},
	{name: "groups, nested", strategies: each, kinds: ends, depth: 2, held: true},
	{name: "groups, hangs", strategies: each, kinds: hangs, held: true},
	{name: "groups, ready", strategies: each, kinds: all, held: true, ready: true},
	{name: "groups, watchdog", strategies: each, kinds: all, held: true, watchdog: true},
	{name: "groups, operators", strategies: each, kinds: ends, held: true, operators: true},
	{name: "groups, at whole seconds", strategies: each, kinds: all, depth: 1, watchdog: true, overlap: true, coarse: true},
	{name: "all", strategies: each, kinds: all, depth: 2, operators: true, again: true, giveUp: true, watchdog: true, ready: true, overlap: true, crowd: true, held: true},
	{name: "all, at whole seconds", strategies: each, kinds: all, depth: 2, operators: true, again: true, giveUp: true, watchdog: true, ready: true, overlap: true, crowd: true, held: true, coarse: true, brink: true},
	{name: "an observer blocks", strategies: each, kinds: all, depth: 2, operators: true, watchdog: true, ready: true, held: true, blocked: true},
	{name: "a bad store", strategies: each, kinds: ends, depth: 2, held: true, store: true},
	{name: "a bad store, operators, again", strategies: each, kinds: all, depth: 2, operators: true, again: true, watchdog: true, ready: true, held: true, store: true},
}
