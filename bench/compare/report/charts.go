package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Colours that can be read on white and on black.
var (
	ink    = color.RGBA{0x7d, 0x85, 0x90, 0xff}
	faint  = color.RGBA{0x7d, 0x85, 0x90, 0x50}
	ours   = color.RGBA{0x2f, 0x81, 0xf7, 0xff}
	series = []color.Color{ours, color.RGBA{0xd2, 0x7b, 0x35, 0xff}, ink}
)

func drawAll(out string, f figures) error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	plotter.DefaultFont = plot.DefaultFont
	for _, c := range []struct{ file, title, prefix, suffix, unit string }{
		{"restart-error.svg", "Restart after an error (log scale, less is better)", "Restart/after=error/lib=", "", "ns/op"},
		{"restart-panic.svg", "Restart after a panic, with its stack (log scale, less is better)", "Restart/after=panic/lib=", "", "ns/op"},
		{"decide.svg", "Decision at a crash (log scale, less is better)", "Decide/lib=", "", "ns/op"},
		{"idle.svg", "Start of 100,000 tasks (log scale, less is better)", "Idle/lib=", "/tasks=100000", "start-ns"},
		{"storm.svg", "10,000 tasks crash at once, all restarted (log scale, less is better)", "Storm/lib=", "/tasks=10000", "storm-ns"},
	} {
		var all bars
		for _, lib := range f.libs(c.prefix, c.unit) {
			name, ok := strings.CutSuffix(lib, c.suffix)
			if ok {
				all = append(all, bar{name, f.median(peer(c.prefix+lib, c.unit))})
			}
		}
		if len(all) == 0 {
			return fmt.Errorf("drawing %s: nothing was measured", c.file)
		}
		if err := save(filepath.Join(out, c.file), barChart(c.title, all), vg.Length(len(all))*22+70); err != nil {
			return err
		}
	}
	for _, c := range []struct{ file, title, label, bench, unit string }{
		{"scale-restarts.svg", "Restarts in a second (more is better)", "restarts/s", "Churn", "restarts/s"},
		{"scale-memory.svg", "Memory of an idle task, its stack included (less is better)", "bytes", "Idle", "B/task"},
	} {
		p, err := f.lineChart(c.title, c.label, c.bench, c.unit)
		if err != nil {
			return err
		}
		if err := save(filepath.Join(out, c.file), p, 260); err != nil {
			return err
		}
	}
	return nil
}

// newPlot returns a plot without a background.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text = title
	p.Title.TextStyle.Color = ink
	p.Title.Padding = 8
	p.Legend.TextStyle.Color, p.Legend.Padding = ink, 4
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color = faint
		axis.Tick.Color = faint
		axis.Tick.Label.Color = ink
		axis.Label.TextStyle.Color = ink
	}
	return p
}

type bar struct {
	name  string
	value float64 // in ns
}

// bars are drawn from the left, the first on top. plotter.BarChart begins at
// zero, which a log scale does not have.
type bars []bar

func barChart(title string, all bars) *plot.Plot {
	p := newPlot(title)
	names := make([]string, len(all))
	low, high := math.Inf(1), 0.0
	for i, b := range all {
		names[len(all)-1-i] = b.name
		low, high = min(low, b.value), max(high, b.value)
	}
	p.Add(all)
	p.NominalY(names...)
	p.X.Scale = plot.LogScale{}
	p.X.Min, p.X.Max = low/3, high*4 // room for the last one's figure
	p.Y.Min, p.Y.Max = -0.6, float64(len(all))-0.4
	p.HideX()
	return p
}

func (all bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := p.Y.Tick.Label
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	for i, b := range all {
		middle, left, right := y(float64(len(all)-1-i)), x(p.X.Min), x(b.value)
		fill := color.Color(ink)
		if strings.HasPrefix(b.name, "holdfast") {
			fill = ours
		}
		c.FillPolygon(fill, []vg.Point{{X: left, Y: middle - 7}, {X: right, Y: middle - 7}, {X: right, Y: middle + 7}, {X: left, Y: middle + 7}})
		c.FillText(style, vg.Point{X: right + 5, Y: middle}, showTime(b.value))
	}
}

// lineChart shows how a figure changes with the number of tasks.
func (f figures) lineChart(title, label, bench, unit string) (*plot.Plot, error) {
	p := newPlot(title)
	p.X.Label.Text, p.Y.Label.Text = "tasks", label
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(powersOfTen)
	if bench == "Churn" {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(powersOfTen)
		p.Legend.Top = true
	} else {
		p.Y.Min = 0
	}
	for i, lib := range scaled {
		var points plotter.XYs
		for _, n := range scale {
			if key := peer(bench+"/lib="+lib+"/tasks="+strconv.Itoa(n), unit); len(f[key]) > 0 {
				points = append(points, plotter.XY{X: float64(n), Y: f.median(key)})
			}
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("drawing %s of %s: %w", bench, lib, err)
		}
		line.Color, line.Width, dots.Color = series[i], 2, series[i]
		dots.Shape = draw.CircleGlyph{}
		p.Add(line, dots)
		p.Legend.Add(lib, line, dots)
	}
	return p, nil
}

func powersOfTen(low, high float64) (ticks []plot.Tick) {
	for value := 1.0; value <= high*1.001; value *= 10 {
		if value < low*0.999 {
			continue
		}
		label := strconv.FormatFloat(value, 'f', 0, 64)
		if rest, ok := strings.CutSuffix(label, "000000"); ok {
			label = rest + "M"
		} else if rest, ok := strings.CutSuffix(label, "000"); ok {
			label = rest + "k"
		}
		ticks = append(ticks, plot.Tick{Value: value, Label: label})
	}
	return ticks
}

var fontFamily = regexp.MustCompile(`font-family:[^;"]*`)

// save writes p in a font whose letters are as wide as those it was laid out for.
func save(file string, p *plot.Plot, height vg.Length) error {
	c := vgsvg.New(560, height)
	p.Draw(draw.Crop(draw.New(c), 8, -24, 8, -8))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return fmt.Errorf("drawing %s: %w", file, err)
	}
	text := fontFamily.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif"))
	return os.WriteFile(file, text, 0o644) //nolint:gosec // to be read by all
}
