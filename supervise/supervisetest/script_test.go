package supervisetest_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

// noon is the instant from which scripts count.
var noon = time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)

// script reads events that are written by hand, one a line:
//
//	1.5s r/a 2 crash until=3s streak=1
//
// that is the time since noon, the path, the number of the run, the kind with hyphens,
// and what else there is. A crash has a streak of 1 unless it says otherwise.
func script(t *testing.T, text string) []supervise.Event {
	t.Helper()
	var events []supervise.Event
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			events = append(events, scriptLine(t, line))
		}
	}
	return events
}

func scriptLine(t *testing.T, line string) supervise.Event {
	t.Helper()
	words := strings.Fields(line)
	duration := func(s string) time.Duration {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		return d
	}
	number := func(s string) uint64 {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		return n
	}
	e := supervise.Event{At: noon.Add(duration(words[0])), Task: words[1], Run: number(words[2])}
	for e.Kind = supervise.KindStart; e.Kind.String() != strings.ReplaceAll(words[3], "-", " "); e.Kind++ {
		if e.Kind > supervise.KindStore {
			t.Fatalf("%q: unknown kind", line)
		}
	}
	if e.Kind == supervise.KindCrash {
		e.Streak = 1
	}
	for _, word := range words[4:] {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "until":
			e.State = gate.Held(gate.BackingOff, noon.Add(duration(value)))
		case "gave-up":
			e.State = gate.Held(gate.GaveUp, time.Time{})
		case "ran":
			e.Ran = duration(value)
		case "streak":
			e.Streak, _ = strconv.Atoi(value)
		case "dropped":
			e.Dropped = number(value)
		case "by":
			e.By = gate.By{Who: value}
		case "err":
			e.Err = scriptErrors[value]
		case "forced":
			e.Forced = true
		case "last":
			e.Last = true
		case "injected":
			e.Injected = true
		default:
			t.Fatalf("%q: what is %q?", line, word)
		}
	}
	return e
}

// scriptErrors are the errors that a script can name.
var scriptErrors = map[string]error{
	"boom":     errBoom,
	"stop":     errStop,
	"died":     fmt.Errorf("wrapped: %w", supervise.ErrDied),
	"watchdog": &supervise.AbandonedError{Task: "r/a", Run: 1, Cause: supervise.ErrWatchdog},
	"deaf":     &supervise.AbandonedError{Task: "r/a", Run: 1, Cause: errStop},
	"gave-up":  &supervise.GaveUpError{Task: "r/a", Crashes: 1, Err: errBoom},
	"lines":    errors.New("first line\nsecond line"),
	"panics":   panicError{},
}

// panicError is an error whose methods panic.
type panicError struct{}

func (panicError) Error() string   { panic("Error") }
func (panicError) Is(error) bool   { panic("Is") }
func (panicError) Unwrap() []error { panic("Unwrap") }
