package timeline

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// glyphs has the character and the ANSI colour of each kind.
var glyphs = [...]struct {
	char   rune
	colour string
}{
	Running:      {'━', "32"},
	BackingOff:   {'┄', "33"},
	CrashLooping: {'░', "31"},
	Crash:        {'×', "31"},
	Stop:         {'○', "32"},
	Force:        {'▶', "36"},
	Trip:         {'◆', "31;1"},
	GaveUp:       {'■', "31;1"},
}

// Terminal reports whether f shows colours: it is a terminal, and NO_COLOR is
// not set (no-color.org).
func Terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// WriteText draws the chart with that many characters for the time axis, in
// colour or without.
func (c Chart) WriteText(w io.Writer, columns int, colour bool) error {
	margin := 0
	for _, l := range c.Lanes {
		margin = max(margin, utf8.RuneCountInString(l.Name))
	}
	var out strings.Builder
	for _, l := range c.Lanes {
		line := fmt.Sprintf("%*s  ", -margin, l.Name)
		for _, k := range c.row(l, columns) {
			line += glyph(k, colour)
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	ruler, labels := c.axis(columns)
	fmt.Fprintf(&out, "%*s  %s\n%*s  %s\n\n", margin, "", ruler, margin, "", labels)
	for k := range Kind(len(glyphs)) {
		end := "   "
		if k == Crash || k == GaveUp {
			end = "\n"
		}
		fmt.Fprintf(&out, "%s %v%s", glyph(int(k), colour), k, end)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

const blank = -1

func glyph(k int, colour bool) string {
	switch {
	case k == blank:
		return " "
	case colour:
		return "\x1b[" + glyphs[k].colour + "m" + string(glyphs[k].char) + "\x1b[0m"
	}
	return string(glyphs[k].char)
}

// row returns the kind to draw in each column: the heaviest mark in it, or else
// the span that is there longest.
func (c Chart) row(l *Lane, columns int) []int {
	row := make([]int, columns)
	longest := make([]time.Duration, columns)
	width := max(c.End/time.Duration(columns), 1)
	column := func(at time.Duration) int { return max(min(int(at/width), columns-1), 0) }
	for i := range row {
		row[i] = blank
	}
	for _, s := range l.Spans {
		for i := column(s.From); i <= column(s.To); i++ {
			from, to := time.Duration(i)*width, time.Duration(i+1)*width
			if there := min(to, s.To) - max(from, s.From); there > longest[i] {
				row[i], longest[i] = int(s.Kind), there
			}
		}
	}
	for _, m := range l.Marks {
		if i := column(m.At); int(m.Kind) > row[i] {
			row[i] = int(m.Kind)
		}
	}
	return row
}

// axis returns a ruler with round steps and its labels.
func (c Chart) axis(columns int) (ruler, labels string) {
	step := c.step(max(columns/10, 1))
	ticks, numbers := []rune(strings.Repeat("─", columns)), []rune(strings.Repeat(" ", columns+8))
	for at := time.Duration(0); at <= c.End; at += step {
		i := int(int64(at) * int64(columns) / int64(max(c.End, 1)))
		if i >= columns {
			break
		}
		ticks[i] = '┴'
		copy(numbers[i:], []rune(label(at)))
	}
	return string(ticks), strings.TrimRight(string(numbers), " ")
}

// label is a duration without its zero parts: 2m rather than 2m0s.
func label(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// step is the smallest round step that divides the chart in no more than n parts.
func (c Chart) step(n int) time.Duration {
	for unit := time.Millisecond; ; unit *= 10 {
		for _, factor := range []time.Duration{1, 2, 5} {
			if step := roundUp(unit * factor); c.End/step <= time.Duration(n) {
				return step
			}
		}
	}
}

// roundUp makes a decimal step one of minutes where that reads better.
func roundUp(step time.Duration) time.Duration {
	if step > 30*time.Second {
		return step.Round(time.Minute)
	}
	return step
}
