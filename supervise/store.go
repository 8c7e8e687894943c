package supervise

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

// ErrDied is the error of a run that was under way when its process ended
// without stopping it, as far as the store of [WithStore] knows.
var ErrDied = errors.New("supervise: the process died during the run")

// WithStore keeps the tasks' gates in a store, so that a crash loop is found again
// when the process has died. Given to [New] it is for all tasks of the supervisor
// and of those that run below it, unless they have a store of their own; to
// [Supervisor.Go] it must not be given. The key of a task is its path, such as
// root/db/pool; under [Run] it is the name of [WithName], without which Run panics.
//
// Before the first run of a task its gate is loaded and resumed as
// [gate.Snapshot.Resume] has it, unless it is one of [WithGate] that has seen
// something already. A hold goes on for what is left of it. If a run was under way
// when the process died that is a crash of the task, with [ErrDied], and it is held
// as its policy decides; it counts as having lasted as long as it was seen to when
// its gate was saved last, that is, for no time. A task that the policy had given up
// on starts from a clean slate: that the process was started again is the decision
// to try again. A task that was stopped, or ended by itself, has not died.
//
// The death counts for each task that ran, since nobody can say which of them ended the
// process: an innocent one is held for as long as its policy says, and is free again
// after a stable run. Where that is worse than trying again at once, leave deaths out of
// the account of the task:
//
//	policy.Compose(policy.Default(), policy.Ignore(func(err error) bool { return errors.Is(err, supervise.ErrDied) }))
//
// The numbers of runs go on from the last one saved: see [Info]. The event of a death
// has the number of the run that died. A gate of [WithGate] counts the runs of everyone
// who uses it: the numbers go on from there, if that is higher, so some may be left out.
//
// Changes are saved in the background: no task waits for that, and runs are not
// held until their start is durable, since a slow disk is no reason not to run. So
// a process that dies within the time that one Save takes, after a start or a
// crash, has that one forgotten, and may repeat the number of a run. Of several changes the last is saved. When Run
// returns all is saved, unless that takes more than a second.
//
// When the store fails the tasks go on in memory. That is reported, by
// [KindStore] and in the log, once when it begins and once when it is over; until then saving is
// retried, after 100 ms at first and 30 s at last, and one last time at the end of
// Run. A task whose gate cannot be loaded in 5 s, or is corrupt, starts from a clean slate; one that
// cannot be restored is not overwritten. A store that panics or blocks harms
// nothing else. Where another process has saved a task's gate since, which is
// [gate.ErrConflict], the task goes on and its gate is not saved any more, until it
// is loaded again by the next Run: the other's state stands.
//
// What is saved of a task stays in the store until it is deleted from there.
// Defaults to no store, as does nil.
func WithStore(store gate.Store) StoreOption {
	return option(func(o *options) { o.store = store })
}

// kept is the gate of a task in a store.
type kept struct {
	*saver.Entry
	task *Task
	gate *gate.Gate
	by   *saver.Saver
	key  string
}

// Snapshot returns what is to be saved: the gate, with all runs of the task. It may not
// have seen them all, such as those before it was made.
func (k *kept) Snapshot() gate.Snapshot {
	s := k.gate.Snapshot()
	s.Runs = max(s.Runs, k.task.runNumber())
	return s
}

// recall restores the task's gate from the store, before the first run of a worker
// there, and records the death of the process if that ended the last run.
func (w *worker) recall() {
	t, s, key := w.task, w.env.saver, w.task.Name()
	p := t.needPast(w.env)
	if p.kept != nil && p.kept.by == s && p.kept.key == key {
		return
	}
	p.kept = &kept{task: t, gate: p.gate, by: s, key: key}
	p.kept.Entry = s.Entry(key, p.kept, func(err error) { w.env.reportStore(t, err) })
	ctx := w.waiting(forStore)
	saved, found, err := p.kept.Load(ctx)
	if err != nil && ctx.Err() != nil { // the task is to stop: the next worker loads
		p.kept.Drop()
		p.kept = nil
		return
	}
	if used := !p.gate.History().Now().IsZero(); err != nil || !found || used {
		runs := uint64(0)
		if used {
			runs = p.gate.Snapshot().Runs
		}
		if found && new(gate.Tracker).Restore(saved) == nil {
			runs = max(runs, saved.Runs)
		}
		w.countFrom(p, runs)
		return
	}
	now := time.Now()
	if err := p.gate.Restore(saved.Resume(now)); err != nil {
		p.kept.Fence(fmt.Errorf("supervise: what is saved of task %q cannot be restored, and is left as it is; "+
			"delete it from the store to have the task saved again: %w", key, err))
		return
	}
	w.countFrom(p, saved.Runs)
	t.pardon(gate.By{})
	if p.gate.History().Running() {
		w.died(p, now)
	}
}

// countFrom has the numbers of runs go on from one that has been, unless the task has
// come further already.
func (w *worker) countFrom(p *past, run uint64) {
	t := w.task
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.number != t.life.Worker || run <= t.life.Run {
		return
	}
	p.recalled += run - t.life.Run
	t.life.Run = run
	if w.fresh {
		w.run.run = t.life.Pending()
	}
	if w.end != nil && w.end.timer != nil { // which is about the number before
		w.end.stopTimer()
		w.watchEnd()
	}
}

// died records that the process died during the last run of its life before.
func (w *worker) died(p *past, now time.Time) {
	t := w.task
	r := p.gate.Snapshot().History
	ran := r.Now - r.Began
	t.record(p, now, ran, ErrDied)
	state := p.gate.ObserveCrash(now, ErrDied)
	w.keep(p)
	if w.env.wants(KindCrash) {
		w.reportCrash(now, ran, state)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.fresh {
		w.run.follow(p)
	}
}

// keep has the task's gate saved as it is now.
func (w *worker) keep(p *past) {
	if p.kept != nil {
		p.kept.Mark()
	}
}
