package httptask

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrCut is the cause with which the context of a request is cancelled that has not
// finished when the drain is over. It is also what a [*CutError] is, to errors.Is.
var ErrCut = errors.New("httptask: the request was cut, as the server stopped and the drain was over")

// CutError is the error of a run that ended before all its requests had finished. It is
// [ErrCut], to errors.Is.
type CutError struct {
	Addr        string        // on which the server listened
	Drain       time.Duration // how long requests had to finish
	Connections int           // that were closed while a request was under way; one of HTTP/2 can have several
	Handlers    int           // that had not returned when the run ended, those of hijacked connections included
}

// Error says in one line what was cut.
func (e *CutError) Error() string {
	var parts []string
	if e.Connections > 0 {
		parts = append(parts, fmt.Sprintf("cut %s whose requests had not finished within %v", count(e.Connections, "connection"), e.Drain))
	}
	if e.Handlers > 0 {
		parts = append(parts, fmt.Sprintf("left %s running in spite of a cancelled context", count(e.Handlers, "handler")))
	}
	return fmt.Sprintf("httptask: %s: %s", e.Addr, strings.Join(parts, "; "))
}

// Unwrap returns ErrCut. It must be no error of package context, by which supervise would
// take the run for one that stopped as it was asked to.
func (e *CutError) Unwrap() error { return ErrCut }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
