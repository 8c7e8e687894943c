package supervise_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

func TestObserverIsToldAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		start := time.Now()
		_ = supervise.Run(bubble(t, time.Hour), func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run == 3 {
				<-ctx.Done()
				return errBoom
			}
			time.Sleep(time.Minute)
			if info, _ := supervise.FromContext(ctx); info.Run == 2 {
				return nil
			}
			return errBoom
		}, supervise.WithName("x"), second, supervise.WithRestart(supervise.Always), quiet, supervise.WithObserver(&j), supervise.WithObserver(nil))
		at := func(d time.Duration) time.Time { return start.Add(d) }
		const m, s = time.Minute, time.Second
		crash := gate.Held(gate.BackingOff, at(m+s))
		exit := gate.Held(gate.BackingOff, at(2*m+2*s))
		want := []supervise.Event{
			{Kind: supervise.KindStart, Task: "x", Run: 1, At: at(0)},
			{Kind: supervise.KindCrash, Task: "x", Run: 1, At: at(m), Ran: m, Err: errBoom, Streak: 1, State: crash},
			{Kind: supervise.KindRelease, Task: "x", Run: 1, At: at(m + s), State: crash},
			{Kind: supervise.KindStart, Task: "x", Run: 2, At: at(m + s)},
			{Kind: supervise.KindExit, Task: "x", Run: 2, At: at(2*m + s), Ran: m, State: exit},
			{Kind: supervise.KindRelease, Task: "x", Run: 2, At: at(2*m + 2*s), State: exit},
			{Kind: supervise.KindStart, Task: "x", Run: 3, At: at(2*m + 2*s)},
			{Kind: supervise.KindStop, Task: "x", Run: 3, At: at(60 * m), Ran: 60*m - 2*m - 2*s},
		}
		got := j.all()
		if len(got) != len(want) {
			t.Fatalf("told: %v", j.kinds())
		}
		for i, e := range got {
			if e.Kind == supervise.KindStop && errors.Is(e.Err, errBoom) && errors.Is(e.Err, errStop) {
				e.Err = nil
			}
			if !e.State.Equal(want[i].State) {
				t.Errorf("event %d: %v, want %v", i, e.State, want[i].State)
			}
			e.State = want[i].State
			if plain := flat(e); plain != want[i] {
				t.Errorf("event %d:\ngot  %+v\nwant %+v", i, plain, want[i])
			}
		}
	})
}

// flat is the event as its exported fields have it.
func flat(e supervise.Event) supervise.Event {
	return supervise.Event{Kind: e.Kind, Task: e.Task, Run: e.Run, At: e.At, Ran: e.Ran, Err: e.Err,
		Streak: e.Streak, State: e.State, Forced: e.Forced, Dropped: e.Dropped}
}

// choosy is an observer that wants some kinds only.
type choosy struct {
	journal
	wants []supervise.Kind
}

func (c *choosy) Enabled(k supervise.Kind) bool { return slices.Contains(c.wants, k) }

func TestObserverEnabled(t *testing.T) {
	c := &choosy{wants: []supervise.Kind{supervise.KindCrash}}
	_ = supervise.Run(t.Context(), times(2, func() error { return errBoom }), atOnce, quiet, supervise.WithObserver(c))
	if got := strings.Join(c.kinds(), " "); got != "crash crash" {
		t.Error(got)
	}
}

// TestObserverSlow is of an observer that takes half a second for each event, of a
// task that does not wait for it: it gets what was kept, and learns how much was
// not.
func TestObserverSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		slow := supervise.ObserverFunc(func(e supervise.Event) {
			time.Sleep(time.Second / 2)
			j.Observe(e)
		})
		start := time.Now()
		fail := times(3000, func() error { return errBoom })
		err := supervise.Run(t.Context(), func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run == 3001 {
				if took := time.Since(start); took != 0 {
					t.Errorf("3000 restarts took %v", took)
				}
				time.Sleep(time.Hour) // by then it has caught up
			}
			return fail(ctx)
		}, atOnce, quiet, supervise.WithObserver(slow))
		if err != nil {
			t.Fatal(err)
		}
		var dropped uint64
		events := j.all()
		for _, e := range events {
			dropped += e.Dropped
		}
		if total := uint64(len(events)) + dropped; total != 6002 || len(events) < 1024 {
			t.Errorf("told %d events and of %d dropped, which is not 6002", len(events), dropped)
		}
		if last := events[len(events)-1]; last.Kind != supervise.KindExit || dropped == 0 {
			t.Errorf("%d were dropped; the last event: %+v", dropped, last)
		}
	})
}

// TestObserverBlocked: Run returns although an observer never does.
func TestObserverBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letGo := make(chan struct{})
		start := time.Now()
		var other journal
		err := supervise.Run(t.Context(), times(1, func() error { return errBoom }), atOnce, quiet,
			supervise.WithObserver(supervise.ObserverFunc(func(supervise.Event) { <-letGo })), supervise.WithObserver(&other))
		if took := time.Since(start); err != nil || took != time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if got := strings.Join(other.kinds(), " "); got != "start crash start exit" {
			t.Errorf("the other observer was told %v", got)
		}
		close(letGo)
	})
}

// TestObserverHostile is of observers that panic, and that end their goroutine.
func TestObserverHostile(t *testing.T) {
	for name, hostile := range map[string]func(supervise.Event){
		"panic":  func(supervise.Event) { panic("observer") },
		"goexit": func(supervise.Event) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			c := &capture{least: slog.LevelError}
			var j journal
			err := supervise.Run(t.Context(), times(3, func() error { return errBoom }), atOnce, c.logger(),
				supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
					j.Observe(e)
					hostile(e)
				})))
			if err != nil || len(j.all()) != 8 {
				t.Errorf("%v, told %v", err, j.kinds())
			}
			if name == "panic" && (len(c.lines) != 1 || !strings.Contains(c.lines[0], "an observer panicked")) {
				t.Error(c.lines)
			}
		})
	}
}

type panicsWhenAsked struct{ journal }

func (*panicsWhenAsked) Enabled(supervise.Kind) bool { panic("enabled") }

func TestObserverEnabledPanics(t *testing.T) {
	c := &capture{least: slog.LevelError}
	if err := supervise.Run(t.Context(), times(3, func() error { return errBoom }), atOnce, c.logger(), supervise.WithObserver(&panicsWhenAsked{})); err != nil {
		t.Error(err)
	}
	if len(c.lines) != 1 {
		t.Error(c.lines)
	}
}

// TestObserverSteers is of an observer that force releases what it hears of.
func TestObserverSteers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(policy.Constant(time.Hour))
		start := time.Now()
		err := supervise.Run(t.Context(), times(5, func() error { return errBoom }), supervise.WithGate(g), quiet,
			supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
				if e.Kind == supervise.KindCrash {
					g.ForceRelease()
				}
			})))
		if took := time.Since(start); err != nil || took != 0 {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestObserverShared counts the crashes of many tasks.
func TestObserverShared(t *testing.T) {
	var j journal
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_ = supervise.Run(t.Context(), times(20, func() error { return errBoom }), atOnce, quiet, supervise.WithObserver(&j))
		})
	}
	wg.Wait()
	if n := len(j.of(supervise.KindCrash)); n != 1000 {
		t.Errorf("told of %d crashes", n)
	}
}

func TestKindString(t *testing.T) {
	var got []string
	for k := supervise.KindStart; k <= supervise.KindStore+1; k++ {
		got = append(got, k.String())
	}
	if want := "start crash exit release give up stop abandon return fault wait store kind(12)"; strings.Join(got, " ") != want {
		t.Errorf("got %v", got)
	}
}

// TestObserverIsToldTheEnd: the end of a task is never dropped.
func TestObserverIsToldTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		fail := times(3000, func() error { return errBoom })
		p := policy.Compose(policy.Constant(0), policy.MaxCrashes(2999, time.Hour))
		letGo := make(chan struct{})
		_ = supervise.Run(t.Context(), fail, supervise.WithPolicy(p), quiet, supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
			<-letGo
			j.Observe(e)
		})))
		close(letGo)
		synctest.Wait()
		events := j.all()
		if last := events[len(events)-1]; last.Kind != supervise.KindGiveUp || last.Dropped == 0 {
			t.Errorf("the last event: %+v", last)
		}
	})
}

// TestSlowObserverOfTasksThatEnd: what is kept for a slow observer stays
// when tasks end one after the other, each with fewer events than it has room for.
func TestSlowObserverOfTasksThatEnd(t *testing.T) {
	const tasks = 300
	synctest.Test(t, func(t *testing.T) {
		var j journal
		proceed := make(chan struct{})
		time.AfterFunc(time.Hour, func() { close(proceed) })
		s := supervise.New("s", quiet, atOnce, supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
			<-proceed
			j.Observe(e)
		})))
		for i := range tasks {
			s.Add(strconv.Itoa(i), func(ctx context.Context) error {
				switch info, _ := supervise.FromContext(ctx); info.Run {
				case 1:
					time.Sleep(time.Duration(i) * time.Second)
				case 4:
					return nil
				}
				return errBoom
			})
		}
		_ = s.Run(bubble(t, 2*time.Hour))
		var dropped uint64
		for _, e := range j.all() {
			dropped += e.Dropped
		}
		if n := len(j.of(supervise.KindCrash)); n != 3*tasks || dropped != 0 {
			t.Errorf("%d crashes told, %d events dropped", n, dropped)
		}
	})
}
