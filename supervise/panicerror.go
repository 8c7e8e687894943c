package supervise

import (
	"fmt"
	"runtime"
	"strings"
)

// PanicError is the error of a run that panicked. It keeps the stack of the
// panic as program counters, which costs little, and resolves them when they are
// asked for. If the value is an error, errors.Is and errors.As see it.
// Safe for concurrent use.
type PanicError struct {
	Value any // what was passed to panic

	text string
	pcs  []uintptr
}

// maxFrames bounds the frames that are kept of a panic's stack, innermost first.
const maxFrames = 64

// newPanicError must be called by the deferred function that recovered v. It calls code of
// a user's, as describe does.
func newPanicError(v any) *PanicError {
	return &PanicError{v, describe(v), panicStack()}
}

// panicStack returns the stack of a panic, for the function that was called by the
// deferred function that recovered it.
func panicStack() []uintptr {
	var pcs [maxFrames]uintptr
	const skip = 4 // runtime.Callers, panicStack, its caller and the deferred function
	n := runtime.Callers(skip, pcs[:])
	return append([]uintptr(nil), pcs[:n]...)
}

// maxPanicText bounds the text that is kept of a panic's value, in bytes.
const maxPanicText = 4 << 10

// describe returns the text of a panic's value, as it is now: it may be a live object,
// and the text is read later, on other goroutines.
func describe(v any) string {
	text, ok := v.(string)
	if !ok {
		text = formatValue(v)
	}
	if len(text) > maxPanicText {
		text = strings.ToValidUTF8(text[:maxPanicText], "") + "…"
	}
	return text
}

// Error returns "panic: " and the value, as it was at the panic, up to 4 KiB of it.
func (e *PanicError) Error() string {
	if e.text == "" {
		return "panic: " + describe(e.Value)
	}
	return "panic: " + e.text
}

// formatValue is fmt.Sprint, except that a value which panics while it is
// printed is shown by its type: fmt contains most such panics, not all.
func formatValue(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T that cannot be printed", v)
		}
	}()
	if err, ok := v.(error); ok {
		return err.Error()
	}
	return fmt.Sprint(v)
}

// Unwrap returns the value if it is an error, or nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Frames returns the stack at the panic, innermost frame first, at most 64 of
// them. It begins at the function that panicked and ends at the one that was
// supervised: the machinery of the runtime and of this package is left out.
func (e *PanicError) Frames() []runtime.Frame {
	var frames []runtime.Frame
	if len(e.pcs) == 0 {
		return nil
	}
	const recovering, panicking, above = 0, 1, 2
	at := recovering
	for next := runtime.CallersFrames(e.pcs); ; {
		frame, more := next.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		switch {
		case frame.Function == runFrame || frame.Function == memberFrame || frame.Function == admitFrame:
			return frames
		case at == recovering && frame.Function == "runtime.gopanic":
			at = panicking
		case at == panicking && !inRuntime:
			at = above
			frames = append(frames, frame)
		case at == above && frame.Function != "runtime.goexit":
			frames = append(frames, frame)
		}
		if !more {
			return frames
		}
	}
}

// Stack returns the stack at the panic in the form that the runtime prints:
// each function, then its file and line.
func (e *PanicError) Stack() string {
	var text strings.Builder
	for _, frame := range e.Frames() {
		fmt.Fprintf(&text, "%s(...)\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
	}
	return text.String()
}

// Format prints the error; %+v adds the stack.
func (e *PanicError) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('+') {
		fmt.Fprintf(f, "%s\n%s", e.Error(), e.Stack())
		return
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), e.Error())
}
