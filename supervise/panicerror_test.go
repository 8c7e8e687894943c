package supervise_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/supervise"
)

// caughtFrom returns what a run counts as whose function panics.
func caughtFrom(t *testing.T, panics func()) *supervise.PanicError {
	t.Helper()
	err := supervise.Run(t.Context(), times(1, func() error { panics(); return nil }), supervise.WithRestart(supervise.Never), quiet)
	var p *supervise.PanicError
	if !errors.As(err, &p) {
		t.Fatal(err)
	}
	return p
}

//go:noinline
func origin(panics func()) { panics() }

// TestPanicFrames: a stack begins at the function that panicked and
// ends at the one that was supervised.
func TestPanicFrames(t *testing.T) {
	var m map[string]int
	var p *int
	var s []int
	for name, panics := range map[string]func(){
		"explicit":     func() { panic("boom") },
		"nil map":      func() { m["x"] = 1 },
		"nil pointer":  func() { *p = 1 },
		"out of range": func() { s[len(name(""))] = 1 },
		"repanicked":   func() { defer func() { panic(recover()) }(); panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			frames := caughtFrom(t, func() { origin(panics) }).Frames()
			if first := frames[0].Function; !strings.Contains(first, "TestPanicFrames.func") {
				t.Errorf("it begins at %s", first)
			}
			if last := frames[len(frames)-1].Function; !strings.Contains(last, ".times.func") {
				t.Errorf("it ends at %s", last)
			}
			for _, f := range frames {
				if strings.HasPrefix(f.Function, "github.com/holdfast-go/holdfast/supervise.") {
					t.Errorf("it has %s of the supervisor", f.Function)
				}
			}
		})
	}
}

func name(s string) string { return s }

func TestPanicDeep(t *testing.T) {
	var sink func(n int) int
	sink = func(n int) int {
		if n == 0 {
			panic("deep")
		}
		return sink(n-1) + 1
	}
	if frames := caughtFrom(t, func() { sink(1000) }).Frames(); len(frames) > 64 || len(frames) < 60 {
		t.Errorf("%d frames", len(frames))
	}
}

func TestPanicFormat(t *testing.T) {
	p := caughtFrom(t, func() { panic(errBoom) })
	if !errors.Is(p, errBoom) || p.Value != errBoom {
		t.Error("the value is lost")
	}
	for format, want := range map[string]string{
		"%v": "panic: boom", "%s": "panic: boom", "%q": `"panic: boom"`, "%12s|": " panic: boom|",
	} {
		if got := fmt.Sprintf(format, p); got != want {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
	}
	stack := p.Stack()
	if got := fmt.Sprintf("%+v", p); got != "panic: boom\n"+stack {
		t.Errorf("%%+v: %q", got)
	}
	if !strings.Contains(stack, "TestPanicFormat.func1(...)\n\t") || !strings.Contains(stack, "panicerror_test.go:") {
		t.Error(stack)
	}
	if wrapped := fmt.Errorf("while at it: %w", p); wrapped.Error() != "while at it: panic: boom" {
		t.Error(wrapped)
	}
}

type unprintable struct{}

func (unprintable) Format(fmt.State, rune) { panic(unprintable{}) }

func TestPanicValues(t *testing.T) {
	for value, want := range map[any]string{
		"text":           "panic: text",
		42:               "panic: 42",
		[1]string{"a"}:   "panic: [a]",
		unprintable{}:    "panic: ",
		(*int)(nil):      "panic: <nil>",
		error(hostile{}): "panic: ",
	} {
		p := caughtFrom(t, func() { panic(value) })
		if got := p.Error(); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if _, isError := value.(error); !isError && p.Unwrap() != nil {
			t.Errorf("%v unwraps to %v", value, p.Unwrap())
		}
	}
	var zero supervise.PanicError
	if zero.Frames() != nil || zero.Stack() != "" || zero.Error() != "panic: <nil>" {
		t.Error("the zero value")
	}
}
