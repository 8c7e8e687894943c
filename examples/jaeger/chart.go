package main

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/timeline"
)

// draw reads the traces of the service back from Jaeger, and draws them.
func draw(ctx context.Context, file string, c config, spans int64) error {
	traces, err := await(ctx, c.jaeger, c.service, spans)
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := chart(traces, "shop/db/pool", "shop/poller", "shop/importer", "shop/mailer").WriteSVG(&picture); err != nil {
		return err
	}
	return os.WriteFile(file, picture.Bytes(), 0o644)
}

// chart makes lanes of the traces that tell of tasks, on one axis from the start
// of the first run that is known of.
func chart(traces []jaegerTrace, tasks ...string) timeline.Chart {
	var zero, last time.Time
	for _, tr := range traces {
		for _, s := range tr.Spans {
			if from := s.start().Add(-ran(s)); zero.IsZero() || from.Before(zero) {
				zero = from
			}
			if s.end().After(last) {
				last = s.end()
			}
		}
	}
	c := timeline.Chart{End: last.Sub(zero)}
	for _, name := range tasks {
		c.Lanes = append(c.Lanes, lane(traces, name, zero, c.End))
	}
	return c
}

// ran is how long the run lasted that a crash ended.
func ran(s jaegerSpan) time.Duration {
	seconds, _ := strconv.ParseFloat(s.tag("holdfast.run.duration"), 64)
	return time.Duration(seconds * float64(time.Second))
}

// lane is what the traces tell of one task: runs lead up to crashes, and one more
// goes on after the last restart.
func lane(traces []jaegerTrace, name string, zero time.Time, end time.Duration) *timeline.Lane {
	_, label, _ := strings.Cut(name, "/")
	l := &timeline.Lane{Name: label}
	var spans []jaegerSpan
	for _, tr := range traces {
		for _, s := range tr.Spans {
			if s.tag("holdfast.task.name") == name {
				spans = append(spans, s)
			}
		}
	}
	slices.SortStableFunc(spans, func(a, b jaegerSpan) int { return int(a.StartTime - b.StartTime) })
	kinds := map[string]timeline.Kind{"backing off": timeline.BackingOff, "crash looping": timeline.CrashLooping}
	running := time.Duration(-1) // since when, after the last restart
	for _, s := range spans {
		from, to := s.start().Sub(zero), s.end().Sub(zero)
		switch kind, isHold := kinds[s.OperationName]; {
		case isHold:
			l.Spans = append(l.Spans, timeline.Span{Kind: kind, From: from, To: to})
			if kind == timeline.CrashLooping {
				l.Marks = append(l.Marks, timeline.Mark{Kind: timeline.Trip, At: from})
			}
			if s.tag("holdfast.hold.outcome") == "forced" {
				l.Marks = append(l.Marks, timeline.Mark{Kind: timeline.Force, At: to})
			}
		case s.OperationName == "crash":
			l.Spans = append(l.Spans, timeline.Span{Kind: timeline.Running, From: from - ran(s), To: from})
			l.Marks = append(l.Marks, timeline.Mark{Kind: timeline.Crash, At: from})
		case s.OperationName == "gave up":
			l.Marks = append(l.Marks, timeline.Mark{Kind: timeline.GaveUp, At: from})
		default: // the root
			running = -1
			switch s.tag("holdfast.restart.outcome") {
			case "restarted":
				running = to
			case "shutdown":
				l.Marks = append(l.Marks, timeline.Mark{Kind: timeline.Stop, At: to})
			}
		}
	}
	if running >= 0 {
		l.Spans = append(l.Spans, timeline.Span{Kind: timeline.Running, From: running, To: end})
	}
	return l
}
