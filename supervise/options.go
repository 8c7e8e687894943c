package supervise

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// Options that carry a value begin with With; modes are plain words. Each says by its
// type where it means something: in [Run], in [Supervisor.Add], in [New], or in
// several; where it means nothing it does not compile. The last one of a kind wins,
// except [WithObserver], which accumulates. A nil option is ignored everywhere.
type (
	// RunOption is an option of [Run].
	RunOption interface{ applyRun(*options) }
	// TaskOption is an option of [Supervisor.Add].
	TaskOption interface{ applyTask(*options) }
	// SupervisorOption is an option of [New]. One that is a TaskOption, too, is the
	// default of all its tasks.
	SupervisorOption interface{ applySupervisor(*supervisorOptions) }
	// Option is an option of all three.
	Option interface {
		RunOption
		TaskOption
		SupervisorOption
	}
	// GateOption is an option of one task.
	GateOption interface {
		RunOption
		TaskOption
	}
	// StoreOption is an option of what stands for itself: [Run] and [New].
	StoreOption interface {
		RunOption
		SupervisorOption
	}
	// SiblingOption is an option of tasks of a supervisor.
	SiblingOption interface {
		TaskOption
		SupervisorOption
	}
)

// option sets something, for whoever has it as an option.
type option func(*options)

func (o option) applyRun(to *options)                  { o(to) }
func (o option) applyTask(to *options)                 { o(to) }
func (o option) applySupervisor(to *supervisorOptions) { o(&to.tasks) }

// options are what a task was given, or the defaults of a supervisor's tasks.
type options struct {
	sup          *Supervisor // whose tasks they are for; nil under Run
	name         string
	policy       policy.Policy
	gate         *gate.Gate
	logger       *slog.Logger
	observers    []Observer
	admission    Admission
	store        gate.Store
	stopTimeout  time.Duration // negative: not given
	silence      time.Duration // of the watchdog; 0: none
	readyTimeout time.Duration // 0: none
	restart      Restart
	letPanic     bool
	optional     bool
	significant  bool
	overlap      bool
}

// collect returns the options of one task, whose defaults are in o.
func collect[O any](o options, opts []O, apply func(O, *options)) *options {
	o.observers = slices.Clip(o.observers) // those of several tasks begin alike
	defaults := o.policy
	o.policy = nil
	for _, opt := range opts {
		if any(opt) != nil {
			apply(opt, &o)
		}
	}
	if o.gate != nil && o.policy != nil {
		panic("supervise: WithPolicy has no effect beside WithGate, whose gate has a policy of its own; give the policy to gate.New")
	}
	if o.policy == nil {
		o.policy = defaults
	}
	if o.significant && o.restart == Always {
		panic("supervise: Significant has no effect beside WithRestart(Always), under which a task has no end; leave one of them out")
	}
	return &o
}

// WithName names the task, in errors, events, log lines and pprof labels.
// Defaults to the name of the function. An empty name panics.
func WithName(name string) RunOption {
	if name == "" {
		panic("supervise: WithName: the name is empty; leave the option out to name the task after its function")
	}
	return option(func(o *options) { o.name = name })
}

// WithPolicy sets the policy that decides about crashes.
// Defaults to [policy.Default], as does nil; under a nested supervisor, to what the
// supervisor above it gives its tasks.
func WithPolicy(p policy.Policy) Option {
	return option(func(o *options) { o.policy = p })
}

// WithGate runs the task under a gate that the caller holds, too: to watch it,
// to force it open, or to keep its history from one Run to the next. The gate's
// own policy decides: WithPolicy beside it panics, and the one given to [New] has no
// effect. While the gate is held when Run begins, the task waits.
// Defaults to a new gate, as does nil.
func WithGate(g *gate.Gate) GateOption {
	return option(func(o *options) { o.gate = g })
}

// WithLogger sets the logger. Crashes are logged at level Warn, at Error once
// they are a crash loop and when the task gives up or is abandoned; the end of a task
// for good, an operator's acts, and whatever a task waits for longer than ten seconds at
// Info; starts and planned stops at Debug. Records are handled on a goroutine of their
// own, in order.
// Defaults to [slog.Default], as does nil; under a nested supervisor, to the logger
// of the supervisor above it.
func WithLogger(l *slog.Logger) Option {
	return option(func(o *options) { o.logger = l })
}

// WithObserver adds an observer. A nil one is ignored. The observers of a task that runs
// a supervisor observe the supervisor's tasks.
func WithObserver(obs Observer) Option {
	return option(func(o *options) {
		if obs != nil {
			o.observers = append(o.observers, obs)
		}
	})
}

// WithStopTimeout bounds how long a run may take to return once its context is
// cancelled, by a stop, the watchdog or the ready timeout. A run that takes longer is
// abandoned: its goroutine is left behind, and reported with its stack. If the task was
// to stop it counts as stopped, and Run returns an [*AbandonedError]. Otherwise it
// crashed, and the next run begins when the hold is over and the abandoned run has
// returned: two runs of a task overlap only under [Overlap].
//
// A supervisor that runs as a task is never abandoned: there the timeout is the default
// of its tasks, so that it ends after them.
// Defaults to waiting as long as it takes. A negative d panics.
func WithStopTimeout(d time.Duration) Option {
	if d < 0 {
		panic(fmt.Sprintf("supervise: WithStopTimeout: %v is negative; leave the option out to wait as long as it takes", d))
	}
	return option(func(o *options) { o.stopTimeout = min(d, maxStopTimeout) })
}

// maxStopTimeout is forever, for all who wait, and can be added to an instant.
const maxStopTimeout = 100 * 365 * 24 * time.Hour

// WithWatchdog cancels a run, with the cause [ErrWatchdog], when the function
// has not called [Alive] for as long as d, counted from its start at first. The
// run then counts as a crash however it ends. A run that is being stopped is not watched.
// Defaults to no watchdog. A d that is not positive panics.
func WithWatchdog(d time.Duration) Option {
	if d <= 0 {
		panic(fmt.Sprintf("supervise: WithWatchdog: %v is not positive; give the longest time between two calls of Alive", d))
	}
	return option(func(o *options) { o.silence = d })
}

// WithReadyTimeout says that a run takes time to start up, and calls [Ready] when it
// has. Under a supervisor the tasks after this one are started only then.
// A run that has not called it after d is cancelled, with the cause [ErrNotReady], and
// counts as a crash however it ends.
// Defaults to a run that is ready from its start; a supervisor that runs as a task is
// ready when its first tasks are. A d that is not positive panics.
func WithReadyTimeout(d time.Duration) Option {
	if d <= 0 {
		panic(fmt.Sprintf("supervise: WithReadyTimeout: %v is not positive; give the longest time that a start may take", d))
	}
	return option(func(o *options) { o.readyTimeout = d })
}

// Restart says after which ends a task is started again.
type Restart uint8

const (
	// OnCrash restarts a task after a crash.
	OnCrash Restart = iota
	// Always restarts it after a clean exit, too, when the policy says.
	Always
	// Never runs a task a single time: a crash is observed, and returned by [Run] as
	// it is. A supervisor forgets the task when it has ended.
	Never
)

var restarts = [...]string{"on crash", "always", "never"}

// String returns the restart in words, such as "on crash".
func (r Restart) String() string {
	if int(r) < len(restarts) {
		return restarts[r]
	}
	return fmt.Sprintf("restart(%d)", uint8(r))
}

// WithRestart says after which ends the task is started again.
// Defaults to [OnCrash]. An unknown one panics.
func WithRestart(r Restart) Option {
	if r > Never {
		panic(fmt.Sprintf("supervise: WithRestart: %v is unknown; use OnCrash, Always or Never", r))
	}
	return option(func(o *options) { o.restart = r })
}

// Optional says that the supervisor goes on without the task when the policy
// gives up on it.
func Optional() SiblingOption { return option(func(o *options) { o.optional = true }) }

// Significant says that the end of the task ends its supervisor, cleanly: a clean
// exit, or under [Never] a crash, too, whose error the supervisor's Run then returns;
// see [AllSignificant]. Under [Always] a task has no end: both together panic.
func Significant() SiblingOption { return option(func(o *options) { o.significant = true }) }

// Overlap lets another run of the task start while one that was abandoned has not
// returned.
// Defaults to waiting until it has.
func Overlap() SiblingOption { return option(func(o *options) { o.overlap = true }) }

// LetPanic does not recover panics of the function: they end the process, as
// they would without supervision.
func LetPanic() Option { return option(func(o *options) { o.letPanic = true }) }

// Options makes one option of several, for tasks and supervisors that have them in
// common.
func Options(opts ...Option) Option {
	return option(func(o *options) {
		for _, opt := range opts {
			if opt != nil {
				opt.applyRun(o)
			}
		}
	})
}
