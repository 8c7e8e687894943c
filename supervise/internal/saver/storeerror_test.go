package saver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

// errors whose methods panic, and nil that is none.
type (
	nilError   struct{ text string }
	textPanics struct{}
	isPanics   struct{}
	asPanics   struct{}
	unwraps    struct{}
)

func (e *nilError) Error() string { return e.text }
func (*nilError) Is(error) bool   { panic("Is of nil") }
func (textPanics) Error() string  { panic("Error") }
func (isPanics) Error() string    { return "is" }
func (isPanics) Is(error) bool    { panic("Is") }
func (asPanics) Error() string    { return "as" }
func (asPanics) As(any) bool      { panic("As") }
func (unwraps) Error() string     { return "unwrap" }
func (unwraps) Unwrap() error     { panic("Unwrap") }
func misbehave() map[string]error {
	return map[string]error{
		"let it return nil": (*nilError)(nil),
		"an error of type saver_test.textPanics whose Error method panics": textPanics{},
		"is":     isPanics{},
		"as":     asPanics{},
		"unwrap": unwraps{},
	}
}

func TestErrorsWhoseMethodsPanic(t *testing.T) {
	for text, bad := range misbehave() {
		for _, of := range []string{"Load", "Save"} {
			t.Run(of+" "+text, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := new(fake)
					s := saver.New(store)
					k := &task{gate: gate.New(nil)}
					k.Entry = s.Entry("task", k.gate, k.add)
					if of == "Load" {
						store.on(returns(bad), nil, nil)
						if _, _, err := k.Load(t.Context()); err == nil {
							t.Error("Load returns no error")
						}
					} else {
						store.on(nil, returns(bad), nil)
					}
					k.crash()
					time.Sleep(time.Minute)
					if len(k.all()) != 1 || !strings.Contains(k.all()[0].Error(), text) {
						t.Fatalf("reported %v", k.all())
					}
					var asked *nilError
					if err := k.all()[0]; errors.Is(err, gate.ErrConflict) || errors.As(err, &asked) && asked != nil {
						t.Errorf("something is found in %v", err)
					}
					store.on(nil, nil, nil)
					s.Close()
					if n := crashes(t, store, "task"); n != 1 {
						t.Errorf("%d crashes are saved once the store works", n)
					}
				})
			})
		}
	}
}

// An error keeps its text, and is found by errors.Is and errors.As.
func TestErrorOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := &nilError{strings.Repeat("é", 5000)}
		store := onSave(func(context.Context, string) error { return fmt.Errorf("%w: %w", errDisk, live) })
		s := saver.New(store)
		k := add(t, s, "task")
		k.crash()
		time.Sleep(time.Second)
		synctest.Wait()
		live.text = "something else"
		k.want(t, errDisk)
		err := k.all()[0]
		var found *nilError
		if !errors.As(err, &found) || found != live {
			t.Error("errors.As does not find it")
		}
		if text := err.Error(); len(text) > 4100 || !strings.HasPrefix(text, "the disk is full: éé") || !strings.HasSuffix(text, "é…") {
			t.Errorf("the text is %q", text)
		}
		if got := fmt.Sprintf("%+.3v %q", err, err); got != "the "+fmt.Sprintf("%q", err.Error()) {
			t.Errorf("printed as %s", got)
		}
		s.Close()
	})
}
