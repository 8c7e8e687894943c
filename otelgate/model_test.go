package otelgate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// tale is what a naive reader makes of all events of one task, once they are all
// there: the lines of a picture, and what the metrics say.
type tale struct {
	lines, children        []string
	crashes, starts, holds int
	root, hold             string // that are open
	rootFrom, holdFrom     time.Duration
}

func (m *tale) endHold(at time.Duration, how string) {
	if m.hold != "" {
		m.children = append(m.children, span("  "+m.hold, m.holdFrom, at, how))
		m.holds++
	}
	m.hold = ""
}

func (m *tale) endRoot(at time.Duration, how string) {
	m.endHold(at, how)
	if m.root != "" {
		m.lines = append(append(m.lines, span(m.root, m.rootFrom, at, how)), m.children...)
	}
	m.root, m.children = "", nil
}

func span(name string, from, to time.Duration, how string) string {
	if from == to {
		return fmt.Sprintf("%s %v %s", name, from, how)
	}
	return fmt.Sprintf("%s %v–%v %s", name, from, to, how)
}

// add reads the next event.
func (m *tale) add(e supervise.Event, at time.Duration) {
	switch e.Kind {
	case supervise.KindStart:
		m.starts++
		m.endRoot(at, "restarted")
	case supervise.KindCrash:
		m.crashes++
		m.root, m.rootFrom = "restart x", at
		m.children = []string{fmt.Sprintf("  crash %v Error: boom", at)}
		if e.State.Phase() == gate.BackingOff || e.State.Phase() == gate.CrashLooping {
			m.hold, m.holdFrom = e.State.Phase().String(), at
		}
	case supervise.KindRelease:
		if e.Forced {
			m.endHold(at, "forced")
		} else {
			m.endHold(at, "elapsed")
		}
	case supervise.KindStop:
		m.endRoot(at, "shutdown")
	case supervise.KindGiveUp:
		m.children = append(m.children, fmt.Sprintf("  gave up %v Error: boom", at))
		m.endRoot(at, "gave_upError: the policy gave up")
	}
}

// TestModel compares what is told of a task with what a naive reader makes of its
// events: any policy, runs of any length, force releases and a stop at any time.
func TestModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		runs := rapid.SliceOfN(rapid.IntRange(0, 90), 1, 12).Draw(r, "runs, in seconds")
		releases := rapid.SliceOfN(rapid.IntRange(1, 400), 0, 5).Draw(r, "force releases, at seconds")
		stop := rapid.IntRange(1, 600).Draw(r, "stop, at seconds")
		p := policy.Compose(policy.Exponential(time.Duration(rapid.IntRange(0, 20).Draw(r, "delay"))*time.Second, 2, time.Minute),
			policy.CrashLoop(rapid.IntRange(2, 4).Draw(r, "threshold"), time.Minute, 2*time.Minute),
			policy.MaxCrashes(rapid.IntRange(4, 9).Draw(r, "most"), time.Hour))
		synctest.Test(t, func(t *testing.T) { model(t, r, runs, releases, stop, p) })
	})
}

func model(t *testing.T, r *rapid.T, runs, releases []int, stop int, p policy.Policy) {
	tel, zero, g := newTelemetry(), time.Now(), gate.New(p)
	var mu sync.Mutex
	var m tale
	reader := supervise.ObserverFunc(func(e supervise.Event) {
		mu.Lock()
		defer mu.Unlock()
		m.add(e, e.At.Sub(zero))
	})
	for _, s := range releases {
		// A millisecond off, so that it never meets another event.
		defer time.AfterFunc(time.Duration(s)*time.Second+time.Millisecond, func() { g.ForceRelease() }).Stop()
	}
	_ = supervise.Run(until(t, time.Duration(stop)*time.Second+2*time.Millisecond), func(ctx context.Context) error {
		info, _ := supervise.FromContext(ctx)
		select {
		case <-time.After(time.Duration(runs[(info.Run-1)%uint64(len(runs))]) * time.Second):
		case <-ctx.Done():
		}
		return errBoom
	}, supervise.WithName("x"), supervise.WithGate(g), supervise.WithObserver(tel.observer()), supervise.WithObserver(reader), quiet)
	mu.Lock()
	defer mu.Unlock()
	// Traces of one instant are in no order.
	got := grouped(tel.picture(t, zero))
	if want := grouped(m.lines); !slices.Equal(got, want) {
		r.Fatalf("got\n%q\nwant\n%q", got, want)
	}
	if n := sum(tel, t, "holdfast.task.crashes"); n != int64(m.crashes) {
		r.Fatalf("%d crashes are measured, not %d", n, m.crashes)
	}
	if n := sum(tel, t, "holdfast.task.restarts"); n != int64(max(m.starts-1, 0)) {
		r.Fatalf("%d restarts are measured of %d starts", n, m.starts)
	}
	if n := sum(tel, t, "holdfast.task.holds"); n != int64(m.holds) {
		r.Fatalf("%d holds are measured, not %d", n, m.holds)
	}
	for _, name := range []string{"holdfast.task.count", "holdfast.task.phase"} {
		if n := sum(tel, t, name); n != 0 {
			r.Fatalf("%s is %d in the end", name, n)
		}
	}
}

// grouped joins each root with its children, and sorts the children and the traces.
func grouped(lines []string) (traces []string) {
	for i := 0; i < len(lines); {
		j := i + 1
		for j < len(lines) && lines[j][0] == ' ' {
			j++
		}
		slices.Sort(lines[i+1 : j])
		traces = append(traces, fmt.Sprint(lines[i:j]))
		i = j
	}
	slices.Sort(traces)
	return traces
}

// sum adds up a metric.
func sum(tel *telemetry, t *testing.T, name string) (total int64) {
	t.Helper()
	for _, line := range tel.series(t, name) {
		var n int64
		_, _ = fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n)
		total += n
	}
	return total
}
