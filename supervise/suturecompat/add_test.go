package suturecompat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/suturecompat"
)

// nameless has no String method, and a field that must not be printed.
type nameless struct{ password string }

func (*nameless) Serve(context.Context) error { return errors.New("unused") }

// serve is a function that is a service.
type serve func(context.Context) error

func (f serve) Serve(ctx context.Context) error { return f(ctx) }

type generic[T any] struct{ serve }

func TestName(t *testing.T) {
	tests := []struct {
		svc  suturecompat.Service
		want string
	}{
		{&script{name: "db"}, "db"},
		{&script{name: "db/pool"}, "db_pool"},
		{&script{}, "suturecompat_test.script"},
		{&nameless{"secret"}, "suturecompat_test.nameless"},
		{serve(nil), "suturecompat_test.serve"},
		{generic[supervise.Status]{}, "suturecompat_test.generic[github.com_holdfast-go_holdfast_supervise.Status]"},
	}
	for _, tt := range tests {
		if got := suturecompat.Name(tt.svc); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// started runs a supervisor until the test ends.
func started(t *testing.T, s *supervise.Supervisor) (stop func() error) {
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx) }()
	synctest.Wait()
	return func() error { cancel(errStop); return <-result }
}

// TestAddTwins adds services of one name, before the supervisor runs and then.
func TestAddTwins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, root := newAdapter(), supervise.New("root", quiet)
		add := func() {
			if _, err := a.Add(root, &script{name: "conn"}); err != nil {
				t.Fatal(err)
			}
		}
		add()
		add()
		stop := started(t, root)
		add()
		if got, want := leaves(root), []string{"root/conn", "root/conn#2", "root/conn#3"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if err := stop(); err != errStop {
			t.Error(err)
		}
		if got := len(leaves(root)); got != 3 {
			t.Errorf("%d tasks are left by a stop", got)
		}
	})
}

// TestDoneIsForgotten adds many services that are done at once, before Add may have
// returned.
func TestDoneIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, root := newAdapter(), supervise.New("root", quiet, supervise.WithRestart(supervise.Always))
		stop := started(t, root)
		var tasks []*supervise.Task
		for i := range 100 {
			task, err := a.Add(root, &script{name: fmt.Sprint(i % 3), ends: []error{errDone}}, supervise.WithRestart(supervise.Always))
			if err != nil {
				t.Fatal(err)
			}
			tasks = append(tasks, task)
		}
		for _, task := range tasks {
			if err := task.Wait(t.Context()); err != nil {
				t.Errorf("%s: %v", task.Name(), err)
			}
		}
		synctest.Wait()
		if got := leaves(root); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
		if err := stop(); err != errStop {
			t.Error(err)
		}
	})
}

// TestDoneWithACrashBeside lets a goroutine of the run crash after the service was done:
// the run is a crash, and the task lives on, through a stop and a restart.
func TestDoneWithACrashBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, root := newAdapter(), supervise.New("root", quiet, supervise.WithPolicy(atOnce))
		runs := 0
		task, err := a.Add(root, serve(func(ctx context.Context) error {
			runs++
			switch runs {
			case 1, 2:
				_ = supervise.Go(ctx, func(context.Context) error { return errBoom })
			case 3:
				<-ctx.Done()
				return nil
			}
			return errDone
		}))
		if err != nil {
			t.Fatal(err)
		}
		stop := started(t, root)
		if got := task.Status(); runs != 3 || got.State != supervise.Running {
			t.Fatalf("after %d runs: %v", runs, got.State)
		}
		task.Stop()
		synctest.Wait()
		if got := len(leaves(root)); got != 1 {
			t.Fatalf("%d tasks are left by Task.Stop", got)
		}
		task.Restart()
		synctest.Wait()
		if got := leaves(root); runs != 4 || len(got) != 0 {
			t.Errorf("after %d runs: %v", runs, got)
		}
		if err := stop(); err != errStop {
			t.Error(err)
		}
	})
}

// TestAddWhileStopping adds to a supervisor that waits for its last service.
func TestAddWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, root := newAdapter(), supervise.New("root", quiet)
		opts := make([]supervise.TaskOption, 1, 4) // Add must not write behind it
		var late error
		if _, err := a.Add(root, serve(func(ctx context.Context) error {
			<-ctx.Done()
			_, late = a.Add(root, &script{name: "late"}, opts...)
			return nil
		}), opts...); err != nil {
			t.Fatal(err)
		}
		if err := started(t, root)(); err != errStop {
			t.Error(err)
		}
		if !errors.Is(late, supervise.ErrStopping) {
			t.Errorf("got %v", late)
		}
		if opts[:4][1] != nil {
			t.Error("Add wrote into the caller's options")
		}
	})
}

// TestSignificantIsDone ends the supervisor with the service.
func TestSignificantIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, root := newAdapter(), supervise.New("root", quiet)
		if _, err := a.Add(root, &script{name: "main", ends: []error{errDone}}, supervise.Significant()); err != nil {
			t.Fatal(err)
		}
		if err := root.Run(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestDoneTooLate has an abandoned run return DoNotRestart when its supervisor has long
// ended: nothing waits for an end of the task.
func TestDoneTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := supervise.New("root", quiet, supervise.WithStopTimeout(time.Second))
		if _, err := newAdapter().Add(root, serve(func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Minute)
			return errDone
		})); err != nil {
			t.Fatal(err)
		}
		if err := started(t, root)(); !errors.Is(err, supervise.ErrAbandoned) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Hour)
	})
}
