package bench_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// BenchmarkIdle starts tasks that wait for their context, and stops them. It
// reports the time for each to start and to stop, and the memory it keeps, its
// stack included.
func BenchmarkIdle(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		for _, order := range []struct {
			name string
			opts []supervise.SupervisorOption
		}{{"reverse", nil}, {"none", []supervise.SupervisorOption{supervise.Unordered()}}} {
			b.Run("tasks="+strconv.Itoa(n)+"/stop-order="+order.name, func(b *testing.B) {
				var started, stopped time.Duration
				var bytes uint64
				for range b.N {
					up, down, memory := idle(b, n, order.opts)
					started, stopped, bytes = started+up, stopped+down, bytes+memory
				}
				tasks := float64(b.N) * float64(n)
				b.ReportMetric(float64(started.Nanoseconds())/tasks, "start-ns/task")
				b.ReportMetric(float64(stopped.Nanoseconds())/tasks, "stop-ns/task")
				b.ReportMetric(float64(bytes)/tasks, "B/task")
			})
		}
	}
}

func idle(b *testing.B, n int, opts []supervise.SupervisorOption) (started, stopped time.Duration, bytes uint64) {
	before := memory()
	var up sync.WaitGroup
	up.Add(n)
	ctx, cancel := context.WithCancel(b.Context())
	begin := time.Now()
	s := supervise.New("pool", append([]supervise.SupervisorOption{quiet}, opts...)...)
	for i := range n {
		if _, err := s.TryAdd(strconv.Itoa(i), func(ctx context.Context) error {
			up.Done()
			<-ctx.Done()
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() { _ = s.Run(ctx); close(done) }()
	up.Wait()
	started = time.Since(begin)
	bytes = max(memory(), before) - before
	begin = time.Now()
	cancel()
	<-done
	return started, time.Since(begin), bytes
}

// memory returns the bytes in use on the heap and on stacks.
func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
