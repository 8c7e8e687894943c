package policy

import (
	"iter"
	"reflect"
	"time"
)

// What a library means by an error is recognised by the error's shape, so that no
// version of it needs to be imported.

var (
	errorType    = reflect.TypeFor[error]()
	durationType = reflect.TypeFor[time.Duration]()
)

// structOf returns the struct that err points to.
func structOf(err error) (reflect.Value, bool) {
	v := reflect.ValueOf(err)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}, false
	}
	return v.Elem(), true
}

func hasField(s reflect.Value, name string, of reflect.Type) bool {
	f, ok := s.Type().FieldByName(name)
	return ok && f.IsExported() && f.Type == of
}

// errorTree yields err and all that it wraps, as errors.Is walks them. It ends
// after maxErrors of them, for an error that wraps itself.
func errorTree(err error) iter.Seq[error] {
	return func(yield func(error) bool) {
		left := maxErrors
		walkErrors(err, yield, &left)
	}
}

const maxErrors = 1000

// matches reports whether err itself is target, as errors.Is does for each error of
// a tree. That one does not end where an error wraps itself.
func matches(err, target error) bool {
	if reflect.TypeOf(target).Comparable() && err == target { //nolint:errorlint // this is one step of errors.Is
		return true
	}
	e, ok := err.(interface{ Is(error) bool })
	return ok && e.Is(target)
}

func walkErrors(err error, yield func(error) bool, left *int) bool {
	for err != nil && *left > 0 {
		*left--
		if !yield(err) {
			return false
		}
		switch e := err.(type) { //nolint:errorlint // this is one step of errors.Is
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				if !walkErrors(inner, yield, left) {
					return false
				}
			}
			return true
		default:
			return true
		}
	}
	return true
}
