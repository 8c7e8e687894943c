package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/timeline"
	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

// console prints what happens, a line each. It is an Observer of the tasks.
type console struct {
	out    *os.File
	colour bool
	start  time.Time

	mu     sync.Mutex
	counts map[string]*counts
}

type counts struct{ runs, crashes int }

func newConsole(out *os.File) *console {
	c := &console{out: out, colour: timeline.Terminal(out), start: time.Now(), counts: map[string]*counts{}}
	fmt.Fprintf(out, "Four tasks, each under supervise.Run, on a bad day of %v.\n\n", showEnds)
	return c
}

// The colours of a line.
const (
	plain  = ""
	red    = "31"
	yellow = "33"
	green  = "32"
	cyan   = "36"
)

func (c *console) line(at time.Time, who, colour, what string) {
	if c.colour && colour != plain {
		what = "\x1b[" + colour + "m" + what + "\x1b[0m"
	}
	fmt.Fprintf(c.out, "%6.2fs  %-9s %s\n", at.Sub(c.start).Seconds(), who, what)
}

// say prints what somebody does who is not a task.
func (c *console) say(who, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line(time.Now(), who, cyan, "· "+what)
}

// Observe prints an event.
func (c *console) Observe(e supervise.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.counts[e.Task]
	if n == nil {
		n = &counts{}
		c.counts[e.Task] = n
	}
	switch e.Kind {
	case supervise.KindStart:
		n.runs++
		c.line(e.At, e.Task, green, fmt.Sprintf("▸ run %d", e.Run))
	case supervise.KindCrash:
		n.crashes++
		c.crash(e)
	case supervise.KindRelease:
		if e.Forced {
			c.line(e.At, e.Task, cyan, "▶ the hold is ended by force, the slate is clean")
		}
	case supervise.KindGiveUp:
		c.line(e.At, e.Task, red, "■ gives up")
	case supervise.KindExit, supervise.KindStop:
		c.line(e.At, e.Task, plain, "○ has stopped")
	}
}

func (c *console) crash(e supervise.Event) {
	what, colour := fmt.Sprintf("× %s", short(e.Err)), yellow
	until, held := e.State.ReleaseAt()
	switch {
	case e.State.Phase() == gate.CrashLooping:
		what, colour = "◆ "+what[len("× "):]+fmt.Sprintf(" → crash number %d in a row trips the crash-loop gate for %v", e.Streak, until.Sub(e.At)), red
	case held:
		what += fmt.Sprintf(" → back off %v", until.Sub(e.At))
	}
	c.line(e.At, e.Task, colour, what)
}

// paths are the parts of an error that differ from one machine to another.
var paths = regexp.MustCompile(`/\S*/|Get "[^"]*": `)

func short(err error) string {
	var panicked *supervise.PanicError
	if errors.As(err, &panicked) {
		where := panicked.Frames()[0]
		return fmt.Sprintf("%v (at %s:%d)", err, where.File[strings.LastIndexByte(where.File, '/')+1:], where.Line)
	}
	return paths.ReplaceAllString(err.Error(), "")
}

// results prints what each Run returned.
func (c *console) results(ends map[string]error) {
	fmt.Fprintln(c.out, "\nWhat supervise.Run returned:")
	for _, name := range slices.Sorted(maps.Keys(ends)) {
		n := c.counts[name]
		fmt.Fprintf(c.out, "  %-9s %2d runs, %d crashes   %s\n", name, n.runs, n.crashes, short(ends[name]))
	}
	fmt.Fprintln(c.out)
}

// axisColumns leaves room for the names in a terminal of 100 columns.
const axisColumns = 86

func (c *console) timeline(chart timeline.Chart) error {
	return chart.WriteText(c.out, axisColumns, c.colour)
}
