package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
)

// console prints what the processes say, and what becomes of them, each line
// behind the name of its process. Safe for concurrent use.
type console struct {
	width  int // of the longest name
	colour bool

	mu       sync.Mutex
	out, err io.Writer
}

func newConsole(out, err io.Writer, names []string) *console {
	c := &console{out: out, err: err, colour: isTerminal(out)}
	for _, name := range names {
		c.width = max(c.width, len(name))
	}
	return c
}

// isTerminal reports whether colours are welcome.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// The colours of names, by the order of the processes, and of what is bad.
var palette = [...]string{"\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m"}

const (
	red       = "\x1b[31m"
	colourEnd = "\x1b[0m"
)

// line prints a line of a process: mark is | for its own, * for one about it.
func (c *console) line(to io.Writer, index int, name, mark, text, colour string) {
	label := fmt.Sprintf("%-*s %s", c.width, name, mark)
	if c.colour {
		label = palette[index%len(palette)] + label + colourEnd
		if colour != "" {
			text = colour + text + colourEnd
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(to, label, text)
}

// say prints a line, or several, that are about no process.
func (c *console) say(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(c.err, text)
}

// logger returns the logger of a process. Package process logs what the process
// says with it, and supervise what happens to it.
func (c *console) logger(index int, name string) *slog.Logger {
	return slog.New(&handler{console: c, index: index, name: name})
}

// handler is a slog.Handler that prints records as lines of one process.
type handler struct {
	console *console
	index   int
	name    string
}

// Enabled returns true: starts and ends are told, too.
func (h *handler) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs returns h: the line has the process's name already.
func (h *handler) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup returns h: nobody here groups.
func (h *handler) WithGroup(string) slog.Handler { return h }

// Handle prints the record.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	switch stream(r) {
	case "stdout":
		h.console.line(h.console.out, h.index, h.name, "|", r.Message, "")
	case "stderr":
		h.console.line(h.console.err, h.index, h.name, "|", r.Message, "")
	default:
		text, colour := h.describe(r), ""
		if r.Level >= slog.LevelWarn {
			colour = red
		}
		h.console.line(h.console.err, h.index, h.name, "*", text, colour)
	}
	return nil
}

// stream returns where the process wrote the line; nothing if it is about the process.
func stream(r slog.Record) (name string) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "stream" {
			name = a.Value.String()
		}
		return true
	})
	return name
}

func (h *handler) describe(r slog.Record) string {
	var text strings.Builder
	text.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		h.attr(&text, a)
		return true
	})
	return text.String()
}

func (h *handler) attr(text *strings.Builder, a slog.Attr) {
	switch {
	case a.Value.Kind() == slog.KindGroup:
		for _, inner := range a.Value.Group() {
			h.attr(text, inner)
		}
	case a.Key != "" && a.Key != "task": // the line has its name already
		value := a.Value.String()
		if value == "" || strings.ContainsAny(value, " \"\n") {
			value = strconv.Quote(value)
		}
		text.WriteString(" " + a.Key + "=" + value)
	}
}
