package supervisetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/internal/inject"
)

// strike is a fault that is to strike one run.
type strike struct {
	faults *Faults
	kind   FaultKind
	err    *InjectedError
	after  time.Duration
	lasts  time.Duration // of what takes time; negative until Release
	phase  strikePhase   // guarded by the mu of faults
}

// strikePhase is left once, by whichever comes first: the fault, or the return of the
// function.
type strikePhase uint8

const (
	pending strikePhase = iota
	struck
	missed
)

// strikeFor returns what is to strike the run that ctx belongs to, or nil.
func (f *Faults) strikeFor(ctx context.Context) *strike {
	info, ok := supervise.FromContext(ctx)
	if !ok {
		return nil
	}
	i, d := f.decide(info.Task, info.Run)
	if i < 0 {
		return nil
	}
	fault := f.faults[i]
	s := &strike{faults: f, kind: fault.Kind, lasts: -1}
	s.err = &InjectedError{Task: info.Task, Run: info.Run, Kind: fault.Kind, Err: fault.Err}
	after, lasts := d.next(), d.next()
	s.after = fault.After.draw(after)
	if fault.For != nil {
		s.lasts = fault.For.draw(lasts)
	}
	return s
}

// run calls fn, and has the fault strike in its stead, or in its midst.
func (s *strike) run(ctx context.Context, fn func(context.Context) error) error {
	if s.after > 0 {
		err := s.wait(ctx, fn)
		if !s.faults.struck(s) {
			return err
		}
		if isReal(err) {
			returned := *s.err // the function has the other one, as the cause
			returned.Returned = err
			s.err = &returned
		}
	} else if !s.faults.inject(s) {
		return fn(ctx)
	}
	inject.Mark(ctx)
	return s.do(ctx, fn)
}

// wait calls fn until it returns by itself, or the fault has struck and cancelled it.
func (s *strike) wait(ctx context.Context, fn func(context.Context) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(s.after, func() {
		if s.faults.inject(s) {
			inject.Mark(ctx) // now, as fn may never return
			cancel(s.err)
		}
	})
	defer func() { // also if fn panics
		s.faults.struck(s)
		timer.Stop()
		cancel(nil)
	}()
	return fn(inner)
}

// do is what the fault does, on the task's goroutine, when no function runs.
func (s *strike) do(ctx context.Context, fn func(context.Context) error) error {
	switch s.kind {
	case Panic:
		panic(s.err)
	case Goexit:
		runtime.Goexit()
	case Exit:
		return s.err.Returned
	case Hang:
		s.idle(nil)
	case Silence:
		if s.idle(ctx.Done()) {
			return context.Cause(ctx)
		}
	case LateReady:
		if s.idle(ctx.Done()) {
			return context.Cause(ctx)
		}
		return fn(ctx)
	case Error:
	}
	return s.err
}

// idle waits as long as the fault lasts, or until it is released, or until done is
// closed, which it reports.
func (s *strike) idle(done <-chan struct{}) (isDone bool) {
	released := s.faults.hang()
	if released == nil {
		return false
	}
	defer s.faults.unhang(released)
	var over <-chan time.Time
	if s.lasts >= 0 {
		timer := time.NewTimer(s.lasts)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-released:
	case <-over:
	case <-done:
		return true
	}
	return false
}

// isReal reports whether an error says more than that a context was cancelled.
func isReal(err error) bool {
	switch x := err.(type) { //nolint:errorlint // it walks the tree of wrapped errors itself
	case nil, *InjectedError:
		return false
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(x.Unwrap(), isReal)
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			return isReal(inner)
		}
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
