package supervise

import "time"

// maxPastRuns is how many past runs are kept of a task.
const maxPastRuns = 16

// PastRun is a run that has ended by itself.
type PastRun struct {
	Run     uint64
	Started time.Time
	Ran     time.Duration
	Crashed bool // else it was a clean exit
}

// history is the last runs of a task that has crashed, or is restarted after clean
// exits: a ring, which grows as they come. It holds no pointers, as the collector would
// follow them at each restart.
type history struct {
	runs []pastRun
	next int // where the next one goes, once the ring is full
}

type pastRun struct {
	run     uint64
	started int64 // in nanoseconds since 1970
	ran     time.Duration
	crashed bool
}

func (h *history) add(r pastRun) {
	if len(h.runs) < maxPastRuns {
		h.runs = append(h.runs, r)
		return
	}
	h.runs[h.next] = r
	if h.next++; h.next == maxPastRuns {
		h.next = 0
	}
}

// ended is when the last run did; the zero time if none has.
func (h *history) ended() time.Time {
	if len(h.runs) == 0 {
		return time.Time{}
	}
	r := h.runs[(h.next+len(h.runs)-1)%len(h.runs)]
	return time.Unix(0, r.started).Add(r.ran)
}

// Runs returns the last runs of the task that have ended by themselves, the latest
// last: up to 16 of one that has crashed, and none of one that never has. Instants have no
// monotonic clock reading.
func (t *Task) Runs() []PastRun {
	p := t.past.Load()
	if p == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]PastRun, len(p.runs.runs))
	for i := range all {
		r := p.runs.runs[(p.runs.next+i)%len(all)]
		all[i] = PastRun{r.run, time.Unix(0, r.started), r.ran, r.crashed}
	}
	return all
}
