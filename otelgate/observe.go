package otelgate

import (
	"errors"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/holdfast-go/holdfast/supervise"
)

// observe tells of an event of a task that package supervise runs.
func (t *task) observe(e supervise.Event) {
	t.count()
	t.catchUp(e)
	switch e.Kind {
	case supervise.KindStart:
		t.started(e)
	case supervise.KindCrash:
		t.crashed(e)
	case supervise.KindExit:
		t.exited(e)
	case supervise.KindRelease:
		t.unhold(e.At, howReleased(e.Forced))
	case supervise.KindGiveUp:
		t.giveUp(end{at: e.At, run: e.Run, ran: -1, err: e.Err})
		t.gone = true
	case supervise.KindStop:
		if t.running {
			t.ran(e.Ran)
		}
		t.over(e.At, shutdown)
	case supervise.KindAbandon:
		t.abandoned(e)
	}
}

// catchUp ends what was to be ended by events that were dropped, and makes the
// restart of the event the one that is open.
func (t *task) catchUp(e supervise.Event) {
	began := e.At // when the run did that has ended
	if e.Kind == supervise.KindCrash || e.Kind == supervise.KindExit {
		began = began.Add(-e.Ran)
		t.unhold(began, lost)
	}
	r := t.o.restartOf(e.Context())
	if t.restart != nil && r != t.restart {
		t.unhold(began, lost)
		t.resolve(began, lost)
	}
	if t.restart == nil && !r.over() {
		t.follow(e.Context(), r)
	}
	if e.Kind == supervise.KindExit {
		t.resolve(began, lost)
	}
}

func howReleased(byForce bool) outcome {
	if byForce {
		return forced
	}
	return elapsed
}

// over enters that the task has ended.
func (t *task) over(at time.Time, how outcome) {
	t.unhold(at, how)
	t.resolve(at, how)
	t.gone = true
}

func (t *task) started(e supervise.Event) {
	t.running = true
	t.unhold(e.At, restarted)
	if e.Run > 1 {
		t.measure(func(in *instruments) { in.restarts.Add(t.ctx, 1, t.series.task()) })
	}
	t.resolve(e.At, restarted)
}

func (t *task) crashed(e supervise.Event) {
	t.running = false
	t.crash(end{at: e.At, run: e.Run, ran: e.Ran, streak: e.Streak, state: e.State, err: e.Err})
	if e.Last {
		t.over(e.At, ended)
	}
}

func (t *task) exited(e supervise.Event) {
	t.running = false
	t.ran(e.Ran)
	if e.Last {
		t.gone = true
		return
	}
	t.held(&end{at: e.At, state: e.State})
}

// ran measures a run that did not crash.
func (t *task) ran(d time.Duration) {
	t.measure(func(in *instruments) { in.runs.Record(t.ctx, seconds(d), t.series.task()) })
}

// abandoned tells of a run that does not end. Either the task has ended with it,
// or a later event enters the task anew.
func (t *task) abandoned(e supervise.Event) {
	t.measure(func(in *instruments) { in.abandoned.Add(t.ctx, 1, t.series.task()) })
	if t.o.logged(t.ctx, &abandoning) {
		attrs := append(t.series.attrs[:len(t.series.attrs):len(t.series.attrs)], runKey.Int64(int64(e.Run)))
		var err *supervise.AbandonedError
		if errors.As(e.Err, &err) {
			attrs = append(attrs, semconv.CodeStacktrace(clip(string(err.Stack), MaxStack)))
		}
		t.o.log(t.ctx, &abandoning, e.At, attrs)
	}
	t.gone = true
}
