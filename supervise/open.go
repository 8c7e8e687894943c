package supervise

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/machine"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

// open makes the tree of a call of Run.
func (s *Supervisor) open(ctx context.Context) (*tree, error) {
	tr := newTree(ctx, s)
	if tr.within(s) {
		return nil, fmt.Errorf("supervise: supervisor %q is to run as a task below itself; supervisors form trees, not cycles", s.name)
	}
	s.mu.Lock()
	if s.tree != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("supervise: supervisor %q is running already; let its Run return first", s.name)
	}
	s.tree = tr
	s.parent = tr.parent
	s.mu.Unlock()
	if tr.parent != nil && tr.parent.opts.sup != nil {
		tr.parent.opts.sup.adopt(tr.parent, s)
	}
	s.move(tr.env.prefix)
	s.forgive()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue(s.machine.Step(machine.Input{Kind: machine.Open}), nil)
	return tr, nil
}

func newTree(ctx context.Context, s *Supervisor) *tree {
	tr := &tree{s: s, self: ctx}
	o := &s.opts.tasks
	free := context.WithoutCancel(ctx)
	if c, ok := ctx.Value(runKey{}).(*runContext); ok {
		tr.parent = c.worker.task
		tr.env = c.worker.env.below(free, tr.parent.Name()+"/", o)
		if d := tr.parent.opts.stopTimeout; d >= 0 && o.stopTimeout < 0 && tr.parent.runs(s) {
			tr.env.stopTimeout = d
		}
		tr.env.located = c.worker.located()
	} else {
		tr.env = newEnv(free, s.name+"/", o)
	}
	tr.env.tree = tr
	if o.store != nil {
		tr.env.saver, tr.ownsSaver = saver.New(o.store), true
	}
	if s.opts.maxStarts > 0 {
		tr.permits = semaphore.NewWeighted(int64(s.opts.maxStarts))
	}
	return tr
}

// within reports whether the tree is somewhere below s.
func (tr *tree) within(s *Supervisor) bool {
	for t := tr.parent; t != nil && t.opts.sup != nil; t = t.opts.sup.runsAs() {
		if t.opts.sup == s {
			return true
		}
	}
	return false
}

// runs reports whether the task's function is the Run of s itself.
func (t *Task) runs(s *Supervisor) bool {
	return t.nested && t.opts.sup != nil && t.opts.sup.child(t) == s
}

// forgive gives a clean slate to the tasks that the policy had given up on when
// the supervisor ran before: that it runs again is the decision to try again.
func (s *Supervisor) forgive() {
	for _, t := range s.list() {
		t.pardonAside(gate.By{})
	}
}

// pardon opens the task's gate if its policy gave up. It calls the gate's observers.
func (t *Task) pardon(by gate.By) {
	if g := t.theGate(); g != nil && g.State().Phase() == gate.GaveUp {
		g.ForceRelease(by)
	}
}

// pardonAside is pardon for the goroutine of Run: an observer of the gate must neither
// hold that up nor end it. It returns when the gate is open.
func (t *Task) pardonAside(by gate.By) {
	g := t.theGate()
	if g == nil || g.State().Phase() != gate.GaveUp {
		return
	}
	ctx, done := context.WithCancel(context.Background())
	go func() {
		defer done()
		g.ForceRelease(by)
	}()
	_ = g.Wait(ctx) // which does not wait for observers
}

// close ends the tree, and returns what Run returns.
func (s *Supervisor) close(tr *tree) error {
	tr.nag.watch(tr, machine.NoWait, nil)
	if tr.ownsSaver {
		tr.env.saver.Close()
	}
	if tr.parent == nil {
		tr.env.all.flush()
	} else {
		tr.dropFeeds()
		if up := tr.parent.opts.sup; up != nil && !tr.parent.runs(s) {
			up.disown(tr.parent, s)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tree = nil
	select {
	case <-s.settled:
		s.settled = make(chan struct{})
	default:
	}
	return tr.report()
}

// report is what Run returns.
func (tr *tree) report() error {
	errs := append([]error{tr.result}, tr.ends...)
	for _, left := range tr.s.left {
		for ; left != nil; left = left.before {
			if !left.back() {
				errs = append(errs, left.err)
			}
		}
	}
	return join(errs...)
}
