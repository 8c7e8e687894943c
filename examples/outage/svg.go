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
	top, bottom   = 44, 56
)

// style colours the picture for light and dark pages alike.
const style = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f} .axis{font-size:11px;fill:#57606a} line{stroke:#d0d7de}
polyline{fill:none;stroke-width:2} .same{stroke:#8c959f;stroke-dasharray:2 4;stroke-width:1.4}
.c0{stroke:#cf222e;stroke-dasharray:7 3} .c1{stroke:#0969da}
@media (prefers-color-scheme:dark){text{fill:#e6edf3} .axis{fill:#8d96a0} line{stroke:#30363d}
.c0{stroke:#ff7b72} .c1{stroke:#4493f8}}
</style>
`

// shortest and longest outage, and lag, of the picture: both axes are logarithmic.
const (
	shortest = time.Second
	longest  = 20 * time.Minute
	leastLag = 100 * time.Millisecond
	mostLag  = 10 * time.Minute
)

// draw writes how long after an outage all of a hundred tasks are up, over its length.
func draw(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" `+
		`aria-label="how long tasks stay down after an outage, over its length">`+"\n%s", width, height, width, height, style)
	axes(&out)
	fmt.Fprintf(&out, `<polyline class="same" points="%.1f,%.1f %.1f,%.1f"/><text class="axis" x="%.1f" y="%.1f" text-anchor="end">as long as the outage</text>`+"\n",
		x(shortest), y(shortest), x(mostLag), y(mostLag), x(mostLag), y(mostLag)-6)
	for i, c := range candidates {
		fmt.Fprintf(&out, `<polyline class="c%d" points="`, i)
		for length := shortest; length <= longest; length = length * 26 / 25 {
			fmt.Fprintf(&out, "%.1f,%.1f ", x(length), y(outage(c.policy, 100, length).lag(1)))
		}
		out.WriteString(`"/>` + "\n")
		fmt.Fprintf(&out, `<polyline class="c%d" points="%d,22 %d,22"/><text x="%d" y="27">%s</text>`+"\n", i, left+i*150, left+i*150+34, left+i*150+42, c.name)
	}
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

func axes(out *strings.Builder) {
	for _, at := range []time.Duration{time.Second, 2 * time.Second, 8 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute} {
		fmt.Fprintf(out, `<text class="axis" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(at), height-bottom+20, label(at))
	}
	for _, lag := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute} {
		fmt.Fprintf(out, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text class="axis" x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, y(lag), width-right, y(lag), left-6, y(lag)+4, label(lag))
	}
	fmt.Fprintf(out, `<text class="axis" x="%d" y="%d" text-anchor="middle">length of the outage; upwards: how long after it the last of 100 tasks is up</text>`+"\n", (left+width-right)/2, height-8)
}

func label(d time.Duration) string {
	return strings.TrimSuffix(d.String(), "m0s") + map[bool]string{true: "m"}[d >= time.Minute]
}

func x(length time.Duration) float64 {
	return left + share(length, shortest, longest)*(width-left-right)
}
func y(lag time.Duration) float64 {
	return height - bottom - share(max(lag, leastLag), leastLag, mostLag)*(height-top-bottom)
}

func share(d, least, most time.Duration) float64 {
	return math.Log(float64(d)/float64(least)) / math.Log(float64(most)/float64(least))
}
