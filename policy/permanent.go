package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Permanent wraps err as one that no restart can cure, on which [PermanentErrors]
// gives up. It has err's text, and errors.Is and errors.As find err in it. A nil err
// stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string   { return e.err.Error() }
func (e *permanentError) Unwrap() error   { return e.err }
func (e *permanentError) Permanent() bool { return true }

// PermanentErrors gives up at once on an error that no restart can cure: one that
// is or wraps
//
//   - one made by [Permanent], or any with a method Permanent() bool that returns true;
//   - one made by backoff.Permanent of github.com/cenkalti/backoff, in any version,
//     which is recognised by its shape: a struct named PermanentError with a field
//     Err; or the error of a backoff.Retry that ended with one;
//   - any of errs, as [errors.Is] finds it.
//
// It looks at a thousand errors of the tree that the error is, and no more. It panics if one of errs is nil.
func PermanentErrors(errs ...error) Decorator {
	for i, err := range errs {
		if err == nil {
			panic(fmt.Sprintf("policy: PermanentErrors: error %d is nil; leave it out", i+1))
		}
	}
	errs = slices.Clone(errs)
	return func(inner Policy) Policy { return &permanentErrors{mustPolicy("PermanentErrors", inner), errs} }
}

type permanentErrors struct {
	inner Policy
	errs  []error
}

func (p *permanentErrors) Unwrap() Policy { return p.inner }
func (p *permanentErrors) String() string { return printed(p) }
func (p *permanentErrors) rule() string   { return "PermanentErrors" }

func (p *permanentErrors) Decide(h History) Decision {
	if p.permanent(h.Err()) {
		return Decision{Verdict: GiveUp}
	}
	return p.inner.Decide(h)
}

func (p *permanentErrors) permanent(err error) bool {
	if err == nil {
		return false
	}
	for e := range errorTree(err) {
		if isPermanent(e) || slices.ContainsFunc(p.errs, func(target error) bool { return matches(e, target) }) {
			return true
		}
	}
	return false
}

func isPermanent(err error) bool {
	if p, ok := err.(interface{ Permanent() bool }); ok {
		return p.Permanent()
	}
	s, ok := structOf(err)
	if !ok {
		return false
	}
	switch s.Type().Name() {
	case "PermanentError":
		return hasField(s, "Err", errorType)
	case "permanent", "RetryError": // of backoff v7: before, and after its Retry
		return ofBackoff(s.Type()) && saysPermanent(err)
	}
	return false
}

// saysPermanent reports whether err is, or has as its cause, the sentinel of
// backoff v7. That stands for itself by its text.
func saysPermanent(err error) bool {
	const sentinel = "backoff: permanent error"
	cause := reflect.ValueOf(err).Elem().FieldByName("Cause")
	if !cause.IsValid() {
		return true // the type alone says so
	}
	if !cause.CanInterface() {
		return false
	}
	e, _ := cause.Interface().(error)
	return e != nil && e.Error() == sentinel
}

func ofBackoff(t reflect.Type) bool { return strings.Contains(t.PkgPath(), "cenkalti/backoff/") }
