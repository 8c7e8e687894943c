package supervise

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/holdfast-go/holdfast/gate"
)

// logObserver writes the events of tasks to a logger.
type logObserver struct{ logger *slog.Logger }

// told is the error that was logged last of a task, and the run it ended.
type told struct {
	text string
	run  uint64
}

// highest is the highest level at which events of each kind are logged.
var highest = [...]slog.Level{
	KindStart:   slog.LevelDebug,
	KindCrash:   slog.LevelError,
	KindExit:    slog.LevelInfo,
	KindRelease: slog.LevelInfo,
	KindGiveUp:  slog.LevelError,
	KindStop:    slog.LevelDebug,
	KindAbandon: slog.LevelError,
	KindReturn:  slog.LevelWarn,
	KindFault:   slog.LevelError,
	KindWait:    slog.LevelInfo,
	KindStore:   slog.LevelError,
}

func (o logObserver) Enabled(k Kind) bool {
	return o.logger.Enabled(context.Background(), highest[k])
}

func (o logObserver) Observe(e Event) {
	if e.Dropped > 0 {
		o.log(slog.LevelWarn, "events were dropped, the logger is too slow", e, slog.Uint64("dropped", e.Dropped))
	}
	switch e.Kind {
	case KindStart:
		o.log(slog.LevelDebug, "task started", e)
	case KindCrash:
		o.crash(e)
	case KindExit:
		level := slog.LevelDebug
		if e.Last { // it would be gone without a word
			level = slog.LevelInfo
		}
		o.log(level, "task ended", e, slog.Duration("ran", e.Ran), holdAttr(e))
	case KindRelease:
		if e.Forced {
			o.log(slog.LevelInfo, "hold ended by force", e, byAttr(e))
		} else {
			o.log(slog.LevelDebug, "hold ended", e)
		}
	case KindGiveUp:
		o.log(slog.LevelError, "task gave up", e, slog.String("error", errorText(e.Err)))
	case KindStop:
		o.log(slog.LevelDebug, "task stopped", e, slog.String("cause", errorText(e.Err)))
	case KindAbandon:
		o.log(slog.LevelError, "task does not stop", e, slog.String("error", errorText(e.Err)), stack(e.Err))
	case KindReturn:
		o.log(slog.LevelWarn, "abandoned run has ended", e, slog.String("error", errorText(e.Err)))
	case KindWait:
		o.log(slog.LevelInfo, "task "+errorText(e.Err), e)
	case KindStore:
		o.store(e)
	case KindFault:
		o.log(slog.LevelError, "policy panicked, the default one decides", e, slog.String("error", errorText(e.Err)), stack(e.Err))
	}
}

func (o logObserver) store(e Event) {
	switch {
	case e.Err == nil:
		o.log(slog.LevelInfo, "gates are saved again", e)
	case errors.Is(e.Err, gate.ErrConflict):
		o.log(slog.LevelError, "gate is not saved any more, another process has saved it", e, slog.String("error", errorText(e.Err)))
	default:
		o.log(slog.LevelError, "the store fails, tasks go on in memory", e, slog.String("error", errorText(e.Err)), stack(e.Err))
	}
}

// crash logs the stack of a panic the first time, and when the level rises.
func (o logObserver) crash(e Event) {
	level, message := slog.LevelWarn, "task crashed"
	if e.State.Phase() > gate.BackingOff {
		level = slog.LevelError
	}
	text := errorText(e.Err)
	detail := []slog.Attr{slog.Duration("ran", e.Ran), holdAttr(e), slog.String("error", text)}
	if last := e.task.past.Load().told.Load(); last != nil && text == last.text && level == slog.LevelWarn {
		message = "task crashed again"
		if panicked := (*PanicError)(nil); errors.As(e.Err, &panicked) {
			detail = append(detail, slog.Uint64("same_stack_as_run", last.run))
		}
	} else {
		e.task.past.Load().told.Store(&told{text, e.Run})
		detail = append(detail, stack(e.Err))
	}
	o.log(level, message, e, detail...)
}

func (o logObserver) log(level slog.Level, message string, e Event, detail ...slog.Attr) {
	attrs := append([]slog.Attr{slog.String("task", e.Task), slog.Uint64("run", e.Run)}, detail...)
	ctx := context.Background()
	if e.Kind == KindCrash || e.Kind == KindRelease || e.Kind == KindGiveUp { // about a crash
		ctx = e.Context()
		more, _ := ctx.Value(logAttrsKey{}).([]slog.Attr)
		attrs = append(attrs, more...)
	}
	o.logger.LogAttrs(ctx, level, message, attrs...)
}

// byAttr says who acted, and why; it is the zero attribute if nobody is known.
func byAttr(e Event) slog.Attr {
	if by := e.By.String(); by != "" {
		return slog.String("by", by)
	}
	return slog.Attr{}
}

type logAttrsKey struct{}

// WithLogAttrs returns a context with attributes, after those that ctx has already.
// It is for an observer's Annotate: what is logged about the crash has them. Safe
// for concurrent use.
func WithLogAttrs(ctx context.Context, attrs ...slog.Attr) context.Context {
	before, _ := ctx.Value(logAttrsKey{}).([]slog.Attr)
	return context.WithValue(ctx, logAttrsKey{}, slices.Concat(before, attrs))
}

// holdAttr says how the gate is held after an event. If it is not, or there is no
// stack, the attribute is the zero one, which handlers leave out.
func holdAttr(e Event) slog.Attr {
	until, ends := e.State.ReleaseAt()
	switch {
	case e.State.Phase() == gate.Idle:
		return slog.Attr{}
	case !ends:
		return slog.String("gate", e.State.String())
	}
	return slog.Group("", slog.String("gate", e.State.Phase().String()), slog.Duration("hold", until.Sub(e.At)))
}

func stack(err error) slog.Attr {
	var panicked *PanicError
	var abandoned *AbandonedError
	switch {
	case errors.As(err, &panicked):
		return slog.String("stack", panicked.Stack())
	case errors.As(err, &abandoned):
		return slog.String("stack", string(abandoned.Stack))
	}
	return slog.Attr{}
}

// errorText is err.Error(), even where err is nil or its method panics.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	return formatValue(err)
}
