package otelgate

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-go/holdfast/gate"
)

// task is what is open of one task, or of one gate that is watched. Its methods
// need mu, and tell of what the caller has found out. Each guards what it tells
// by itself, so that its fields are right whatever a provider does.
type task struct {
	o    *Observer
	name string

	mu      sync.Mutex
	series  series
	counted bool       // in the metrics
	gone    bool       // the task has ended
	left    bool       // by leave
	running bool       // as far as is known
	phase   gate.Phase // as it is counted
	hold    *hold      // nil if it is not held
	restart *restart   // that is open; nil if there is none, or it is not traced
	ctx     context.Context
}

// hold is one that has not ended.
type hold struct {
	phase gate.Phase
	since time.Time
	span  trace.Span // nil if it is not traced
}

func (o *Observer) newTask(name string) *task {
	name = clip(name, MaxName)
	attrs := append([]attribute.KeyValue{taskKey.String(name)}, o.attributes...)
	t := &task{o: o, name: name, series: newSeries(attrs), ctx: context.Background()}
	t.count()
	return t
}

// measure calls f if the task is counted in the metrics.
func (t *task) measure(f func(in *instruments)) {
	if t.counted {
		t.o.guard(&t.o.metricFault, func() { f(&t.o.metrics) })
	}
}

// count enters the task in the metrics, once there are any.
func (t *task) count() {
	if t.counted || !t.o.measured() {
		return
	}
	t.counted = true
	t.measure(func(in *instruments) {
		in.tasks.Add(t.ctx, 1, t.o.everyone)
		in.phases.Add(t.ctx, 1, t.series.phase(t.phase))
	})
}

// leave ends all that is open.
func (t *task) leave(at time.Time) {
	if t.left {
		return
	}
	t.left = true
	t.unhold(at, shutdown)
	t.resolve(at, shutdown)
	t.measure(func(in *instruments) {
		in.tasks.Add(t.ctx, -1, t.o.everyone)
		in.phases.Add(t.ctx, -1, t.series.phase(t.phase))
	})
}

func (t *task) setPhase(p gate.Phase) {
	from := t.phase
	if p == from {
		return
	}
	t.phase = p
	t.measure(func(in *instruments) {
		in.phases.Add(t.ctx, -1, t.series.phase(from))
		in.phases.Add(t.ctx, 1, t.series.phase(p))
	})
}

// follow makes r, which ctx has, the restart that is open.
func (t *task) follow(ctx context.Context, r *restart) {
	t.restart, t.ctx = r, ctx
}

// resolve ends the restart that is open.
func (t *task) resolve(at time.Time, how outcome) {
	t.restart.end(at, how)
	t.restart, t.ctx = nil, context.Background()
}

// traced reports whether spans of the restart go anywhere.
func (t *task) traced() bool { return t.restart != nil && t.restart.at.IsSampled() }

// end is how a run or a hold ended, as spans, metrics and records tell.
type end struct {
	at     time.Time
	run    uint64        // its number; 0 if it has none
	ran    time.Duration // negative if it is not known
	streak int           // 0 if it is not known
	state  gate.State
	err    error
}

// attributes are those of the crash that e tells of.
func (t *task) attributes(e *end, f *failure) []attribute.KeyValue {
	attrs := append(f.attributes(), t.series.attrs...)
	if e.run > 0 {
		attrs = append(attrs, runKey.Int64(int64(e.run)))
	}
	if e.ran >= 0 {
		attrs = append(attrs, runDurationKey.Float64(seconds(e.ran)))
	}
	if e.streak > 0 {
		attrs = append(attrs, streakKey.Int(e.streak))
	}
	return attrs
}

// crash tells of a crash, and of the hold that it brings.
func (t *task) crash(e end) {
	defer t.held(&e)
	r := crashRecord(e.state.Phase())
	if !t.counted && !t.traced() && !t.o.logged(t.ctx, r) {
		return
	}
	f := failureOf(e.err)
	t.measure(func(in *instruments) {
		set := t.series.error(t.o.kinds.admit(f.kind))
		in.crashes.Add(t.ctx, 1, set)
		if e.ran >= 0 {
			in.runs.Record(t.ctx, seconds(e.ran), set)
		}
	})
	t.tell("crash", r, &e, &f)
}

// giveUp tells that the policy gave up, which ends the restart.
func (t *task) giveUp(e end) {
	f := failureOf(e.err)
	if t.restart == nil {
		t.follow(t.o.begin(t.ctx, t.name, &crash{at: e.at, run: e.run}))
	}
	t.measure(func(in *instruments) { in.giveUps.Add(t.ctx, 1, t.series.task()) })
	t.tell("gave up", &givingUp, &e, &f)
	t.resolve(e.at, gaveUp)
}

// tell makes a span of an instant, and a record beside it.
func (t *task) tell(name string, r *record, e *end, f *failure) {
	logged := t.o.logged(t.ctx, r)
	if !logged && !t.traced() {
		return
	}
	attrs, ctx := t.attributes(e, f), t.ctx
	if t.traced() {
		span := t.o.child(ctx, e.at, name, attrs)
		if span != nil {
			t.o.traces(func() {
				ctx = trace.ContextWithSpan(ctx, span)
				if f.err != nil {
					span.SetStatus(codes.Error, message(f.err))
				} else {
					span.SetStatus(codes.Error, "")
				}
			})
		}
		t.o.finish(span, e.at, e.at)
	}
	if logged {
		t.o.log(ctx, r, e.at, attrs)
	}
}

// held begins a hold, if the state is one.
func (t *task) held(e *end) {
	p := min(e.state.Phase(), gate.Paused)
	t.setPhase(p)
	if p != gate.BackingOff && p != gate.CrashLooping {
		return
	}
	t.measure(func(in *instruments) { in.holds.Add(t.ctx, 1, t.series.phase(p)) })
	t.hold = &hold{phase: p, since: e.at}
	if !t.traced() {
		return
	}
	attrs := append([]attribute.KeyValue(nil), t.series.attrs...)
	if until, ends := e.state.ReleaseAt(); ends {
		attrs = append(attrs, holdDelayKey.Float64(seconds(until.Sub(e.at))))
	}
	if e.streak > 0 {
		attrs = append(attrs, streakKey.Int(e.streak))
	}
	t.hold.span = t.o.child(t.ctx, e.at, p.String(), attrs)
}

// unhold ends the hold, if there is one.
func (t *task) unhold(at time.Time, how outcome) {
	h := t.hold
	if h == nil {
		return
	}
	t.hold = nil
	t.measure(func(in *instruments) {
		in.held.Record(t.ctx, seconds(at.Sub(h.since)), t.series.ending(ending{h.phase, how}))
	})
	t.o.finish(h.span, h.since, at, holdOutcomeKey.String(string(how)))
	t.setPhase(gate.Idle)
}
