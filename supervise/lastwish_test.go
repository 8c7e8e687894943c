package supervise_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// Whatever tasks do meanwhile, and whatever else was asked of them: in the end
// what was asked last is so.
func TestLastWishCounts(t *testing.T) {
	for _, strategy := range []supervise.Strategy{supervise.OneForOne, supervise.OneForAll, supervise.RestForOne} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprint(strategy, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { lastWish(t, strategy, seed) })
			})
		}
	}
}

func lastWish(t *testing.T, strategy supervise.Strategy, seed uint64) {
	var calm atomic.Bool // of the tasks
	fn := func(ctx context.Context) error {
		for range rand.IntN(3) {
			runtime.Gosched()
		}
		switch n := rand.IntN(6); {
		case calm.Load() || n < 2:
			supervise.Ready(ctx)
			<-ctx.Done()
			return nil
		case n == 2:
			return nil
		case n == 3:
			runtime.Goexit()
		case n == 4:
			panic("boom")
		}
		return errBoom
	}
	s := supervise.New("s", quiet, supervise.WithStrategy(strategy), supervise.Optional(), supervise.WithPolicy(
		policy.Compose(policy.Steps(0, 0, time.Microsecond), policy.MaxCrashes(3, time.Millisecond))))
	var tasks []*supervise.Task
	for i := range 6 {
		opts := [][]supervise.TaskOption{nil, {supervise.WithRestart(supervise.Always)}, {supervise.WithReadyTimeout(time.Second)}}[i%3]
		task, err := s.TryAdd(fmt.Sprint(i), fn, opts...)
		if err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, task)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	var hammers sync.WaitGroup
	for h := range 3 {
		random := rand.New(rand.NewPCG(seed, uint64(h)))
		hammers.Go(func() {
			for range 200 {
				task := tasks[random.IntN(len(tasks))]
				switch random.IntN(4) {
				case 0:
					task.Stop()
				case 1:
					task.Release()
				default:
					task.Restart()
				}
				if random.IntN(3) == 0 {
					time.Sleep(time.Duration(random.IntN(3)) * time.Microsecond)
				}
			}
		})
	}
	hammers.Wait()
	calm.Store(true)
	wanted := make([]bool, len(tasks))
	for i, task := range tasks {
		if wanted[i] = rand.IntN(2) == 0; wanted[i] {
			task.Restart()
		} else {
			task.Stop()
		}
	}
	time.Sleep(time.Minute)
	for i, task := range tasks {
		if status := task.Status(); status.State == supervise.Running != wanted[i] {
			t.Errorf("task %d should run: %v; it is %+v", i, wanted[i], status)
		}
	}
	cancel()
	<-done
}
