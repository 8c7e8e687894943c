// Package timeline draws what happened to tasks on one time axis: as text for a
// terminal, and as an SVG picture. A [Recorder] collects it from supervise, and
// [Simulated] from a simulation of a policy.
package timeline

import (
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// Kind is what a span or a mark stands for.
type Kind uint8

// The first three are of spans, the others of marks, by rising weight: where
// two share a place, the heavier is drawn.
const (
	Running Kind = iota
	BackingOff
	CrashLooping
	Crash
	Stop
	Force
	Trip
	GaveUp
)

var names = [...]string{"running", "backing off", "crash looping",
	"crash", "stopped", "force release", "crash loop trips", "gave up"}

func (k Kind) String() string { return names[k] }

// Span is a stretch of time in which one thing went on.
type Span struct {
	Kind     Kind
	From, To time.Duration
}

// Mark is something that happened at an instant.
type Mark struct {
	Kind Kind
	At   time.Duration
}

// Lane is what happened to one task.
type Lane struct {
	Name  string
	Spans []Span
	Marks []Mark
}

// Chart is what happened to several tasks from 0 to End.
type Chart struct {
	Lanes []*Lane
	End   time.Duration
}

func (l *Lane) span(k Kind, from, to time.Duration) { l.Spans = append(l.Spans, Span{k, from, to}) }
func (l *Lane) mark(k Kind, at time.Duration)       { l.Marks = append(l.Marks, Mark{k, at}) }

// held enters a hold of a gate that was in phase p.
func (l *Lane) held(p gate.Phase, from, to time.Duration) {
	kind := BackingOff
	if p == gate.CrashLooping {
		kind = CrashLooping
	}
	l.span(kind, from, to)
}

// Recorder is an Observer for supervise that collects a chart. Tasks are in the
// order in which they were first seen. Make one with NewRecorder. Safe for
// concurrent use.
type Recorder struct {
	start time.Time

	mu    sync.Mutex
	lanes []*recording
}

// recording is a lane with what goes on in it.
type recording struct {
	Lane
	open  bool // a span is under way: a hold in phase, or a run if that is Idle
	phase gate.Phase
	since time.Duration
}

// NewRecorder returns a recorder whose chart begins now. Tasks that are named
// have their lanes in that order.
func NewRecorder(tasks ...string) *Recorder {
	r := &Recorder{start: time.Now()}
	for _, name := range tasks {
		r.lane(name)
	}
	return r
}

func (r *Recorder) lane(name string) *recording {
	for _, l := range r.lanes {
		if l.Name == name {
			return l
		}
	}
	l := &recording{Lane: Lane{Name: name}}
	r.lanes = append(r.lanes, l)
	return l
}

// Observe enters an event.
func (r *Recorder) Observe(e supervise.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, at := r.lane(e.Task), e.At.Sub(r.start)
	l.close(at)
	switch e.Kind {
	case supervise.KindStart:
		l.begin(gate.Idle, at)
	case supervise.KindCrash:
		l.mark(Crash, at)
		if e.State.Phase() == gate.CrashLooping {
			l.mark(Trip, at)
		}
		l.hold(e.State, at)
	case supervise.KindExit:
		l.hold(e.State, at)
	case supervise.KindRelease:
		if e.Forced {
			l.mark(Force, at)
		}
	case supervise.KindGiveUp:
		l.mark(GaveUp, at)
	case supervise.KindStop:
		l.mark(Stop, at)
	}
}

func (l *recording) hold(s gate.State, at time.Duration) {
	if p := s.Phase(); p == gate.BackingOff || p == gate.CrashLooping || p == gate.Paused {
		l.begin(p, at)
	}
}

func (l *recording) begin(p gate.Phase, at time.Duration) { l.open, l.phase, l.since = true, p, at }

func (l *recording) close(at time.Duration) {
	if !l.open {
		return
	}
	l.open = false
	if l.phase == gate.Idle {
		l.span(Running, l.since, at)
	} else {
		l.held(l.phase, l.since, at)
	}
}

// Chart returns what has been collected, up to now.
func (r *Recorder) Chart() Chart {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Chart{End: time.Since(r.start)}
	for _, l := range r.lanes {
		l.close(c.End)
		c.Lanes = append(c.Lanes, &l.Lane)
	}
	return c
}

// Simulated returns the lane of a simulated task.
func Simulated(name string, t policy.Timeline) *Lane {
	l := &Lane{Name: name}
	for _, s := range t {
		l.span(Running, s.Start, s.End)
		if s.Err != nil {
			l.mark(Crash, s.End)
		}
		switch s.Verdict {
		case policy.GiveUp:
			l.mark(GaveUp, s.End)
		case policy.CrashLooping:
			l.mark(Trip, s.End)
			l.span(CrashLooping, s.End, s.End+s.Hold)
		default:
			l.span(BackingOff, s.End, s.End+s.Hold)
		}
	}
	return l
}

// End returns the instant at which the lane's last span or mark ends.
func (l *Lane) End() time.Duration {
	var end time.Duration
	for _, s := range l.Spans {
		end = max(end, s.To)
	}
	for _, m := range l.Marks {
		end = max(end, m.At)
	}
	return end
}
