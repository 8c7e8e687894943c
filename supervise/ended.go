package supervise

import (
	"errors"
	"fmt"
)

// What the tree does when a worker has ended, or is left behind.

// ended enters that the worker which served a task has ended.
func (tr *tree) ended(w *worker) {
	t := w.task
	p := &t.place
	asked := p.asked
	tr.vacate(t)
	switch {
	case tr.cause != nil:
		p.state = down
		if w.end.real != nil {
			tr.ends = append(tr.ends, fmt.Errorf("%s: %w", t.path(), w.end.real))
		}
	case asked && w.end.outcome == stopped:
		tr.want(t, p.state)
	case w.end.outcome == completed:
		tr.completed(t, nil)
	case w.end.outcome == crashed:
		tr.completed(t, fmt.Errorf("%s: %w", t.path(), w.end.result))
	case w.end.outcome == gaveUp:
		tr.gaveUp(t, w.end.result)
	case asked && p.state == down: // it crashed as Task.Stop was called
		p.state = held
		tr.stayDown(t, errStopped)
	default:
		tr.gather(t)
	}
	if p.state == down && tr.cause == nil && w.again {
		tr.want(t, waiting)
	}
	if p.state == down && t.opts.restart == never {
		tr.remove(t)
	}
}

// vacate enters that no worker serves the task now.
func (tr *tree) vacate(t *Task) {
	p := &t.place
	if p.asked && p.worker.end.timer != nil {
		p.worker.end.timer.Stop()
	}
	p.worker, p.asked = nil, false
	tr.serving--
}

// abandon leaves a worker behind, unless it has ended its run just now: then its
// own notice follows.
func (tr *tree) abandon(w *worker, cause error) bool {
	err := w.abandon(cause)
	if err == nil {
		return false
	}
	tr.vacate(w.task)
	tr.s.abandoned[w] = err
	if limit := tr.s.opts.maxAbandoned; limit > 0 && len(tr.s.abandoned) > limit {
		tr.shutdown(ErrAbandoned, ErrAbandoned)
	}
	return true
}

// crashed enters a crash that left a task without a worker.
func (tr *tree) crashed(t *Task, gave error) {
	switch {
	case gave != nil:
		tr.gaveUp(t, gave)
	case tr.env.grouped():
		tr.gather(t)
	default:
		tr.want(t, waiting) // its next worker waits at the gate
	}
}

func (tr *tree) gaveUp(t *Task, err error) {
	t.place.state = down
	switch {
	case !t.opts.optional:
		tr.shutdown(err, err)
	case tr.s.opts.allSignificant:
		tr.completed(t, nil)
	}
}

// completed enters that a task has ended by itself for good: cleanly, or with err.
func (tr *tree) completed(t *Task, err error) {
	t.place.state = down
	if !t.opts.significant {
		return
	}
	if err != nil {
		tr.failures = append(tr.failures, err)
	}
	if tr.s.opts.allSignificant {
		for _, other := range tr.s.tasks {
			if other != nil && other.opts.significant && (other.place.worker != nil || other.place.state != down) {
				return
			}
		}
	}
	tr.shutdown(errComplete, errors.Join(tr.failures...))
}
