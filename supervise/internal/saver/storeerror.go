package saver

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
)

// Error is an error that a store has returned, or the panic of one. Its text was made
// on the goroutine that had it from the store, and is kept. [errors.Is] and [errors.As]
// find what they find in the store's error, or in the value of the panic if that is one.
// If a method of that panics they find nothing.
type Error struct {
	text  string
	err   error  // nil if a panic had another value
	stack []byte // of a panic
}

// ErrorType returns the type of the store's error, for telemetry.
func (e *Error) ErrorType() string { return fmt.Sprintf("%T", e.err) }

// maxText is how many bytes of an error's text are kept.
const maxText = 4096

// contained returns err in a form of which no method panics; nil if err is nil.
func contained(err error) error {
	if err == nil {
		return nil
	}
	return &Error{text: textOf(err), err: err}
}

// panicked returns the error for a panic with value v. It must be called by the deferred
// function that has recovered it.
func panicked(v any) error {
	e := &Error{text: "supervise: the store panicked: " + valueOf(v), stack: debug.Stack()}
	e.err, _ = v.(error)
	return e
}

func textOf(err error) (text string) {
	defer func() {
		if recover() == nil {
			return
		}
		text = fmt.Sprintf("supervise: the store returned an error of type %T whose Error method panics", err)
		if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
			text = fmt.Sprintf("supervise: the store returned a nil %T as an error; let it return nil, without a type", err)
		}
	}()
	return bounded(err.Error())
}

func valueOf(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T that cannot be printed", v)
		}
	}()
	return bounded(fmt.Sprint(v))
}

func bounded(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// Error returns the text of the store's error, up to 4096 bytes of it.
func (e *Error) Error() string { return e.text }

// Is implements [errors.Is] for what the store returned.
func (e *Error) Is(target error) (is bool) {
	defer func() {
		if recover() != nil {
			is = false
		}
	}()
	return errors.Is(e.err, target)
}

// As implements [errors.As] for what the store returned.
func (e *Error) As(target any) (as bool) {
	defer func() {
		if recover() != nil {
			as = false
		}
	}()
	return e.err != nil && errors.As(e.err, target)
}

// Stack returns the stack of a panic, as the runtime prints it; nil if there was none.
func (e *Error) Stack() []byte { return e.stack }

// Format prints the error; %+v adds the stack of a panic.
func (e *Error) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('+') && e.stack != nil {
		fmt.Fprintf(f, "%s\n%s", e.text, e.stack)
		return
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), e.text)
}
