package compare_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/bench/compare"
)

var sizes = []int{1, 10, 100, 1000, 10_000, 100_000, 1_000_000}

// eachPool runs bench for every pool, or those that restart, and size. Each should have a process of its
// own, since what a process has once grown to stays.
func eachPool(b *testing.B, restarts bool, bench func(b *testing.B, pool compare.Pool, n int)) {
	for _, pool := range compare.Pools {
		if restarts && !pool.Restarts {
			continue
		}
		for _, n := range sizes {
			b.Run("lib="+pool.Name+"/tasks="+strconv.Itoa(n), func(b *testing.B) { bench(b, pool, n) })
		}
	}
}

// BenchmarkIdle starts tasks that wait for their context, and stops them.
func BenchmarkIdle(b *testing.B) {
	eachPool(b, false, func(b *testing.B, pool compare.Pool, n int) {
		all := names(n)
		for b.Loop() {
			heap, stack := memory()
			var up sync.WaitGroup
			up.Add(n)
			begin := time.Now()
			stop := pool.Start(all, func(ctx context.Context, _ int) error {
				up.Done()
				<-ctx.Done()
				return nil
			})
			up.Wait()
			b.ReportMetric(float64(time.Since(begin).Nanoseconds()), "start-ns")
			heapNow, stackNow := memory()
			b.ReportMetric(float64(heapNow-heap)/float64(n), "heap-B/task")
			b.ReportMetric(float64(heapNow-heap+stackNow-stack)/float64(n), "B/task")
			begin = time.Now()
			stop()
			b.ReportMetric(float64(time.Since(begin).Nanoseconds()), "stop-ns")
		}
	})
}

// memory returns the bytes in use on the heap and on stacks.
func memory() (heap, stack int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}

// BenchmarkStorm has all tasks crash at one instant, and measures the time until
// each has started again.
func BenchmarkStorm(b *testing.B) {
	eachPool(b, true, func(b *testing.B, pool compare.Pool, n int) {
		all := names(n)
		for b.Loop() {
			runs := make([]int32, n)
			crash := make(chan struct{})
			var ready, again sync.WaitGroup
			ready.Add(n)
			again.Add(n)
			stop := pool.Start(all, func(ctx context.Context, i int) error {
				if runs[i]++; runs[i] == 1 {
					ready.Done()
					<-crash
					return errCrash
				}
				again.Done()
				<-ctx.Done()
				return nil
			})
			ready.Wait()
			begin := time.Now()
			close(crash)
			again.Wait()
			b.ReportMetric(float64(time.Since(begin).Nanoseconds()), "storm-ns")
			stop()
		}
	})
}

// BenchmarkChurn has all tasks crash again and again once all run, and reports
// how many restarts there were in a second.
func BenchmarkChurn(b *testing.B) {
	eachPool(b, true, func(b *testing.B, pool compare.Pool, n int) {
		times := int32(max(10, 200_000/n)) //nolint:gosec // it is small
		all := names(n)
		for b.Loop() {
			runs := make([]int32, n)
			begin := make(chan struct{})
			var ready, done sync.WaitGroup
			ready.Add(n)
			done.Add(n)
			stop := pool.Start(all, func(ctx context.Context, i int) error {
				switch runs[i]++; {
				case runs[i] == 1:
					ready.Done()
					<-begin
				case runs[i] > times:
					done.Done()
					<-ctx.Done()
					return nil
				}
				return errCrash
			})
			ready.Wait()
			from := time.Now()
			close(begin)
			done.Wait()
			b.ReportMetric(float64(n)*float64(times)/time.Since(from).Seconds(), "restarts/s")
			stop()
		}
	})
}
