package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// The geometry of the picture, in pixels.
const (
	width, height = 900, 380
	left, right   = 80, 210
	top, bottom   = 30, 50
)

// style colours the picture for light and dark pages alike.
const style = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f} .axis{font-size:11px;fill:#57606a} line{stroke:#d0d7de}
polyline{fill:none;stroke-width:2} .c0{stroke:#cf222e} .c1{stroke:#bf8700} .c2{stroke:#2da44e} .c3{stroke:#0969da} .c4{stroke:#8250df}
.ref{stroke:#8c959f;stroke-dasharray:5 4}
@media (prefers-color-scheme:dark){text{fill:#e6edf3} .axis{fill:#8d96a0} line{stroke:#30363d}}
</style>
`

// draw writes the time for each due gate over the number of gates, a line for each
// number that is due at once, beside one that grows as log n.
func (r result) draw(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="nanoseconds for each due gate, by the number of gates">`+"\n", width, height, width, height)
	out.WriteString(style)
	highest := r.highest()
	for i := range 6 {
		ns := highest / 5 * time.Duration(i)
		fmt.Fprintf(&out, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text class="axis" x="%d" y="%.1f" text-anchor="end">%d ns</text>`+"\n",
			left, y(ns, highest), width-right, y(ns, highest), left-8, y(ns, highest)+4, ns.Nanoseconds())
	}
	for i, n := range r.n {
		fmt.Fprintf(&out, `<text class="axis" x="%.1f" y="%d" text-anchor="middle">%d gates</text>`+"\n", r.x(i), height-bottom+20, n)
	}
	for i, k := range r.k {
		r.line(&out, fmt.Sprintf("c%d", i), fmt.Sprintf("%d due at once", k), i, r.per[i], highest)
	}
	r.line(&out, "ref", "as log n", len(r.k), r.reference(), highest)
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

func (r result) line(out *strings.Builder, class, name string, i int, times []time.Duration, highest time.Duration) {
	fmt.Fprintf(out, `<polyline class="%s" points="`, class)
	for at, d := range times {
		if d > 0 {
			fmt.Fprintf(out, "%.1f,%.1f ", r.x(at), y(d, highest))
		}
	}
	fmt.Fprintf(out, `"/><polyline class="%s" points="%d,%d %d,%d"/><text x="%d" y="%d">%s</text>`+"\n",
		class, width-right+24, top+20+i*24, width-right+54, top+20+i*24, width-right+62, top+24+i*24, name)
}

// reference grows as log n, from what a gate takes of those that are due by the
// hundred in the smallest set.
func (r result) reference() []time.Duration {
	var times []time.Duration
	for _, n := range r.n {
		times = append(times, time.Duration(float64(r.per[2][0])*math.Log(float64(n))/math.Log(float64(r.n[0]))))
	}
	return times
}

// highest is the top of the scale, at a multiple of 500 ns.
func (r result) highest() time.Duration {
	var highest time.Duration
	for _, row := range r.per {
		highest = max(highest, slices.Max(row))
	}
	return (highest/500 + 1) * 500
}

func (r result) x(i int) float64 {
	return left + 30 + float64(i)/float64(max(len(r.n)-1, 1))*(width-left-right-60)
}

func y(d, highest time.Duration) float64 {
	return height - bottom - float64(d)/float64(highest)*(height-top-bottom)
}
