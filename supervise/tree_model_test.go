package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/supervise"
)

// world is a supervisor to which random things happen, beside what must be so
// whatever happens.
type world struct {
	t        *rapid.T
	sup      *supervise.Supervisor
	strategy supervise.Strategy
	members  []*member // in start order
	made     int
	cancel   context.CancelCauseFunc
	done     chan error

	mu    sync.Mutex
	stops []string // tasks in the order in which their runs ended
	ended map[string]time.Time
}

// member is a task of the world. Its function does what it is to do, and ends when
// it is asked to, unless it is deaf.
type member struct {
	name string
	mode string // "always", "crash" or "once"
	task *supervise.Task
	tell chan string

	live atomic.Int32 // runs under way
	deaf atomic.Bool  // the run under way does not look at its context
	up   bool         // it is wanted to run, as the model has it

	unsure bool // the model cannot tell
}

const patience = 2 * time.Second // of the supervisor with deaf tasks

func newWorld(t *rapid.T) *world {
	w := &world{t: t, done: make(chan error, 1), ended: map[string]time.Time{}}
	w.strategy = rapid.SampledFrom([]supervise.Strategy{supervise.OneForOne, supervise.OneForAll, supervise.RestForOne}).Draw(t, "strategy")
	w.sup = supervise.New("root", quiet, second, supervise.WithStrategy(w.strategy), supervise.WithStopTimeout(patience))
	return w
}

func (w *world) run() {
	ctx, cancel := context.WithCancelCause(context.Background())
	w.cancel = cancel
	for _, m := range w.members {
		m.up = true
	}
	go func() { w.done <- w.sup.Run(ctx) }()
}

// add adds a task.
func (w *world) add(t *rapid.T) {
	if len(w.members) == 6 {
		return
	}
	w.made++
	m := &member{
		name: fmt.Sprint("task", w.made), up: true, tell: make(chan string),
		mode: rapid.SampledFrom([]string{"crash", "crash", "always", "once"}).Draw(t, "mode"),
	}
	var opts []supervise.TaskOption
	switch m.mode {
	case "always":
		opts = append(opts, supervise.WithRestart(supervise.Always))
	case "once":
		opts = append(opts, supervise.WithRestart(supervise.Never))
	}
	task, err := w.sup.TryAdd(m.name, func(ctx context.Context) error { return w.serve(ctx, m) }, opts...)
	if err != nil {
		w.t.Fatal(err)
	}
	m.task = task
	w.members = append(w.members, m)
}

// serve is the function of a task.
func (w *world) serve(ctx context.Context, m *member) error {
	if live := m.live.Add(1); live > 1 {
		w.t.Errorf("%s has %d runs at once", m.name, live)
	}
	defer func() {
		m.live.Add(-1)
		m.deaf.Store(false)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stops = append(w.stops, m.name)
		w.ended[m.name] = time.Now()
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case how := <-m.tell:
			switch how {
			case "clean":
				return nil
			case "error":
				return errBoom
			case "panic":
				panic(errBoom)
			case "goexit":
				runtime.Goexit()
			}
			m.deaf.Store(true)
			wait, _ := time.ParseDuration(how)
			time.Sleep(wait)
			m.deaf.Store(false)
		}
	}
}

// end has a task's run end, if it listens.
func (w *world) end(t *rapid.T) {
	m := w.draw(t)
	how := rapid.SampledFrom([]string{"clean", "error", "panic", "goexit", "500.1ms", "3.0001s", "10.0001s"}).Draw(t, "how")
	if m == nil {
		return
	}
	select {
	case m.tell <- how:
	default:
		return
	}
	switch {
	case strings.HasSuffix(how, "s"): // it is deaf for so long
	case m.mode == "once":
		w.remove(m)
	case how == "clean" && m.mode == "crash":
		m.up = false
	default:
		w.regroup(m)
	}
}

// regroup forgets the tasks that run once and are stopped because m is restarted.
func (w *world) regroup(m *member) {
	from := slices.Index(w.members, m)
	switch w.strategy {
	case supervise.OneForOne:
		return
	case supervise.OneForAll:
		from = 0
	case supervise.RestForOne:
	}
	for _, other := range slices.Clone(w.members[from:]) {
		if other.mode == "once" && other != m {
			other.unsure = true // if it ran it has ended; if not, it is still to run
		}
	}
}

func (w *world) remove(m *member) {
	m.up = false
	w.members = slices.DeleteFunc(w.members, func(other *member) bool { return other == m })
}

func (w *world) draw(t *rapid.T) *member {
	if len(w.members) == 0 {
		return nil
	}
	return w.members[rapid.IntRange(0, len(w.members)-1).Draw(t, "task")]
}

func (w *world) stop(t *rapid.T) {
	if m := w.draw(t); m != nil {
		m.task.Stop()
		m.up = false
	}
}

func (w *world) restart(t *rapid.T) {
	if m := w.draw(t); m != nil && !m.unsure && (m.mode != "once" || m.up) { // one that has ended may be forgotten
		m.task.Restart()
		m.up = true
	}
}

func (w *world) release(t *rapid.T) {
	if m := w.draw(t); m != nil {
		m.task.Release()
	}
}

func (w *world) pass(t *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond)
}

// cycle stops the supervisor, looks at what it leaves behind, and runs it again.
func (w *world) cycle(*rapid.T) {
	w.shut()
	w.members = slices.DeleteFunc(w.members, func(m *member) bool { return m.mode == "once" })
	w.run()
}

// shut stops the supervisor: in reverse order, and with an error that names what
// still runs.
func (w *world) shut() {
	w.takeStops()
	before := []string{} // those that listen, in the order in which they are to stop
	for _, m := range slices.Backward(w.members) {
		if m.live.Load() == 1 && !m.deaf.Load() {
			before = append(before, m.name)
		}
	}
	w.cancel(errStop)
	err := <-w.done
	synctest.Wait() // for runs that end at the same instant
	if !errors.Is(err, errStop) {
		w.t.Errorf("Run returned %v", err)
	}
	if stopped := slices.DeleteFunc(w.takeStops(), func(name string) bool { return !slices.Contains(before, name) }); !slices.Equal(stopped, before) {
		w.t.Errorf("stopped %v, want %v", stopped, before)
	}
	for _, m := range w.members {
		if w.endedAt(m).Equal(time.Now()) {
			continue
		}
		if named := strings.Contains(fmt.Sprint(err), fmt.Sprintf("%q", "root/"+m.name)); named != (m.live.Load() > 0) {
			w.t.Errorf("%s has %d runs when Run has returned: %v", m.name, m.live.Load(), err)
		}
	}
}

// takeStops returns the tasks whose runs have ended since the last time.
func (w *world) takeStops() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	stops := w.stops
	w.stops = nil
	return stops
}

func (w *world) endedAt(m *member) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended[m.name]
}

// settle lets all holds pass and all deaf tasks hear, and compares what runs with
// what is to run.
func (w *world) settle() {
	time.Sleep(time.Hour)
	synctest.Wait()
	for _, m := range w.members {
		if s := m.task.Status(); !m.unsure && ((m.live.Load() == 1) != m.up || (s.State == supervise.Running) != m.up) {
			w.t.Errorf("%s (%s) is up: %v; it should be: %v; %+v", m.name, m.mode, m.live.Load() == 1, m.up, s)
		}
	}
}

// TestSupervisorModel lets random things happen to a supervisor of each strategy.
func TestSupervisorModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rapid.SyncTest(rt, func(rt *rapid.T) {
			w := newWorld(rt)
			w.run()
			defer func() {
				w.cancel(errStop)
				time.Sleep(time.Hour) // for those that were abandoned
			}()
			step := func(act func(*rapid.T)) func(*rapid.T) {
				return func(rt *rapid.T) {
					act(rt)
					synctest.Wait()
				}
			}
			rt.Repeat(map[string]func(*rapid.T){
				"add": step(w.add), "end": step(w.end), "end more": step(w.end), "stop": step(w.stop), "restart": step(w.restart),
				"release": step(w.release), "pass": step(w.pass), "pass more": step(w.pass), "cycle": step(w.cycle),
			})
			w.settle()
			w.shut()
		})
	})
}
