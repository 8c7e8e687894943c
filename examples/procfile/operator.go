package main

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

const help = `Enter: how all stand   r [name]: release what is held   restart name   stop name   q: stop all, and quit`

// operator does what is asked for by keys and signals.
type operator struct {
	sup     *supervise.Supervisor
	console *console
	quit    func()
}

// read takes commands, one a line, until there are no more.
func (o *operator) read(in io.Reader) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		o.obey(strings.Fields(lines.Text()))
	}
}

func (o *operator) obey(words []string) {
	switch {
	case len(words) == 0:
		o.console.say(o.status(time.Now()))
	case len(words) == 1 && words[0] == "q":
		o.quit()
	case len(words) == 1 && words[0] == "r":
		o.release()
	case len(words) == 2 && slices.Contains([]string{"r", "restart", "stop"}, words[0]):
		o.control(words[0], words[1])
	default:
		o.console.say(help)
	}
}

// release ends all holds.
func (o *operator) release() {
	released := 0
	for t := range o.sup.Tasks() {
		if t.Release() {
			released++
		}
	}
	if released == 0 {
		o.console.say("nothing is held")
	}
}

func (o *operator) control(verb, name string) {
	for t := range o.sup.Tasks() {
		if path.Base(t.Name()) != name {
			continue
		}
		switch verb {
		case "restart":
			t.Restart()
		case "stop":
			t.Stop()
		default:
			if !t.Release() {
				o.console.say(name + " is not held")
			}
		}
		return
	}
	o.console.say("there is no process " + name)
}

// status is a table of all processes.
func (o *operator) status(now time.Time) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "process\tis\tfor\trun\tcrashes\tlast error")
	for t := range o.sup.Tasks() {
		s := t.Status()
		is, span := standing(s, now)
		last := ""
		if s.LastErr != nil {
			last = s.LastErr.Error()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", path.Base(s.Task), is, span, s.Run, s.Crashes, last)
	}
	_ = w.Flush() // into memory
	return text.String() + help
}

// standing returns how a task stands, and for how long it has, or will.
func standing(s supervise.Status, now time.Time) (is, span string) {
	round := func(d time.Duration) string { return max(d, 0).Round(100 * time.Millisecond).String() }
	until, ends := s.Gate.ReleaseAt()
	switch {
	case s.State == supervise.Stopping:
		return "stopping", ""
	case s.State == supervise.Running:
		return "running", round(now.Sub(s.Started))
	case s.Gate.Phase() != gate.Idle && ends:
		return s.Gate.Phase().String(), "another " + round(until.Sub(now))
	case s.Gate.Phase() != gate.Idle:
		return s.Gate.Phase().String(), ""
	case s.Run == 0:
		return "not started", ""
	}
	return "down", ""
}
