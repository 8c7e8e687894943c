package timeline

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"
)

// The geometry of the picture, in pixels.
const (
	pictureWidth = 900
	laneHeight   = 34
	barHeight    = 14
	leftMargin   = 110
	rightMargin  = 24
	topMargin    = 16
	bottomMargin = 76
)

// style colours the picture for light and dark pages alike.
const style = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f} .axis{font-size:11px;fill:#57606a} line{stroke:#8c959f}
.k0{fill:#2da44e} .k1{fill:#d4a72c;opacity:.55} .k2{fill:#cf222e;opacity:.35}
.k3{fill:#cf222e} .k4{fill:#57606a} .k5{fill:#0969da} .k6{fill:#82071e} .k7{fill:#24292f}
@media (prefers-color-scheme:dark){text{fill:#e6edf3} .axis{fill:#8d96a0} line{stroke:#6e7681}
.k4{fill:#8d96a0} .k5{fill:#4493f8} .k6{fill:#ff8182} .k7{fill:#e6edf3}}
</style>
`

// WriteSVG draws the chart as an SVG picture that suits light and dark pages.
func (c Chart) WriteSVG(w io.Writer) error {
	height := topMargin + len(c.Lanes)*laneHeight + bottomMargin
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="timeline of tasks">`+"\n",
		pictureWidth, height, pictureWidth, height)
	out.WriteString(style)
	for i, l := range c.Lanes {
		c.svgLane(&out, l, topMargin+i*laneHeight+laneHeight/2)
	}
	bottom := topMargin + len(c.Lanes)*laneHeight + 6
	c.svgAxis(&out, bottom)
	svgLegend(&out, bottom+40)
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

func (c Chart) x(at time.Duration) float64 {
	share := float64(min(at, c.End)) / float64(max(c.End, 1))
	return leftMargin + share*(pictureWidth-leftMargin-rightMargin)
}

func (c Chart) svgLane(out *strings.Builder, l *Lane, y int) {
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", leftMargin-12, y+5, html.EscapeString(l.Name))
	for _, s := range l.Spans {
		from, to := c.x(s.From), c.x(s.To)
		fmt.Fprintf(out, `<rect class="k%d" x="%.1f" y="%d" width="%.1f" height="%d"/>`+"\n",
			s.Kind, from, y-barHeight/2, max(to-from, 0.5), barHeight)
	}
	for _, m := range l.Marks {
		svgMark(out, m.Kind, c.x(m.At), float64(y))
	}
}

// svgMark draws a shape of its own for each kind, so that none depends on its
// colour alone.
func svgMark(out *strings.Builder, k Kind, x, y float64) {
	switch k {
	case Crash:
		fmt.Fprintf(out, `<rect class="k3" x="%.1f" y="%.1f" width="2" height="22"/>`+"\n", x-1, y-11)
	case Stop:
		fmt.Fprintf(out, `<circle class="k4" cx="%.1f" cy="%.1f" r="5"/>`+"\n", x, y)
	case Force:
		fmt.Fprintf(out, `<path class="k5" d="M%.1f %.1fl12 8l-12 8z"/>`+"\n", x-3, y-8)
	case Trip:
		fmt.Fprintf(out, `<path class="k6" d="M%.1f %.1fl8 9l-8 9l-8 -9z"/>`+"\n", x, y-9)
	case GaveUp:
		fmt.Fprintf(out, `<rect class="k7" x="%.1f" y="%.1f" width="13" height="13"/>`+"\n", x, y-6.5)
	}
}

func (c Chart) svgAxis(out *strings.Builder, y int) {
	fmt.Fprintf(out, `<line x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", leftMargin, y, pictureWidth-rightMargin, y)
	step := c.step(10)
	for at := time.Duration(0); at <= c.End; at += step {
		fmt.Fprintf(out, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d"/><text class="axis" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			c.x(at), y, c.x(at), y+5, c.x(at), y+18, label(at))
	}
}

func svgLegend(out *strings.Builder, y int) {
	x := 20.0
	for k := Running; k <= GaveUp; k++ {
		if k <= CrashLooping {
			fmt.Fprintf(out, `<rect class="k%d" x="%.1f" y="%d" width="22" height="%d"/>`, k, x, y-barHeight/2, barHeight)
		} else {
			svgMark(out, k, x+12, float64(y))
		}
		fmt.Fprintf(out, `<text class="axis" x="%.1f" y="%d">%v</text>`+"\n", x+30, y+4, k)
		x += 46 + 6.2*float64(len(k.String()))
	}
}
