package supervise

import (
	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// starts are the tasks that are started together. Whether starts are to be reported is
// asked once for them, aside.
type starts struct {
	*tree
	asked, wanted bool
}

func (st *starts) start(t *Task, serial uint32) {
	e := st.envOf(t)
	w := t.newWorker(e, serial)
	wanted := st.wanted
	if e != st.env || !st.asked {
		wanted = e.wantsAside(KindStart)
	}
	if e == st.env {
		st.asked, st.wanted = true, wanted
	}
	w.beginNow(wanted)
	go w.work(nil)
}

// newWorker returns the worker that is to serve the task from now on.
func (t *Task) newWorker(e *env, serial uint32) *worker {
	behind := false
	if s := t.opts.sup; s != nil {
		s.mu.Lock()
		behind = s.left[t] != nil
		s.mu.Unlock()
	}
	e.serves(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	w := &t.first
	if t.worker != nil {
		w = &worker{}
	}
	t.life.Step(machine.LifeInput{Kind: machine.Serve})
	w.task, w.env, w.serial, w.number, w.behind = t, e, serial, t.life.Worker, behind
	if e.saver == nil {
		w.stage = arriving
	}
	t.worker = w
	return w
}
