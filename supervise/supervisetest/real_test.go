package supervisetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

// What follows holds the rules against what package supervise does in corners that the
// storms leave out.

// TestRulesAfterADeath is of a process that died in a run, and is started again.
func TestRulesAfterADeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := gate.New(policy.Constant(time.Minute))
		before.ObserveCrash(time.Now(), errBoom)
		before.ObserveStart(time.Now())
		var store gatetest.MemoryStore
		if _, err := store.Save(t.Context(), "root/a", before.Snapshot(), 0); err != nil {
			t.Fatal(err)
		}
		var checker supervisetest.Checker
		var recorder supervisetest.Recorder
		s := supervise.New("root", quiet, supervise.WithStore(&store), supervise.WithPolicy(policy.Constant(time.Minute)),
			supervise.WithObserver(&checker), supervise.WithObserver(&recorder))
		s.Add("a", serve)
		_ = s.Run(stopAfter(t, time.Hour))
		if err := checker.Finish(); err != nil {
			t.Errorf("%v\n%v", err, &recorder)
		}
		if e := recorder.All()[0]; e.Kind != supervise.KindCrash || !errors.Is(e.Err, supervise.ErrDied) {
			t.Errorf("nobody died:\n%v", &recorder)
		}
	})
}

// TestRulesOfUncountedCrashes is of planned restarts, which leave the streak as it is.
func TestRulesOfUncountedCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var checker supervisetest.Checker
		counted := supervisetest.NewChecker(supervisetest.Counted())
		p := policy.Compose(policy.Constant(time.Second), policy.Ignore(func(err error) bool { return err == errStop }))
		_ = supervise.Run(stopAfter(t, time.Hour), func(ctx context.Context) error {
			switch info, _ := supervise.FromContext(ctx); info.Run {
			case 1, 4:
				return errStop
			case 2, 3, 5:
				return errBoom
			}
			return serve(ctx)
		}, quiet, supervise.WithName("x"), supervise.WithPolicy(p), supervise.WithObserver(&checker), supervise.WithObserver(counted))
		if err := checker.Finish(); err != nil {
			t.Error(err)
		}
		if got := found(counted.Finish()); !slices.Equal(got, []string{"streak x 1", "streak x 4"}) {
			t.Errorf("found %q", got)
		}
	})
}

// TestRulesOfASharedGate is of two tasks whose gate is the same, and is forced open.
func TestRulesOfASharedGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(policy.Compose(policy.Constant(2*time.Second), policy.CrashLoop(3, time.Minute, 10*time.Second)))
		g.Pause(gate.By{Who: "ann"})
		checker := supervisetest.NewChecker(supervisetest.Except("streak"))
		var recorder supervisetest.Recorder
		s := supervise.New("root", quiet, supervise.WithObserver(checker), supervise.WithObserver(&recorder))
		for name, lasts := range map[string]time.Duration{"a": time.Second, "b": 1500 * time.Millisecond} {
			s.Add(name, func(ctx context.Context) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(lasts):
					return errBoom
				}
			}, supervise.WithGate(g))
		}
		for i := range 20 {
			time.AfterFunc(time.Duration(7*i+3)*time.Second, func() { g.ForceRelease() })
		}
		_ = s.Run(stopAfter(t, 3*time.Minute))
		if err := checker.Finish(); err != nil || len(recorder.All()) < 50 {
			t.Errorf("%v\n%v", err, &recorder)
		}
	})
}

// TestRulesWithEventsDropped has an observer that is too slow for what it observes.
func TestRulesWithEventsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var checker supervisetest.Checker
		runs := 0
		_ = supervise.Run(t.Context(), func(ctx context.Context) error {
			if runs++; runs == 3000 {
				return nil
			}
			if runs == 2000 {
				time.Sleep(time.Hour) // by then it has caught up
			}
			return errBoom
		}, quiet, atOnce, supervise.WithName("x"), supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
			time.Sleep(time.Second)
			checker.Observe(e)
		})))
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := found(checker.Finish()); !slices.Equal(got, []string{"dropped  0"}) {
			t.Errorf("found %q", got)
		}
	})
}

// TestFaultOfASupervisor strikes a task that is itself a supervisor, whose tasks stop
// before it does.
func TestFaultOfASupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Panic, Path: "root/db", Run: 1, After: supervisetest.Fixed(time.Minute)})
		checker := supervisetest.NewChecker(supervisetest.Counted())
		var recorder supervisetest.Recorder
		db := supervise.New("db", second)
		db.Add("pool", serve)
		root := supervise.New("root", quiet, second, supervise.WithObserver(checker), supervise.WithObserver(&recorder))
		root.Add("db", f.Wrap(db.Run))
		_ = root.Run(stopAfter(t, time.Hour))
		if err := checker.Finish(); err != nil {
			t.Errorf("%v\n%v", err, &recorder)
		}
		stopped, _ := recorder.WaitFor(t.Context(), supervise.KindStop, "root/db/pool")
		crash, _ := recorder.WaitFor(t.Context(), supervise.KindCrash, "root/db")
		var injected *supervisetest.InjectedError
		if !errors.As(crash.Err, &injected) || injected.Returned != nil || !errors.Is(stopped.Err, supervisetest.ErrInjected) || !stopped.At.Equal(crash.At) {
			t.Errorf("%v", &recorder)
		}
	})
}

// TestFaultOfARunWithMembers strikes a run whose goroutines end for it, one of them with
// an error before the fault has.
func TestFaultOfARunWithMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, member := range []error{nil, errBoom} {
			f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Error, Rate: 1, After: supervisetest.Fixed(time.Minute)})
			err := supervise.Run(t.Context(), f.Wrap(func(ctx context.Context) error {
				_ = supervise.Go(ctx, func(ctx context.Context) error {
					<-ctx.Done()
					return member
				})
				<-ctx.Done()
				synctest.Wait()
				return nil
			}), quiet, supervise.WithRestart(supervise.Never))
			if want := member; want == nil && !errors.Is(err, supervisetest.ErrInjected) || want != nil && err != want {
				t.Errorf("%v, and a goroutine has returned %v", err, member)
			}
		}
	})
}
