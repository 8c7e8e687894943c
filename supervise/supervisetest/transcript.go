package supervisetest

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

// String returns a transcript: a line for each event, with the time since the first
// one, the task, the number of the run and what happened. An error is shown by its first
// line.
func (r *Recorder) String() string { return transcript(r.All()) }

func transcript(events []supervise.Event) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, e := range events {
		start := events[0].At
		if e.Dropped > 0 {
			fmt.Fprintf(table, "…\t%d events before this were missed\n", e.Dropped)
		}
		fmt.Fprintf(table, "%s\t%s\trun %d\t%s\n", e.At.Sub(start), e.Task, e.Run, words(e, start))
	}
	_ = table.Flush() // a strings.Builder never fails
	return text.String()
}

// words says what happened, in instants since start.
func words(e supervise.Event, start time.Time) string {
	parts := []string{e.Kind.String()}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch e.Kind {
	case supervise.KindCrash:
		add("after %v", e.Ran)
		add("streak %d", e.Streak)
	case supervise.KindExit, supervise.KindStop:
		add("after %v", e.Ran)
	}
	if e.Forced {
		add("by force")
	}
	if by := e.By.String(); by != "" {
		add("by %s", by)
	}
	if e.State.Phase() != gate.Idle {
		add("%s", stateWords(e.State, start))
	}
	if e.Last {
		add("no run follows")
	}
	if e.Injected {
		add("injected")
	}
	if e.Err != nil {
		first, _, _ := strings.Cut(fmt.Sprint(e.Err), "\n")
		return strings.Join(parts, ", ") + ": " + first
	}
	return strings.Join(parts, ", ")
}

func stateWords(s gate.State, start time.Time) string {
	until, ends := s.ReleaseAt()
	if !ends {
		return s.String()
	}
	return fmt.Sprintf("%v until %v", s.Phase(), until.Sub(start))
}
