package supervise

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// Option is an option of [Run]. Options that carry a value begin with With;
// modes are plain words. The last of several of one kind counts, but for
// [WithObserver], which adds.
//
// Given to [New], an option is for all tasks of the supervisor that are not given
// the same one themselves. Safe for concurrent use.
type Option interface {
	SupervisorOption
	apply(*options)
}

type option func(*options)

func (o option) apply(to *options)                     { o(to) }
func (o option) applySupervisor(to *supervisorOptions) { o(&to.tasks) }

type options struct {
	sup          *Supervisor // of whose tasks they are; nil under Run
	name         string
	policy       policy.Policy
	gate         *gate.Gate
	logger       *slog.Logger
	observers    []Observer
	store        *storage      // nil for none
	stopTimeout  time.Duration // negative: none
	limit        time.Duration // of the watchdog; 0: none
	readyTimeout time.Duration // 0: none
	restart      restartMode
	letPanic     bool
	optional     bool
	significant  bool
	overlap      bool
}

type restartMode uint8

const (
	onCrash restartMode = iota
	always
	never
)

func collect(o options, opts []Option) *options {
	o.observers = slices.Clip(o.observers) // those of several tasks begin alike
	for _, opt := range opts {
		if opt != nil {
			opt.apply(&o)
		}
	}
	if o.gate != nil && o.policy != nil {
		panic("supervise: WithPolicy has no effect beside WithGate, whose gate has a policy of its own; give the policy to gate.New")
	}
	if o.significant && o.restart == always {
		panic("supervise: Significant has no effect beside Always, under which a task has no end; leave one of them out")
	}
	return &o
}

// WithName names the task, in errors, events, log lines and pprof labels.
// Defaults to the name of the function. An empty name panics.
func WithName(name string) Option {
	if name == "" {
		panic("supervise: WithName: the name is empty; leave the option out to name the task after its function")
	}
	return option(func(o *options) { o.name = name })
}

// WithPolicy sets the policy by which the task is restarted.
// Defaults to [policy.Default], as does nil.
func WithPolicy(p policy.Policy) Option {
	return option(func(o *options) { o.policy = p })
}

// WithGate runs the task under a gate that the caller holds, too: to watch it,
// to force it open, or to keep its history from one Run to the next. The gate's
// own policy decides, so WithPolicy beside it panics. While the gate is held
// when Run begins, the task waits.
// Defaults to a new gate, as does nil.
func WithGate(g *gate.Gate) Option {
	return option(func(o *options) { o.gate = g })
}

// WithLogger sets the logger. Crashes are logged at level Warn, at Error once
// they are a crash loop and when the task gives up or is abandoned; an operator's
// release at Info; starts, clean exits and the end at Debug. A crash whose error is the same
// as that of the crash before is logged without repeating it. Records are
// handled on a goroutine of their own, in order.
// Defaults to [slog.Default], as does nil.
func WithLogger(l *slog.Logger) Option {
	return option(func(o *options) { o.logger = l })
}

// WithObserver adds an observer. A nil one is ignored. That of a task which runs a
// supervisor is told of the supervisor's tasks.
func WithObserver(obs Observer) Option {
	return option(func(o *options) {
		if obs != nil {
			o.observers = append(o.observers, obs)
		}
	})
}

// WithStopTimeout bounds how long Run waits for the function to return after its
// context is done, or after the watchdog has cancelled a run. When ctx is done and the time has passed,
// Run returns an [*AbandonedError] with the stack of the goroutine, which it
// leaves behind. When the watchdog has cancelled a run that then does not end,
// that is logged and told to observers, and the task stays without a new run
// until it does: two runs of a task never overlap.
// Defaults to waiting as long as it takes. A negative d panics.
func WithStopTimeout(d time.Duration) Option {
	if d < 0 {
		panic(fmt.Sprintf("supervise: WithStopTimeout: %v is negative; leave the option out to wait as long as it takes", d))
	}
	return option(func(o *options) { o.stopTimeout = d })
}

// WithWatchdog cancels a run, with the cause [ErrWatchdog], when the function
// has not called [Alive] for as long as d, counted from its start at first. The
// run then counts as a crash however it ends.
// Defaults to no watchdog. A d that is not positive panics.
func WithWatchdog(d time.Duration) Option {
	if d <= 0 {
		panic(fmt.Sprintf("supervise: WithWatchdog: %v is not positive; give the longest time between two calls of Alive", d))
	}
	return option(func(o *options) { o.limit = d })
}

// Always restarts the task after a clean exit, too, when the policy says.
func Always() Option { return option(func(o *options) { o.restart = always }) }

// Once runs the task a single time: a crash is observed, and returned by Run as
// it is.
func Once() Option { return option(func(o *options) { o.restart = never }) }

// WithReadyTimeout says that a run takes time to start up, and tells by [Ready]
// when it has. Under a supervisor the tasks after this one are started only then.
// A run that has not told after d is cancelled, with the cause [ErrNotReady], and
// counts as a crash however it ends.
// Defaults to a run that is ready from its start. A d that is not positive panics.
func WithReadyTimeout(d time.Duration) Option {
	if d <= 0 {
		panic(fmt.Sprintf("supervise: WithReadyTimeout: %v is not positive; give the longest time that a start may take", d))
	}
	return option(func(o *options) { o.readyTimeout = d })
}

// Optional says that the supervisor goes on without the task when the policy
// gives up on it. It has no meaning to [Run].
func Optional() Option { return option(func(o *options) { o.optional = true }) }

// Significant says that the end of the task ends its supervisor, cleanly: a clean
// exit, or with [Once] a crash, too, whose error the supervisor's Run then returns;
// see [AllSignificant]. With [Always], under which a task has no end, it panics. It
// has no meaning to [Run].
func Significant() Option { return option(func(o *options) { o.significant = true }) }

// Overlap lets a supervisor start another run of the task while one that it
// has abandoned is still there. It has no meaning to [Run], under which runs never overlap.
// Defaults to waiting until the abandoned run has ended.
func Overlap() Option { return option(func(o *options) { o.overlap = true }) }

// LetPanic does not recover panics of the function: they end the process, as
// they would without supervision.
func LetPanic() Option { return option(func(o *options) { o.letPanic = true }) }
