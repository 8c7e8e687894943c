package feed_test

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/supervise/internal/feed"
)

// value is what the model puts.
type value struct {
	id   int
	ends bool
}

// arrival is a value as the receiver gets it.
type arrival struct {
	value
	dropped uint64
}

// naive is a feed as a list, each of whose values knows how many were lost before it.
type naive struct {
	pending  []arrival
	lost     uint64 // after the last one
	tasks    int
	room     int
	received []arrival
}

func (n *naive) put(v value) {
	room := 1024 + 8*max(n.tasks, 0)
	if len(n.pending) > 0 {
		room = max(room, n.room)
	}
	n.room = room
	if len(n.pending) == room {
		if !v.ends {
			n.lost++
			return
		}
		i := max(slices.IndexFunc(n.pending, func(a arrival) bool { return !a.ends }), 0)
		lost := n.pending[i].dropped + 1
		n.pending = slices.Delete(n.pending, i, i+1)
		if i < len(n.pending) {
			n.pending[i].dropped += lost
		} else {
			n.lost += lost
		}
	}
	n.pending = append(n.pending, arrival{v, n.lost})
	n.lost = 0
}

// receive takes the next value, if there is one.
func (n *naive) receive() {
	if len(n.pending) > 0 {
		n.received = append(n.received, n.pending[0])
		n.pending = slices.Delete(n.pending, 0, 1)
	}
}

// TestModel has a receiver return, panic and call Goexit one value at a time, while
// values of both kinds come in, more than there is room for. What it gets is what it
// gets from a list.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { rapid.SyncTest(rt, model) })
}

func model(t *rapid.T) {
	const returns, panics, goexits = 0, 1, 2
	var (
		n        naive
		received []arrival
		next     = make(chan int)
		reported int
		busy     bool // the receiver has a value
		id       int
	)
	f := feed.New(feed.Config[value]{
		Receive: func(v value, dropped uint64) {
			received = append(received, arrival{v, dropped})
			switch <-next {
			case panics:
				panic("no")
			case goexits:
				runtime.Goexit()
			}
		},
		Ends:     func(v value) bool { return v.ends },
		Panicked: func(any) { reported++ },
	})
	step := func(how int) {
		next <- how
		synctest.Wait()
		before := len(n.received)
		n.receive()
		busy = len(n.received) > before
	}
	panicked := false
	t.Repeat(map[string]func(*rapid.T){
		"put": func(t *rapid.T) {
			many := rapid.IntRange(1, 700).Draw(t, "many")
			ends := rapid.IntRange(0, 4).Draw(t, "ends") // in four
			for range many {
				id++
				v := value{id, id%4 < ends}
				f.Put(v)
				n.put(v)
				if !busy { // it takes the first one at once
					synctest.Wait()
					n.receive()
					busy = true
				}
			}
		},
		"grow": func(t *rapid.T) {
			by := rapid.IntRange(-100, 100).Draw(t, "by")
			f.Grow(int64(by))
			n.tasks += by
		},
		"receive": func(t *rapid.T) {
			how := rapid.SampledFrom([]int{returns, returns, panics, goexits}).Draw(t, "how")
			many := rapid.IntRange(1, 200).Draw(t, "many")
			for range many {
				if !busy {
					return
				}
				panicked = panicked || how == panics
				step(how)
			}
		},
		"wait": func(t *rapid.T) {
			drained := f.Drained()
			if (drained != nil) != busy {
				t.Fatalf("Drained is nil: %v, though the receiver is busy: %v", drained == nil, busy)
			}
			if drained == nil {
				return
			}
			for range len(n.pending) + 1 {
				select {
				case <-drained:
					t.Fatal("drained before all was handed over")
				default:
				}
				step(returns)
			}
			<-drained
		},
		"": func(t *rapid.T) {
			if !slices.Equal(received, n.received) {
				t.Fatalf("received %v, want %v", received, n.received)
			}
			if panicked != (reported == 1) || reported > 1 {
				t.Fatalf("%d panics reported, though it has panicked: %v", reported, panicked)
			}
		},
	})
	for busy {
		step(returns)
	}
	if f.Drained() != nil || !slices.Equal(received, n.received) {
		t.Fatalf("received %d values at the end, want %d", len(received), len(n.received))
	}
}
