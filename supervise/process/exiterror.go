package process

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ExitError says how a child process ended that did not exit with status 0. To
// errors.As it is the [*exec.ExitError] of the process, too. Safe for concurrent use.
type ExitError struct {
	Command string    // the path of the program
	Code    int       // the exit status; -1 if a signal ended the process
	Signal  os.Signal // the signal that ended the process; nil if it exited
	Stderr  []byte    // the last 4 KiB of its standard error; nil if the command set Stderr

	err *exec.ExitError
}

// Error names the program, its exit status or signal, and the last line of its
// standard error, up to 256 bytes of it. It is a single line, whatever was printed:
// what cannot be printed is replaced by U+FFFD.
func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s: exit status %d", e.Command, e.Code)
	if e.Signal != nil {
		text = fmt.Sprintf("%s: ended by signal: %v", e.Command, e.Signal)
	}
	if last := lastLine(e.Stderr); last != "" {
		text += ": " + last
	}
	return oneLine(text)
}

// Unwrap returns the error of package exec, or nil if there is none.
func (e *ExitError) Unwrap() error {
	if e.err == nil {
		return nil
	}
	return e.err
}

// maxLastLine bounds the part of standard error that is in the text of an error.
const maxLastLine = 256

// lastLine returns the last line that is not blank. A carriage return ends a line,
// too, as progress bars are drawn with it.
func lastLine(output []byte) string {
	text := strings.TrimSpace(string(output))
	text = strings.TrimSpace(text[strings.LastIndexAny(text, "\r\n")+1:])
	if len(text) > maxLastLine {
		text = text[:runeBoundary([]byte(text), maxLastLine)] + "…"
	}
	return text
}

// oneLine replaces what would break the line, or is invisible.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return utf8.RuneError
		}
		return r
	}, text)
}

// runeBoundary returns the highest place to cut p, n bytes from its start at most,
// that splits no rune. If p is not UTF-8 text, that is n.
func runeBoundary(p []byte, n int) int {
	for at := n; at > n-utf8.UTFMax && at > 0; at-- {
		if utf8.RuneStart(p[at]) {
			return at
		}
	}
	return n
}
