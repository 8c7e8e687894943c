package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

var givesUp = supervise.WithPolicy(policy.Compose(policy.Constant(time.Second), policy.MaxCrashes(0, time.Hour)))

func TestOptional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("a", givesUp, supervise.Optional())
		b.add("b")
		b.run()
		b.end("a", errBoom)
		b.expect("+a +b !a")
		time.Sleep(time.Hour)
		b.expect("")
		if s := b.tasks["a"].Status(); s.Gate.Phase() != gate.GaveUp || (s.State == supervise.Running) || s.Crashes != 1 || s.LastErr != errBoom {
			t.Errorf("status %+v", s)
		}
		b.tasks["a"].Release()
		b.tasks["a"].Restart()
		b.expect("+a")
		_ = b.shut()
	})
}

// TestEscalation: the others are stopped in order when the policy gives
// up on a task, that the error has the path, and that the parent's policy decides
// next: it restarts the subtree.
func TestEscalation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		db := supervise.New("db")
		end := make(chan error)
		for _, name := range []string{"pool", "cache"} {
			db.Add(name, func(ctx context.Context) error {
				if name == "pool" {
					select {
					case err := <-end:
						return err
					case <-ctx.Done():
					}
				}
				<-ctx.Done()
				return ctx.Err()
			}, givesUp)
		}
		var j journal
		root := supervise.New("root", quiet, second, supervise.WithObserver(&d), supervise.WithObserver(&j))
		root.Add("db", db.Run)
		root.Add("web", func(ctx context.Context) error { <-ctx.Done(); return nil })
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() { done <- root.Run(ctx) }()
		synctest.Wait()
		sorted := strings.Fields(d.take())
		if len(sorted) != 4 { // db's tasks start beside web
			t.Errorf("started %v", sorted)
		}
		var names []string
		for task := range root.Tasks() {
			names = append(names, task.Name())
		}
		if got := strings.Join(names, " "); got != "root/db root/db/pool root/db/cache root/web" {
			t.Errorf("tasks %s", got)
		}
		for task := range root.Tasks() {
			if task.Name() == "root/db/pool" {
				break // the iteration ends where it is told to
			}
		}
		end <- errBoom
		synctest.Wait()
		if got := d.take(); got != "!db/pool -db/cache !db" {
			t.Error(got)
		}
		crash := j.of(supervise.KindCrash)[1]
		var gave *supervise.GaveUpError
		if !errors.As(crash.Err, &gave) || gave.Task != "root/db/pool" || gave.Err != errBoom {
			t.Errorf("the subtree ended with %v", crash.Err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := d.take(); got != "+db +db/pool +db/cache" && got != "+db +db/cache +db/pool" {
			t.Errorf("restarted %s", got)
		}
		cancel(errStop)
		if err := <-done; err != errStop {
			t.Error(err)
		}
		if got := d.take(); got != "-web -db/cache -db/pool -db" {
			t.Errorf("stopped %s", got)
		}
	})
}

func TestEscalationEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("a")
		b.add("b", givesUp)
		b.add("c")
		b.run()
		b.end("b", errBoom)
		err := <-b.done
		b.expect("+a +b +c !b -c -a")
		if !errors.Is(err, supervise.ErrGaveUp) || !errors.Is(err, errBoom) || !strings.Contains(err.Error(), `"root/b"`) {
			t.Error(err)
		}
	})
}

func TestSignificant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("a", supervise.Significant())
		b.add("b", supervise.Significant())
		b.run()
		b.end("a", nil)
		if err := <-b.done; err != nil {
			t.Error(err)
		}
		b.expect("+a +b -a -b")

		b = newBed(t, supervise.AllSignificant())
		b.add("a", supervise.Significant())
		b.add("b", supervise.Significant())
		b.add("c")
		b.run()
		b.end("a", nil)
		b.expect("+a +b +c -a")
		b.end("b", errBoom) // not a clean exit
		time.Sleep(time.Second)
		b.expect("!b +b")
		b.end("b", nil)
		if err := <-b.done; err != nil {
			t.Error(err)
		}
		b.expect("-b -c")
	})
}

func TestAlwaysInTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("a", supervise.WithRestart(supervise.Always))
		b.add("once", supervise.WithRestart(supervise.Never))
		b.run()
		b.end("a", nil)
		b.end("once", errBoom)
		time.Sleep(time.Second)
		b.expect("+a +once -a !once +a")
		_ = b.shut()
	})
}

// TestManyOnce: tasks which ran once are forgotten.
func TestManyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.add("first")
		b.run()
		for range 1000 {
			b.sup.Add("job", func(context.Context) error { return nil }, supervise.WithRestart(supervise.Never))
			synctest.Wait()
		}
		b.add("last")
		synctest.Wait()
		n := 0
		for range b.sup.Tasks() {
			n++
		}
		if n != 2 {
			t.Errorf("%d tasks", n)
		}
		_ = b.shut()
	})
}

func TestReadyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		s := supervise.New("root", quiet, second, supervise.WithObserver(&d))
		tries := 0
		s.Add("db", func(ctx context.Context) error {
			if tries++; tries == 1 {
				<-ctx.Done() // never ready
				if !errors.Is(context.Cause(ctx), supervise.ErrNotReady) {
					t.Errorf("cause %v", context.Cause(ctx))
				}
				return ctx.Err()
			}
			time.Sleep(10 * time.Second)
			supervise.Ready(ctx)
			<-ctx.Done()
			return nil
		}, supervise.WithReadyTimeout(time.Minute))
		web := s.Add("web", func(ctx context.Context) error { <-ctx.Done(); return nil })
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		if got := d.take(); got != "+db" || (web.Status().State == supervise.Running) {
			t.Error(got)
		}
		time.Sleep(time.Minute)
		if got := d.take(); got != "!db" {
			t.Error(got)
		}
		time.Sleep(11*time.Second - 1)
		if got := d.take(); got != "+db" {
			t.Error(got)
		}
		time.Sleep(time.Nanosecond)
		if got := d.take(); got != "+web" {
			t.Error(got)
		}
		cancel(errStop)
		<-done
	})
}

// TestMaxStarts starts ten tasks that take a minute to be ready, two at a time.
func TestMaxStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("root", quiet, supervise.WithMaxStarts(2), supervise.Unordered(), supervise.WithReadyTimeout(time.Hour))
		start := time.Now()
		var ready []time.Duration
		readied := make(chan time.Duration, 10)
		s.Add("first", func(ctx context.Context) error {
			supervise.Ready(ctx)
			<-ctx.Done()
			return nil
		})
		pool := supervise.New("pool", quiet, supervise.WithMaxStarts(2))
		for i := range 10 {
			pool.Add(fmt.Sprint("t", i), func(ctx context.Context) error {
				time.Sleep(time.Minute)
				supervise.Ready(ctx)
				readied <- time.Since(start)
				<-ctx.Done()
				return nil
			})
		}
		s.Add("pool", func(ctx context.Context) error {
			supervise.Ready(ctx)
			return pool.Run(ctx)
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		for range 10 {
			ready = append(ready, <-readied)
		}
		// Tasks without WithReadyTimeout are started as soon as they run.
		if ready[9] != time.Minute {
			t.Errorf("ready at %v", ready)
		}
		cancel(errStop)
		<-done
	})
}

// TestMaxStartsAfterStorm restarts tasks that crashed together, each taking a
// minute to be ready: no more than two do so at once.
func TestMaxStartsAfterStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("root", quiet, atOnce, supervise.WithMaxStarts(2))
		storm := make(chan struct{})
		again := make(chan time.Time, 6)
		for i := range 6 {
			s.Add(fmt.Sprint("t", i), func(ctx context.Context) error {
				if info, _ := supervise.FromContext(ctx); info.Run == 1 {
					supervise.Ready(ctx)
					<-storm
					return errBoom
				}
				time.Sleep(time.Minute)
				supervise.Ready(ctx)
				again <- time.Now()
				<-ctx.Done()
				return nil
			}, supervise.WithReadyTimeout(time.Hour))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		start := time.Now()
		close(storm)
		for i := range 6 {
			if at := (<-again).Sub(start); at != time.Duration(i/2+1)*time.Minute {
				t.Errorf("start %d was ready after %v", i, at)
			}
		}
		cancel(errStop)
		if err := <-done; err != errStop {
			t.Error(err)
		}
	})
}
