package feed

import (
	"context"
	"reflect"
	"runtime"
	"testing"
)

// big is as large as an event of package supervise.
type big struct {
	words [30]uint64
	kept  *int
}

// flushed returns once nothing is pending.
func flushed(t testing.TB, f Drainer) {
	t.Helper()
	for f.Drained() != nil {
		Flush(context.Background(), f)
	}
}

func TestDrainedFeedGivesMemoryBack(t *testing.T) {
	open := make(chan struct{})
	f := New(Config[big]{
		Receive: func(big, uint64) { <-open },
		Ends:    func(b big) bool { return b.words[0]%2 == 0 },
	})
	for i := range 10_000 {
		f.Put(big{words: [30]uint64{uint64(i)}, kept: new(int)})
	}
	close(open)
	flushed(t, f)
	for name, q := range map[string]*queue[big]{"ending": &f.ending, "other": &f.others} {
		if q.head != nil || q.tail != nil || q.len != 0 {
			t.Errorf("the queue of %s values keeps %d", name, q.len)
		}
	}
	if f.spare == nil || f.spare.next != nil || !reflect.ValueOf(*f.spare).IsZero() {
		t.Errorf("it keeps %+v, want one piece without values", f.spare)
	}
	if f.drained != nil || f.later != nil {
		t.Error("it keeps channels that nobody waits for")
	}
}

// Whoever puts values while they are handed over allocates nothing.
func TestPutAllocatesNothing(t *testing.T) {
	f := New(Config[big]{Receive: func(big, uint64) {}, Ends: func(b big) bool { return b.words[0]%4 == 0 }})
	var b big
	for name, test := range map[string]func(){
		"and the receiver is faster": func() {
			b.words[0]++
			f.Put(b)
			for f.busy() {
				runtime.Gosched()
			}
		},
		"and the receiver is slower": func() {
			b.words[0]++
			f.Put(b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(10_000, test); n != 0 {
				t.Errorf("%v allocations", n)
			}
			flushed(t, f)
		})
	}
}

func (f *Feed[E]) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.delivering
}

// BenchmarkPut puts values of the size of an event: to a receiver that keeps up, to one
// that does not, and to one that is blocked.
func BenchmarkPut(b *testing.B) {
	for name, test := range map[string]struct {
		open bool
		ends func(big) bool
	}{
		"received":       {true, func(big) bool { return false }},
		"blocked/others": {false, func(big) bool { return false }},
		"blocked/ending": {false, func(big) bool { return true }},
		"blocked/half":   {false, func(v big) bool { return v.words[0]%2 == 0 }},
	} {
		b.Run(name, func(b *testing.B) {
			open := make(chan struct{})
			if test.open {
				close(open)
			}
			f := New(Config[big]{Receive: func(big, uint64) { <-open }, Ends: test.ends})
			var v big
			b.ReportAllocs()
			for b.Loop() {
				v.words[0]++
				f.Put(v)
			}
			b.StopTimer()
			if !test.open {
				close(open)
			}
			flushed(b, f)
		})
	}
}

// BenchmarkPutByMany has callers compete for one feed, whose receiver keeps up.
func BenchmarkPutByMany(b *testing.B) {
	var lost uint64
	f := New(Config[big]{Receive: func(_ big, dropped uint64) { lost += dropped }})
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		var v big
		for p.Next() {
			f.Put(v)
		}
	})
	flushed(b, f)
	b.ReportMetric(float64(lost)/float64(b.N), "lost/op")
}
