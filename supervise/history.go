package supervise

import "time"

// maxPastRuns is how many past runs are kept of a task.
const maxPastRuns = 16

// PastRun is a run that has ended.
type PastRun struct {
	Run     uint64
	Started time.Time
	Ran     time.Duration
	Err     error // what it ended with; nil after a clean exit
}

// history is the last runs of a task that has crashed, or is restarted after clean
// exits: a ring, which grows as they come.
type history struct {
	runs []PastRun
	next int // where the next one goes, once the ring is full
}

func (h *history) add(r PastRun) {
	if len(h.runs) < maxPastRuns {
		h.runs = append(h.runs, r)
		return
	}
	h.runs[h.next] = r
	h.next = (h.next + 1) % maxPastRuns
}

// Runs returns the last runs of the task that have ended, the latest last: up to 16 of
// one that has crashed, and none of one that never has. Runs that were stopped are not
// among them.
func (t *Task) Runs() []PastRun {
	p := t.past.Load()
	if p == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h := &p.runs
	return append(append([]PastRun(nil), h.runs[h.next:]...), h.runs[:h.next]...)
}
