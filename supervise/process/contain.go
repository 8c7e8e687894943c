package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// contain calls f, which calls the user's reader or writer, and leaves in err what it
// returned, or that it panicked or called runtime.Goexit. The latter still ends the
// goroutine. The stack of a panic is logged, as nobody else can know it.
func contain(log *log, what string, err *error, f func() error) {
	returned := false
	defer func() {
		switch v := recover(); {
		case v != nil:
			*err = errors.New(oneLine(fmt.Sprintf("%s panicked: %v", what, v)))
			log.note(slog.LevelError, (*err).Error(), slog.String("stack", string(debug.Stack())))
		case !returned:
			*err = fmt.Errorf("%s called runtime.Goexit", what)
		case *err != nil:
			*err = fmt.Errorf("%s: %w", what, *err)
		}
	}()
	*err = f()
	returned = true
}

// await returns true when c is closed, or false when ctx is done.
func await(ctx context.Context, c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
	}
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// both returns an error that wraps two, either of which may be nil, in one line.
func both(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return fmt.Errorf("%w; %w", a, b)
}
