package history_test

import (
	"math"
	"testing"

	"github.com/holdfast-go/holdfast/internal/history"
)

// A policy that looks equally far back at every crash always gets an answer.
func TestSpanAtAnyDepth(t *testing.T) {
	for _, depth := range []int{1, 8, 9, 16, 63, 64, 65, 128, 129, 500} {
		var h history.Log
		span, spanAny := h.View().Span, h.View().SpanAny
		for i := range 3 * depth {
			h.ObserveCrash(at(float64(i)), errCrash)
			if i < depth-1 {
				wantSpans(t, span, map[int]float64{depth: none, i + 1: float64(i)})
			} else {
				wantSpans(t, span, map[int]float64{depth: float64(depth - 1), 1: 0})
			}
		}
		wipe(&h)
		wantSpans(t, span, map[int]float64{depth + 1: none, 1: 0, 2: none})
		wantSpans(t, spanAny, map[int]float64{depth: float64(depth - 1), 1: 0})
		for i := range depth { // the slate is clean, the ring is not
			h.ObserveCrash(at(float64(10_000+i)), errCrash)
		}
		wantSpans(t, span, map[int]float64{depth: float64(depth - 1)})
	}
}

// A policy that asks for nothing leaves eight crashes. What came before them is
// counted, but not known.
func TestSpanOfLostCrashes(t *testing.T) {
	var h history.Log
	span := h.View().Span
	crashes(&h, 0, 20)
	wantSpans(t, span, map[int]float64{8: 7})
	wantSpans(t, span, map[int]float64{9: none, 15: none, 20: none, 21: none})
	wantSpans(t, span, map[int]float64{8: 7})
	crashes(&h, 20, 24) // what is asked for now is kept from now on
	wantSpans(t, span, map[int]float64{8: 7, 9: 8, 12: 11, 13: none, 24: none})
	if h.Streak() != 24 {
		t.Errorf("streak = %d, want 24", h.Streak())
	}
}

// To ask for what cannot be is no reason to make room for it.
func TestSpanBeyondReasonCostsNoMemory(t *testing.T) {
	var h history.Log
	span := h.View().Span
	for i := range 100 {
		crashes(&h, i, i+1)
		wantSpans(t, span, map[int]float64{math.MaxInt: none, math.MaxInt16: none})
	}
	wantSpans(t, span, map[int]float64{100: 99})
	if got := len(h.Record().Crashes); got != 100 {
		t.Errorf("%d crashes are kept, want 100", got)
	}
	var fresh history.Log
	for name, ask := range map[string]func(){
		"a full log":              func() { span(math.MaxInt) },
		"a log of nothing":        func() { fresh.View().Span(1000) },
		"a view of nothing":       func() { history.View{}.SpanAny(1000) },
		"a fresh view":            func() { h.View().Fresh().Span(math.MaxInt) },
		"any, far beyond all":     func() { h.View().SpanAny(math.MaxInt) },
		"negative, and any":       func() { h.View().SpanAny(math.MinInt) },
		"negative, of a streak":   func() { span(-math.MaxInt) },
		"zero, of a fresh streak": func() { h.View().Fresh().Span(0) },
	} {
		if allocs := testing.AllocsPerRun(100, ask); allocs != 0 {
			t.Errorf("%s: asking allocates %v times, want 0", name, allocs)
		}
	}
}

// A rule that looks far back makes room as the task crashes, not at once.
func TestRoomGrowsWithTheCrashes(t *testing.T) {
	var h history.Log
	for i := range 3000 {
		crashes(&h, i, i+1)
		if got := h.View().SpanAny(history.MaxLookBack); i < history.MaxLookBack-1 && got != math.MaxInt64 {
			t.Fatalf("crash %d: a crash that was not has a span of %v", i+1, got)
		}
		if kept := len(h.Record().Crashes); kept != i+1 {
			t.Fatalf("crash %d: %d crashes are kept, want all", i+1, kept)
		}
	}
}

// A policy that has only seen fresh slates looks as far back as any: what it will ask
// for is kept, and saved.
func TestFreshSlatesKeepWhatIsAskedFor(t *testing.T) {
	var h, loaded history.Log
	h.ObserveCrash(at(0), errCrash)
	h.View().Fresh().Span(20)
	if r := h.Record(); r.Depth != 20 || len(r.Crashes) != 1 {
		t.Errorf("depth %d, crashes %v; want 20, and the one there is", r.Depth, r.Crashes)
	}
	load(t, &loaded, h.Record())
	loaded.ObserveCrash(at(5), errCrash)
	wantSpans(t, loaded.View().Span, map[int]float64{2: 5})
}

func TestNoMoreIsKeptThanAsked(t *testing.T) {
	var h history.Log
	for i := range 5000 {
		crashes(&h, i, i+1)
		h.View().Span(100)
	}
	if got := len(h.Record().Crashes); got != 100 {
		t.Errorf("%d crashes are in the record, want the 100 that a policy looked back", got)
	}
}
