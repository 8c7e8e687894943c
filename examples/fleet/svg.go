package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// The geometry of the picture, in pixels.
const (
	width, height = 900, 380
	left, right   = 70, 20
	top, bottom   = 40, 56
)

// style colours the picture for light and dark pages alike.
const style = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f} .axis{font-size:11px;fill:#57606a} line{stroke:#d0d7de}
polyline{fill:none;stroke-width:1.6} .down{fill:#8c959f;opacity:.16}
.c0{stroke:#cf222e} .c1{stroke:#bf8700;stroke-dasharray:6 2} .c2{stroke:#0969da;stroke-width:2.4}
@media (prefers-color-scheme:dark){text{fill:#e6edf3} .axis{fill:#8d96a0} line{stroke:#30363d}
.c0{stroke:#ff7b72} .c1{stroke:#e3b341} .c2{stroke:#4493f8}}
</style>
`

// draw writes the curves as an SVG picture: the starts of each second over time, on
// a logarithmic scale on which one start is the bottom.
func draw(w io.Writer, curves []curve) error {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="starts per second of a fleet over time">`+"\n", width, height, width, height)
	out.WriteString(style)
	decades := 1
	for _, c := range curves {
		for _, n := range c.starts {
			decades = max(decades, int(math.Ceil(math.Log10(float64(max(n, 1))))))
		}
	}
	axes(&out, decades)
	for i, c := range curves {
		fmt.Fprintf(&out, `<polyline class="c%d" points="`, i)
		for s, n := range c.starts {
			fmt.Fprintf(&out, "%.1f,%.1f ", x(time.Duration(s)*time.Second), y(n, decades))
		}
		out.WriteString(`"/>` + "\n")
		fmt.Fprintf(&out, `<polyline class="c%d" points="%d,20 %d,20"/><text x="%d" y="25">%s</text>`+"\n", i, left+i*230, left+i*230+34, left+i*230+42, c.name)
	}
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

func axes(out *strings.Builder, decades int) {
	fmt.Fprintf(out, `<rect class="down" x="%.1f" y="%d" width="%.1f" height="%d"/>`+"\n", x(fails), top, x(recovers)-x(fails), height-top-bottom)
	fmt.Fprintf(out, `<text class="axis" x="%.1f" y="%d" text-anchor="middle">the dependency is down</text>`+"\n", (x(fails)+x(recovers))/2, height-8)
	for d := range decades + 1 {
		n := int(math.Pow10(d))
		fmt.Fprintf(out, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text class="axis" x="%d" y="%.1f" text-anchor="end">%d/s</text>`+"\n",
			left, y(n, decades), width-right, y(n, decades), left-6, y(n, decades)+4, n)
	}
	for at := time.Duration(0); at <= storyEnds; at += time.Minute {
		fmt.Fprintf(out, `<text class="axis" x="%.1f" y="%d" text-anchor="middle">%d min</text>`+"\n", x(at), height-bottom+20, at/time.Minute)
	}
}

func x(at time.Duration) float64 {
	return left + float64(at)/float64(storyEnds)*(width-left-right-20)
}

func y(starts, decades int) float64 {
	share := math.Log10(float64(max(starts, 1))) / float64(decades)
	return height - bottom - share*(height-top-bottom)
}
