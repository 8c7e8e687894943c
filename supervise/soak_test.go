package supervise_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

var soakTime = flag.Duration("soak", time.Second, "how long TestSoak lasts")

// soak is a tree of very many tasks with faults at random, that operators meddle
// with, in real time.
type soak struct {
	t     *testing.T
	runs  atomic.Int64
	live  sync.WaitGroup // runs under way
	root  *supervise.Supervisor
	teams []*supervise.Supervisor
}

// TestSoak is for the race detector, for deadlocks, and for goroutines that are
// left; CI has it last for a minute. Whatever happens, no task has two runs at
// once, and nothing runs after Run has returned but what it names.
func TestSoak(t *testing.T) {
	const teams, tasks = 20, 100
	s := &soak{t: t}
	fast := policy.Compose(policy.Exponential(time.Millisecond, 2, 50*time.Millisecond), policy.CrashLoop(20, time.Second, 200*time.Millisecond), policy.Jitter(policy.FullJitter, 50*time.Millisecond))
	s.root = supervise.New("root", quiet, supervise.WithPolicy(fast), supervise.WithStopTimeout(time.Minute))
	strategies := []supervise.Strategy{supervise.OneForOne, supervise.OneForOne, supervise.OneForAll, supervise.RestForOne}
	for i := range teams {
		opts := []supervise.SupervisorOption{supervise.WithStrategy(strategies[i%len(strategies)]), supervise.WithStopTimeout(5 * time.Millisecond), supervise.WithPolicy(fast)}
		if i%3 == 0 {
			opts = append(opts, supervise.Unordered(), supervise.WithMaxStarts(10))
		}
		team := supervise.New(fmt.Sprint("team", i), opts...)
		s.teams = append(s.teams, team)
		s.add(s.root, fmt.Sprint("team", i), team.Run)
		for k := range tasks {
			s.addTask(team, k)
		}
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), *soakTime, errStop)
	defer cancel()
	var operators sync.WaitGroup
	for range 2 {
		operators.Go(func() { s.operate(ctx) })
	}
	err := s.root.Run(ctx)
	operators.Wait()
	var left *supervise.AbandonedError
	if !errors.Is(err, errStop) {
		t.Errorf("Run returned %v", err)
	}
	t.Logf("%d runs in %v; left behind: %v", s.runs.Load(), *soakTime, errors.As(err, &left))
	s.live.Wait()
}

func (s *soak) add(to *supervise.Supervisor, name string, fn func(context.Context) error, opts ...supervise.TaskOption) {
	if _, err := to.TryAdd(name, fn, opts...); err != nil {
		s.t.Error(err)
	}
}

// addTask adds a task that now and then crashes, hangs, or ends.
func (s *soak) addTask(team *supervise.Supervisor, k int) {
	var opts []supervise.TaskOption
	switch k % 10 {
	case 0:
		opts = append(opts, supervise.WithWatchdog(10*time.Millisecond))
	case 1:
		opts = append(opts, supervise.WithReadyTimeout(10*time.Millisecond))
	case 2:
		opts = append(opts, supervise.WithRestart(supervise.Always))
	}
	var live atomic.Int32
	s.add(team, fmt.Sprint(k), func(ctx context.Context) error {
		s.runs.Add(1)
		s.live.Add(1)
		defer s.live.Done()
		if n := live.Add(1); n > 1 {
			s.t.Errorf("task %d has %d runs at once", k, n)
		}
		defer live.Add(-1)
		return s.fault(ctx)
	}, opts...)
}

func (s *soak) fault(ctx context.Context) error {
	supervise.Alive(ctx)
	supervise.Ready(ctx)
	wait := time.After(rand.N(500 * time.Millisecond)) //nolint:gosec // faults need no secrecy
	select {
	case <-wait:
	case <-ctx.Done():
		return ctx.Err()
	}
	switch rand.N(12) { //nolint:gosec // nor does their kind
	case 0:
		panic(errBoom)
	case 1:
		runtime.Goexit()
	case 2:
		<-time.After(20 * time.Millisecond) // deaf
		return errBoom
	case 3:
		_ = supervise.Go(ctx, func(context.Context) error { panic(errBoom) })
		return nil
	case 4:
		return nil
	case 5, 6:
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return errBoom
}

// operate does what operators do, as fast as it can.
func (s *soak) operate(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		team := s.teams[rand.N(len(s.teams))]                                                                                                       //nolint:gosec // see above
		_, err := team.TryAdd(fmt.Sprint("job", rand.Uint64()), func(context.Context) error { return nil }, supervise.WithRestart(supervise.Never)) //nolint:gosec // see above
		if err != nil && !errors.Is(err, supervise.ErrStopping) {
			s.t.Error(err)
		}
		for task := range s.root.Tasks() {
			switch rand.N(2000) { //nolint:gosec // see above
			case 0:
				task.Stop()
			case 1, 2, 3:
				task.Restart()
			case 4:
				task.Release()
			default:
				_ = task.Status()
			}
		}
		runtime.Gosched()
	}
}
