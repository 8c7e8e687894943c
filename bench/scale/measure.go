package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// idle measures n tasks that wait for the end of their context. start starts
// them, and returns when all run; what it returns stops them all.
func idle(n int, start func(names []string) (stop func())) result {
	names := make([]string, n)
	for i := range names {
		names[i] = "task-" + strconv.Itoa(i)
	}
	before := memory()
	goroutines := runtime.NumGoroutine()
	begin := time.Now()
	stop := start(names)
	started := time.Since(begin)
	after := memory()
	goroutines = runtime.NumGoroutine() - goroutines
	begin = time.Now()
	stop()
	stopped := time.Since(begin)
	runtime.KeepAlive(names)
	return result{
		Heap:       float64(after-before) / float64(n),
		Goroutines: float64(goroutines) / float64(n),
		Start:      started,
		Stop:       stopped,
	}
}

// memory returns the bytes on the heap that are in use.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // no heap is so large
}

func startBare(names []string) func() {
	var up, down sync.WaitGroup
	up.Add(len(names))
	down.Add(len(names))
	all, cancel := context.WithCancel(context.Background())
	for range names {
		ctx, free := context.WithCancel(all)
		go func() {
			defer down.Done()
			defer free()
			up.Done()
			<-ctx.Done()
		}()
	}
	up.Wait()
	return func() {
		cancel()
		down.Wait()
	}
}

func startSupervised(names []string) func() {
	var up sync.WaitGroup
	up.Add(len(names))
	ctx, cancel := context.WithCancel(context.Background())
	s := supervise.New("pool", supervise.Unordered(), supervise.WithLogger(slog.New(slog.DiscardHandler)))
	for _, name := range names {
		mustGo(s, name, func(ctx context.Context) error {
			up.Done()
			<-ctx.Done()
			return nil
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx) // the cause of ctx
	}()
	up.Wait()
	return func() {
		cancel()
		<-done
	}
}

func mustGo(s *supervise.Supervisor, name string, fn func(context.Context) error) {
	if _, err := s.TryAdd(name, fn); err != nil {
		panic(err)
	}
}

// stormHold is long enough for all to have crashed before the first gate opens.
const stormHold = time.Second

// stormSupervised has n tasks crash at one instant, and tells how late each one
// ran again after its gate had opened.
func stormSupervised(n int) result {
	opens := make([]time.Time, n) // when each gate does, as the crash's event tells
	starts := make([]time.Time, n)
	crash := make(chan struct{})
	var ready, again sync.WaitGroup
	ready.Add(n)
	again.Add(n)
	ctx, cancel := context.WithCancel(context.Background())
	told := crashes(func(e supervise.Event) {
		i, _ := strconv.Atoi(e.Task[len("pool/"):])
		opens[i], _ = e.State.ReleaseAt()
	})
	s := supervise.New("pool", supervise.Unordered(), supervise.WithObserver(told),
		supervise.WithPolicy(policy.Constant(stormHold)), supervise.WithLogger(slog.New(slog.DiscardHandler)))
	for i := range n {
		mustGo(s, strconv.Itoa(i), func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run == 1 {
				ready.Done()
				<-crash
				return errors.New("the dependency is gone")
			}
			starts[i] = time.Now()
			again.Done()
			<-ctx.Done()
			return nil
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx) // the cause of ctx
	}()
	ready.Wait()
	at := time.Now()
	close(crash)
	again.Wait()
	cancel()
	<-done
	return lateness(at, opens, starts)
}

// crashes is an observer that is told of crashes alone.
type crashes func(supervise.Event)

func (f crashes) Enabled(k supervise.Kind) bool { return k == supervise.KindCrash }
func (f crashes) Observe(e supervise.Event)     { f(e) }

// stormBare is the same with goroutines that sleep.
func stormBare(n int) result {
	opens, starts := make([]time.Time, n), make([]time.Time, n)
	crash := make(chan struct{})
	var ready, again sync.WaitGroup
	ready.Add(n)
	again.Add(n)
	for i := range n {
		go func() {
			ready.Done()
			<-crash
			opens[i] = time.Now().Add(stormHold)
			time.Sleep(time.Until(opens[i]))
			starts[i] = time.Now()
			again.Done()
		}()
	}
	ready.Wait()
	at := time.Now()
	close(crash)
	again.Wait()
	return lateness(at, opens, starts)
}

func lateness(crash time.Time, opens, starts []time.Time) result {
	var r result
	late := make([]time.Duration, 0, len(opens))
	for i := range opens {
		if starts[i].IsZero() || opens[i].IsZero() {
			r.Lost++
			continue
		}
		d := starts[i].Sub(opens[i])
		if d < 0 {
			r.Early++
		}
		late = append(late, d)
		r.FromCrashToLastTask = max(r.FromCrashToLastTask, starts[i].Sub(crash))
	}
	slices.Sort(late)
	if len(late) > 0 {
		r.P50, r.P99, r.Last = late[len(late)/2], late[len(late)*99/100], late[len(late)-1]
	}
	return r
}
