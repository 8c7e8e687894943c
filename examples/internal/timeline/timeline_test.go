package timeline_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/timeline"
	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

var errDown = errors.New("down")

// record runs a task that crashes at once until its gate trips, is forced, runs,
// and is stopped, a minute in all of virtual time.
func record(t *testing.T) (c timeline.Chart) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := timeline.NewRecorder("first", "task")
		g := gate.New(policy.Compose(policy.Constant(10*time.Second), policy.CrashLoop(2, time.Minute, time.Hour)))
		time.AfterFunc(30*time.Second, func() { g.ForceRelease() })
		err := supervise.Run(ctx, func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run <= 2 {
				return errDown
			}
			<-ctx.Done()
			return nil
		}, supervise.WithName("task"), supervise.WithGate(g), supervise.WithObserver(r), supervise.WithLogger(slog.New(slog.DiscardHandler)))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		c = r.Chart()
	})
	return c
}

func TestRecorder(t *testing.T) {
	const s = time.Second
	c := record(t)
	if len(c.Lanes) != 2 || c.Lanes[0].Name != "first" || len(c.Lanes[0].Spans) != 0 {
		t.Fatalf("lanes: %+v", c.Lanes)
	}
	lane := c.Lanes[1]
	spans := []timeline.Span{
		{timeline.Running, 0, 0}, {timeline.BackingOff, 0, 10 * s},
		{timeline.Running, 10 * s, 10 * s}, {timeline.CrashLooping, 10 * s, 30 * s},
		{timeline.Running, 30 * s, 60 * s},
	}
	marks := []timeline.Mark{
		{timeline.Crash, 0}, {timeline.Crash, 10 * s}, {timeline.Trip, 10 * s},
		{timeline.Force, 30 * s}, {timeline.Stop, 60 * s},
	}
	if !slices.Equal(lane.Spans, spans) || !slices.Equal(lane.Marks, marks) || c.End != time.Minute {
		t.Errorf("lane: %+v, until %v", lane, c.End)
	}
}

func TestWriteText(t *testing.T) {
	var out strings.Builder
	if err := record(t).WriteText(&out, 30, false); err != nil {
		t.Fatal(err)
	}
	const want = `first
task   ×┄┄┄┄◆░░░░░░░░░▶━━━━━━━━━━━━━○
       ┴─────────┴─────────┴─────────
       0s        20s       40s

━ running   ┄ backing off   ░ crash looping   × crash
○ stopped   ▶ force release   ◆ crash loop trips   ■ gave up
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

func TestWriteTextInColour(t *testing.T) {
	var out strings.Builder
	if err := record(t).WriteText(&out, 30, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\x1b[31;1m◆\x1b[0m") {
		t.Errorf("the trip is not in its colour:\n%q", &out)
	}
}

func TestWriteSVG(t *testing.T) {
	var out strings.Builder
	c := record(t)
	c.Lanes[0].Name = `<&"`
	if err := c.WriteSVG(&out); err != nil {
		t.Fatal(err)
	}
	elements := map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(out.String())); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
		}
	}
	// Marks of the lane and of the legend.
	if elements["circle"] != 2 || elements["path"] != 4 {
		t.Errorf("elements: %v", elements)
	}
}

func TestSimulated(t *testing.T) {
	p := policy.Compose(policy.Constant(time.Second), policy.MaxCrashes(1, time.Hour))
	lane := timeline.Simulated("x", policy.Simulate(p, []policy.Run{{For: time.Second, Err: errDown}, {Err: errDown}}))
	if want := 2 * time.Second; lane.End() != want {
		t.Errorf("ends at %v, want %v", lane.End(), want)
	}
	if last := lane.Marks[len(lane.Marks)-1]; last.Kind != timeline.GaveUp {
		t.Errorf("the last mark is %v", last.Kind)
	}
}
