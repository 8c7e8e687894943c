package jsonobj

import (
	"errors"
	"fmt"
)

// Prefixed is err with what goes before it, such as the place where it stands, or nil;
// of several joined, each gets it.
func Prefixed(prefix string, err error) error {
	return Each(err, func(one error) error { return fmt.Errorf("%s%w", prefix, one) })
}

// Each returns err with change made to it, or nil; of several joined, to each.
func Each(err error, change func(error) error) error {
	switch e := err.(type) { //nolint:errorlint // what is joined inside of another error has its place already
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		var all []error
		for _, one := range e.Unwrap() {
			all = append(all, Each(one, change))
		}
		return errors.Join(all...)
	}
	return change(err)
}
