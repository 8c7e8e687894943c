package otelgate

import (
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/holdfast-go/holdfast/supervise"
)

// The values of error.type for runs that did not end by returning an error.
const (
	typePanic    = "panic"
	typeGoexit   = "goexit"
	typeWatchdog = "watchdog"
	typeNotReady = "not_ready"
	typeDied     = "process_died"
	typeOther    = "_OTHER"
)

// failure is what there is to tell of an error that a run ended with.
type failure struct {
	err       error
	panicked  *supervise.PanicError // nil if it did not
	kind      string                // error.type
	exception string                // exception.type
}

// failureOf never panics, whatever the methods of err do.
func failureOf(err error) (f failure) {
	f = failure{err: err, kind: typeOther, exception: fmt.Sprintf("%T", err)}
	if err == nil {
		return f
	}
	defer func() {
		_ = recover() // what has been found so far is told
		f.kind, f.exception = clip(f.kind, MaxName), clip(f.exception, MaxName)
	}()
	cause := err
	if errors.As(err, &f.panicked) {
		f.kind, f.exception = typePanic, fmt.Sprintf("%T", f.panicked.Value)
		if cause = f.panicked.Unwrap(); cause == nil {
			return f
		}
	}
	f.exception = semconv.ErrorType(cause).Value.AsString()
	switch {
	case f.panicked != nil:
	case errors.Is(err, supervise.ErrWatchdog):
		f.kind = typeWatchdog
	case errors.Is(err, supervise.ErrNotReady):
		f.kind = typeNotReady
	case errors.Is(err, supervise.ErrDied):
		f.kind = typeDied
	case errors.Is(err, supervise.ErrGoexit):
		f.kind = typeGoexit
	default:
		f.kind = f.exception
	}
	return f
}

// attributes are those of the semantic conventions for an exception, and where in
// the code it was, if that is known.
func (f *failure) attributes() []attribute.KeyValue {
	if f.err == nil {
		return nil
	}
	attrs := []attribute.KeyValue{
		semconv.ErrorTypeKey.String(f.kind),
		semconv.ExceptionType(f.exception),
		semconv.ExceptionMessage(message(f.err)),
	}
	if f.panicked == nil {
		return attrs
	}
	if stack := f.panicked.Stack(); stack != "" {
		attrs = append(attrs, semconv.ExceptionStacktrace(clip(stack, MaxStack)))
	}
	if frames := f.panicked.Frames(); len(frames) > 0 {
		attrs = append(attrs,
			semconv.CodeFunctionName(clip(frames[0].Function, MaxName)),
			semconv.CodeFilePath(clip(frames[0].File, MaxName)),
			semconv.CodeLineNumber(frames[0].Line))
	}
	return attrs
}

// maxKinds bounds the values of error.type in metrics.
const maxKinds = 64

// kinds are the values of error.type that metrics have. The zero value is ready
// to use. Safe for concurrent use.
type kinds struct {
	mu   sync.Mutex
	seen map[string]struct{}
}

// admit returns the kind, or that of all others once there are too many.
func (k *kinds) admit(kind string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.seen[kind]; ok {
		return kind
	}
	if len(k.seen) >= maxKinds {
		return typeOther
	}
	if k.seen == nil {
		k.seen = map[string]struct{}{}
	}
	k.seen[kind] = struct{}{}
	return kind
}
