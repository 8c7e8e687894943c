package supervisetest

import (
	"fmt"
	"strings"
	"time"
)

// Violation is an error that says how a rule is broken.
type Violation struct {
	Rule   string    // its name, as in the package's doc
	Task   string    // its path; empty where it is about none
	Run    uint64    // the number of the run that it is about
	At     time.Time // of the event that breaks the rule; zero where it is one that is missing
	Since  time.Time // of what the event does not go with; zero if that is no instant
	Seen   string    // what was seen
	Reason string    // why there is such a rule
}

// Error says it all in one line.
func (v *Violation) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "supervisetest: rule %q is broken: ", v.Rule)
	if v.Task != "" {
		fmt.Fprintf(&text, "task %q, run %d", v.Task, v.Run)
		if !v.At.IsZero() {
			fmt.Fprintf(&text, ", at %s", clock(v.At))
		}
		text.WriteString(": ")
	}
	text.WriteString(v.Seen)
	if !v.Since.IsZero() {
		fmt.Fprintf(&text, " (%s)", clock(v.Since))
	}
	fmt.Fprintf(&text, "; %s", v.Reason)
	return text.String()
}

// clock is an instant as a violation shows it: the date is seldom of interest.
func clock(t time.Time) string { return t.Format("15:04:05.999999999") }
