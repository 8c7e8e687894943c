package supervise_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// names collects the tasks whose crashes an observer hears of.
func names(to *[]string) supervise.Option {
	return supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
		if e.Kind == supervise.KindCrash {
			*to = append(*to, e.Task)
		}
	}))
}

// crashOnce crashes the first time, and then waits to be stopped.
func crashOnce(ctx context.Context) error {
	if info, _ := supervise.FromContext(ctx); info.Run == 1 {
		return errors.New("boom")
	}
	<-ctx.Done()
	return nil
}

func TestTasksHaveTheirOwnObserversAndLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all, ofA, ofB, ofSub []string
		var log, logB bytes.Buffer
		to := func(b *bytes.Buffer) supervise.Option {
			return supervise.WithLogger(slog.New(slog.NewTextHandler(b, nil)))
		}
		sub := supervise.New("sub", names(&ofSub))
		sub.Add("c", crashOnce)
		root := supervise.New("root", names(&all), to(&log))
		root.Add("a", crashOnce, names(&ofA))
		root.Add("b", sub.Run, names(&ofB), to(&logB))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := root.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		slices.Sort(all)
		for _, c := range []struct {
			of   string
			got  []string
			want string
		}{
			{"root", all, "root/a root/b/c"},
			{"a", ofA, "root/a"},
			{"b", ofB, "root/b/c"}, // it runs a supervisor, whose tasks' observer it is, too
			{"sub", ofSub, "root/b/c"},
		} {
			if strings.Join(c.got, " ") != c.want {
				t.Errorf("the observer of %s was told of %v, not of %s", c.of, c.got, c.want)
			}
		}
		if s := log.String(); !strings.Contains(s, "root/a") || strings.Contains(s, "root/b") {
			t.Errorf("root's logger got\n%s", s)
		}
		if s := logB.String(); strings.Contains(s, "root/a") || !strings.Contains(s, "root/b/c") {
			t.Errorf("b's logger got\n%s", s)
		}
	})
}

// Events of a task of its own observer that is forgotten are reported before Run
// returns, too.
func TestOwnObserverIsToldTheEndOfAForgottenTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		slow := supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
			time.Sleep(100 * time.Millisecond)
			told = append(told, e.Kind.String())
		}))
		s := supervise.New("s")
		s.Add("once", func(context.Context) error { return nil }, supervise.WithRestart(supervise.Never), slow)
		s.Add("end", func(context.Context) error {
			time.Sleep(time.Millisecond) // until the other one is forgotten
			return nil
		}, supervise.Significant())
		if err := s.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Join(told, " "); got != "start exit" {
			t.Error(got)
		}
	})
}

// A supervisor below Run, which knows nothing of trees.
func TestSupervisorBelowRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var of []string
		s := supervise.New("s")
		s.Add("a", crashOnce)
		s.Add("b", func(ctx context.Context) error {
			time.Sleep(time.Minute)
			return nil
		}, supervise.Significant())
		if err := supervise.Run(t.Context(), s.Run, supervise.WithName("run"), names(&of)); err != nil {
			t.Error(err)
		}
		if got := strings.Join(of, " "); got != "run/a" {
			t.Error(got)
		}
	})
}
