package feed_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise/internal/feed"
)

const room = 1024

// blocked returns a feed of numbers whose receiver waits until release is called once,
// and what it has received. Negative numbers end a story.
func blocked(t *testing.T) (f *feed.Feed[int], release func() (numbers []int, dropped []uint64)) {
	t.Helper()
	open := make(chan struct{})
	var numbers []int
	var lost []uint64
	f = feed.New(feed.Config[int]{
		Receive: func(n int, dropped uint64) {
			<-open
			numbers, lost = append(numbers, n), append(lost, dropped)
		},
		Ends: func(n int) bool { return n < 0 },
	})
	return f, func() ([]int, []uint64) {
		close(open)
		feed.Flush(t.Context(), f)
		return numbers, lost
	}
}

// occupy puts a value that the receiver takes, and so is not pending.
func occupy(f *feed.Feed[int]) {
	f.Put(0)
	synctest.Wait()
}

func total(dropped []uint64) (sum uint64) {
	for _, d := range dropped {
		sum += d
	}
	return sum
}

func TestEndingValuesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 100_000
		f, release := blocked(t)
		occupy(f)
		for i := range many {
			f.Put(-i - 1)
		}
		numbers, dropped := release()
		if len(numbers) != 1+room || total(dropped) != many-room {
			t.Fatalf("%d values arrived and %d were lost, want %d and %d", len(numbers), total(dropped), 1+room, many-room)
		}
		if numbers[1] != -(many-room)-1 || dropped[1] != many-room || numbers[room] != -many {
			t.Errorf("the first is %d after %d lost ones, the last %d; want the newest %d",
				numbers[1], dropped[1], numbers[room], room)
		}
	})
}

func TestEndingValueTakesThePlaceOfTheOldestOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, release := blocked(t)
		occupy(f)
		f.Put(-1)
		for i := 1; i < room; i++ {
			f.Put(i)
		}
		f.Put(room) // is lost
		f.Put(-2)   // instead of 1
		f.Put(-3)   // instead of 2
		numbers, dropped := release()
		if want := []int{0, -1, 3}; !slices.Equal(numbers[:3], want) || !slices.Equal(dropped[:3], []uint64{0, 0, 2}) {
			t.Errorf("%v begin, after the loss of %v", numbers[:3], dropped[:3])
		}
		if n := len(numbers); n != 1+room || !slices.Equal(numbers[n-2:], []int{-2, -3}) || !slices.Equal(dropped[n-2:], []uint64{1, 0}) {
			t.Errorf("%d values, of which %v end, after the loss of %v", n, numbers[n-2:], dropped[n-2:])
		}
	})
}

func TestRoomGrowsWithTasks(t *testing.T) {
	for name, test := range map[string]struct {
		tasks []int64
		want  int
	}{
		"none":          {nil, room},
		"some":          {[]int64{10, -3}, room + 8*7},
		"fewer than no": {[]int64{-1000}, room},
		"very many":     {[]int64{1 << 60, 10 - 1<<60}, room + 8*10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, release := blocked(t)
				for _, n := range test.tasks {
					f.Grow(n)
				}
				occupy(f)
				for i := range 2 * test.want {
					f.Put(i)
				}
				if numbers, _ := release(); len(numbers) != 1+test.want {
					t.Errorf("%d values arrived, want %d", len(numbers), 1+test.want)
				}
			})
		})
	}
}

// Tasks that end put their last values, and then need no more room. It stays until the
// values have arrived.
func TestRoomOfTasksThatEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks = 1000
		f, release := blocked(t)
		f.Grow(tasks)
		occupy(f)
		for i := range tasks {
			for range 4 {
				f.Put(i)
			}
			f.Put(-i - 1)
			f.Grow(-1)
		}
		if numbers, dropped := release(); len(numbers) != 1+5*tasks || total(dropped) != 0 {
			t.Errorf("%d values arrived, %d were lost", len(numbers), total(dropped))
		}
	})
}

func TestReceiverPanics(t *testing.T) {
	type panicked struct {
		value any
		stack string
	}
	for name, report := range map[string]func(){
		"and the report does not": func() {},
		"and the report, too":     func() { panic("out of words") },
		"and the report exits":    runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			var received []int
			var reported []panicked
			f := feed.New(feed.Config[int]{
				Receive: func(n int, _ uint64) {
					received = append(received, n)
					panicsOn(n)
				},
				Panicked: func(v any) {
					reported = append(reported, panicked{v, string(debug.Stack())})
					report()
				},
			})
			for i := range 10 {
				f.Put(i)
			}
			feed.Flush(t.Context(), f)
			if !slices.Equal(received, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
				t.Errorf("received %v", received)
			}
			if len(reported) != 1 || reported[0].value != 1 || !strings.Contains(reported[0].stack, "panicsOn") {
				t.Errorf("reported %v, want the first panic with its stack", reported)
			}
		})
	}
}

// panicsOn panics if n is odd.
func panicsOn(n int) {
	if n%2 == 1 {
		panic(n)
	}
}

func TestPanicWithoutReport(t *testing.T) {
	received := 0
	f := feed.New(feed.Config[int]{Receive: func(int, uint64) { received++; panic("no") }})
	f.Put(1)
	f.Put(2)
	feed.Flush(t.Context(), f)
	if received != 2 {
		t.Errorf("received %d values", received)
	}
}

func TestReceiverCallsGoexit(t *testing.T) {
	var received []int
	f := feed.New(feed.Config[int]{
		Receive:  func(n int, _ uint64) { received = append(received, n); runtime.Goexit() },
		Panicked: func(v any) { t.Errorf("it is said to have panicked with %v", v) },
	})
	for i := range 100 {
		f.Put(i)
	}
	feed.Flush(t.Context(), f)
	if len(received) != 100 || !slices.IsSorted(received) {
		t.Errorf("received %v", received)
	}
}

// A receiver may use the feed that it is called by.
func TestReceiverCallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var received []int
		var f *feed.Feed[int]
		f = feed.New(feed.Config[int]{Receive: func(n int, _ uint64) {
			received = append(received, n)
			if n < 5 {
				f.Grow(1)
				f.Put(n + 1)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				feed.Flush(ctx, f) // waits in vain
			}
		}})
		f.Put(0)
		feed.Flush(t.Context(), f)
		for f.Drained() != nil {
			feed.Flush(t.Context(), f)
		}
		if !slices.Equal(received, []int{0, 1, 2, 3, 4, 5}) {
			t.Errorf("received %v", received)
		}
	})
}

// The receiver is called by one goroutine at a time, and gets what each caller has put
// in that order.
func TestManyPut(t *testing.T) {
	const callers, each = 8, 2000
	last := map[int]int{}
	received := 0
	f := feed.New(feed.Config[[2]int]{Receive: func(v [2]int, dropped uint64) {
		if v[1] <= last[v[0]] || dropped != 0 {
			t.Errorf("%d after %d of caller %d, %d lost", v[1], last[v[0]], v[0], dropped)
		}
		last[v[0]] = v[1] // without a lock, so that the race detector sees two at once
		received++
		if received%100 == 0 {
			runtime.Goexit()
		}
	}})
	f.Grow(callers * each / 8)
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				f.Put([2]int{c, i + 1})
			}
		})
	}
	all.Wait()
	feed.Flush(t.Context(), f)
	if received != callers*each {
		t.Errorf("received %d values", received)
	}
}

func TestFlushHasOneDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		var feeds []feed.Drainer
		for range 60 {
			f := feed.New(feed.Config[int]{Receive: func(int, uint64) { <-open }})
			f.Put(1)
			feeds = append(feeds, f)
		}
		begun := time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("too late"))
		defer cancel()
		feed.Flush(ctx, feeds...)
		if d := time.Since(begun); d != time.Second {
			t.Errorf("it took %v", d)
		}
		close(open)
		feed.Flush(t.Context(), feeds...)
	})
}

// Values that keep coming do not keep those waiting who want the present ones handed
// over, however many wait, and since when.
func TestDrainedWhileValuesKeepComing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f *feed.Feed[int]
		step, going := make(chan struct{}), true
		f = feed.New(feed.Config[int]{Receive: func(n int, _ uint64) {
			if going {
				f.Put(n + 1)
			}
			<-step
		}})
		f.Put(0)
		for range 10 {
			var waiting []<-chan struct{}
			for range 3 {
				waiting = append(waiting, f.Drained())
				f.Put(0)
			}
			for range 100 {
				step <- struct{}{}
				synctest.Wait()
			}
			for _, drained := range waiting {
				select {
				case <-drained:
				default:
					t.Fatal("not drained after more values than there were")
				}
			}
		}
		going = false
		close(step)
		feed.Flush(t.Context(), f)
	})
}
