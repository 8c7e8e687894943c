package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// randomTree is a tree of supervisors that was drawn from a seed, to which random things
// happen.
type randomTree struct {
	t     *testing.T
	seed  uint64
	root  *randomSup
	j     journal
	calm  atomic.Bool  // tasks run until they are stopped, from now on
	asked atomic.Int64 // how often admissions were

	mu      sync.Mutex
	sups    []*randomSup
	tasks   []*randomTask
	wrong   []string
	diary   []string // what operators did
	made    int
	closing bool // the root was asked to stop
}

// randomSup is a supervisor of a random tree.
type randomSup struct {
	*supervise.Supervisor
	name      string
	unordered bool
	strategy  supervise.Strategy
	task      *supervise.Task // as which it runs; nil for the root
	above     *randomSup
}

func (w *randomTree) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) < 20 {
		w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
	}
}

func (w *randomTree) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.diary = append(w.diary, time.Now().Format("04:05.000000000 ")+fmt.Sprintf(format, args...))
}

// grow makes a supervisor with tasks, and with others below it.
func (w *randomTree) grow(r *rand.Rand, name string, depth int, above *randomSup) *randomSup {
	s := &randomSup{name: name, above: above, strategy: supervise.Strategy(r.IntN(3))} //nolint:gosec // 0 to 2
	opts := []supervise.SupervisorOption{supervise.WithStrategy(s.strategy)}
	if depth == 0 {
		opts = append(opts, quiet, supervise.WithObserver(&w.j))
	}
	if r.IntN(3) == 0 {
		s.unordered = true
		opts = append(opts, supervise.Unordered())
	}
	if r.IntN(3) == 0 {
		opts = append(opts, supervise.WithMaxStarts(1+r.IntN(2)))
	}
	if r.IntN(4) == 0 {
		opts = append(opts, supervise.DropDynamic())
	}
	if r.IntN(4) == 0 {
		opts = append(opts, supervise.WithStopTimeout(time.Millisecond+upTo(r, 5*time.Second)))
	}
	if r.IntN(4) == 0 {
		opts = append(opts, supervise.WithObserver(supervise.ObserverFunc(func(supervise.Event) { panic(errBoom) })))
	}
	s.Supervisor = supervise.New(name, opts...)
	w.sups = append(w.sups, s)
	w.note("%s: %v, unordered: %v, %d options", name, s.strategy, s.unordered, len(opts))
	for range 1 + r.IntN(4) {
		if depth < 2 && r.IntN(3) == 0 {
			w.graft(r, s, depth)
			continue
		}
		_ = w.add(r, s)
	}
	return s
}

// graft adds a supervisor below another one.
func (w *randomTree) graft(r *rand.Rand, to *randomSup, depth int) {
	w.made++
	below := w.grow(r, fmt.Sprint("sup", w.made), depth+1, to)
	opts := []supervise.TaskOption{supervise.Optional(), supervise.WithPolicy(policy.Constant(time.Second))}
	fn := below.Run
	switch r.IntN(4) {
	case 0: // it may be abandoned
		fn = func(ctx context.Context) error { return below.Run(ctx) }
		opts = append(opts, supervise.WithReadyTimeout(5*time.Second+upTo(r, time.Minute)), supervise.WithStopTimeout(time.Millisecond+upTo(r, 5*time.Second)))
	case 1:
		opts = append(opts, supervise.WithStopTimeout(time.Millisecond+upTo(r, 5*time.Second)))
	case 2:
		opts = append(opts, supervise.WithReadyTimeout(5*time.Second+upTo(r, time.Minute)))
	}
	below.task = to.Add(below.name, fn, opts...)
}

// add adds a task.
func (w *randomTree) add(r *rand.Rand, to *randomSup) error {
	w.mu.Lock()
	w.made++
	l := &randomTask{w: w, id: w.made, sup: to, timeout: -1}
	opts := l.options(r)
	w.mu.Unlock()
	task, err := to.TryAdd(fmt.Sprint("task", l.id), func(ctx context.Context) error { return l.run(ctx) }, opts...)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	l.task = task
	w.tasks = append(w.tasks, l)
	w.diary = append(w.diary, fmt.Sprintf("%s: overlap %v, never %v, slow %v, stop timeout %v, %d options", task.Name(), l.overlap, l.never, l.slow, l.timeout, len(opts)))
	return nil
}

// stopping is called when a run is asked to stop. In a supervisor that stops in order
// nothing that was added later is still running then, unless it does not listen.
func (w *randomTree) stopping(l *randomTask, cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closing || cause != errStop || l.sup.unordered {
		return
	}
	later := false
	for task := range l.sup.Tasks() {
		if task == l.task {
			later = true
			continue
		}
		for _, other := range w.tasks {
			if later && other.task == task && other.sup == l.sup && other.live.Load() > 0 && !other.deaf.Load() && task.Status().State == supervise.Running {
				w.wrong = append(w.wrong, fmt.Sprintf("%s was stopped before %s", l.task.Name(), task.Name()))
			}
		}
	}
}

// operate has an operator do random things.
func (w *randomTree) operate(r *rand.Rand, acts int) {
	for range acts {
		time.Sleep(upTo(r, 4*time.Second))
		w.act(r)
	}
}

func (w *randomTree) act(r *rand.Rand) {
	w.mu.Lock()
	task := w.tasks[r.IntN(len(w.tasks))].task
	sup := w.sups[r.IntN(len(w.sups))]
	w.mu.Unlock()
	if sup.task != nil && r.IntN(6) == 0 {
		task = sup.task
	}
	what := ""
	switch r.IntN(14) {
	case 0, 1:
		what = "stop"
		task.Stop()
	case 2, 3, 4:
		what = "restart"
		task.Restart()
	case 5:
		what = "release"
		task.Release()
	case 6:
		what = "probe"
		task.Probe()
	case 7:
		what = "pause"
		task.Pause()
	case 8:
		if sup.task != task {
			what = "remove"
			task.Remove()
		}
	case 9:
		err := w.add(r, sup)
		what = fmt.Sprint("add to ", sup.name, ": ", err)
		if err != nil && !errors.Is(err, supervise.ErrStopping) {
			w.fail("an add failed: %v", err)
		}
	case 10:
		ctx, cancel := context.WithTimeout(context.Background(), upTo(r, time.Second))
		defer cancel()
		_ = sup.WaitReady(ctx)
		_ = task.Wait(ctx)
	default:
		w.look()
	}
	if what != "" {
		w.note("%s %s", task.Name(), what)
	}
}

// look looks at all tasks, at any time.
func (w *randomTree) look() {
	seen := map[string]bool{}
	for task := range w.root.Tasks() {
		status := task.Status()
		if seen[status.Task] {
			w.fail("%s is there twice", status.Task)
		}
		seen[status.Task] = true
		if ready := status.State == supervise.Running; ready != status.Ready {
			w.fail("%s is %v and ready: %v", status.Task, status.State, status.Ready)
		}
	}
}

// up reports whether all supervisors from s up run.
func (s *randomSup) up() bool {
	return s.task == nil || s.task.Status().State == supervise.Running && s.above.up()
}

// settle has all tasks do what is wanted of them, and checks that they do.
func (w *randomTree) settle(r *rand.Rand) {
	w.calm.Store(true)
	for _, l := range w.tasks { // one that is paused may keep others from being started
		l.task.Release()
	}
	time.Sleep(time.Hour)
	for _, s := range w.sups[1:] { // those above come first
		s.task.Restart()
		time.Sleep(5 * time.Minute)
	}
	for _, s := range w.sups {
		if !s.up() {
			w.fail("%s is %+v when all is calm and it was restarted", s.task.Name(), s.task.Status())
			return
		}
	}
	wanted := map[*randomTask]string{}
	for _, l := range w.tasks {
		how := []string{"running", "running", "stopped", "paused", "removed"}[r.IntN(5)]
		if (l.never || l.slow) && how == "paused" { // those after one that is not ready wait for it
			how = "running"
		}
		wanted[l] = how
		switch how {
		case "paused":
			l.task.Restart()
			time.Sleep(upTo(r, time.Second))
			l.task.Pause()
		case "stopped":
			l.task.Stop()
		case "removed":
			l.task.Remove()
		default:
			l.task.Restart()
		}
		w.note("%s is to be %s", l.task.Name(), how)
	}
	time.Sleep(time.Hour)
	w.compare(wanted)
}

func (w *randomTree) compare(wanted map[*randomTask]string) {
	there := map[*supervise.Task]bool{}
	for task := range w.root.Tasks() {
		there[task] = true
	}
	for l, how := range wanted {
		status, live := l.task.Status(), l.live.Load()
		gone := how == "removed" || how == "stopped" && l.never
		want := map[string]supervise.State{"running": supervise.Running, "paused": supervise.Paused}[how]
		switch {
		case there[l.task] && gone, !there[l.task] && want != 0:
			w.fail("%s is to be %s; it is in the tree: %v", status.Task, how, there[l.task])
		case (live == 1) != (how == "running") || live > 1:
			w.fail("%s is to be %s; %d runs are under way; %+v", status.Task, how, live, status)
		case want != 0 && status.State != want, want == 0 && status.State == supervise.Running:
			w.fail("%s is to be %s; it is %+v", status.Task, how, status)
		}
	}
	for _, s := range w.sups {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := s.WaitReady(ctx); err != nil {
			w.fail("%s is not ready", s.name)
		}
		cancel()
	}
}

// live is one Run of the root: wild, then calm, then stopped.
func (w *randomTree) live(r *rand.Rand) {
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.root.Run(ctx) }()
	var operators sync.WaitGroup
	for range 1 + r.IntN(3) {
		own := rand.New(rand.NewPCG(r.Uint64(), 0)) //nolint:gosec // for tests
		operators.Go(func() { w.operate(own, 15) })
	}
	operators.Wait()
	if r.IntN(3) > 0 {
		w.settle(r)
		w.calm.Store(r.IntN(2) == 0)
	}
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.note("the root is stopped")
	asked := time.Now()
	cancel(errStop)
	err := <-done
	took := time.Since(asked)
	w.note("the root has stopped")
	if !errors.Is(err, errStop) {
		w.fail("Run returned %v", err)
	}
	if most := time.Duration(len(w.tasks)) * 2 * longest; took > most {
		w.fail("it took %v to stop, of %v", took, most)
	}
	w.mu.Lock()
	w.closing = false
	w.mu.Unlock()
	synctest.Wait()
	w.checkLeft(leftBehind(err))
	w.calm.Store(false)
}

// checkLeft compares the runs that Run says are left behind with the events. A supervisor
// below the root names what it has left behind when it ends itself, which may have
// returned since.
func (w *randomTree) checkLeft(named []string) {
	events := w.j.all()
	for _, run := range notReturned(events) {
		if strings.HasPrefix(run, "root/task") && !slices.Contains(named, run) {
			w.fail("Run does not say that %q is left behind", run)
		}
	}
	abandoned := notReturned(slices.DeleteFunc(events, func(e supervise.Event) bool { return e.Kind == supervise.KindReturn }))
	for _, run := range named {
		if !slices.Contains(abandoned, run) && !w.wrapped() {
			w.fail("Run says that %q is left behind, the events do not", run)
		}
	}
}

// wrapped reports whether a supervisor was left behind: then the run below it is named
// that it waited for, which has no stop timeout itself.
func (w *randomTree) wrapped() bool {
	return slices.ContainsFunc(w.j.all(), func(e supervise.Event) bool {
		return e.Kind == supervise.KindAbandon && slices.ContainsFunc(w.sups, func(s *randomSup) bool { return s.task != nil && s.task.Name() == e.Task })
	})
}

// randomStorm is what happens to the tree of a seed.
func randomStorm(t *testing.T, seed uint64) {
	w := &randomTree{t: t, seed: seed}
	r := w.draw()
	w.root = w.grow(r, "root", 0, nil)
	if len(w.tasks) == 0 {
		_ = w.add(r, w.root)
	}
	lives := 1 + r.IntN(2)
	for range lives {
		w.live(r)
		time.Sleep(upTo(r, time.Minute))
	}
	time.Sleep(time.Hour) // for what was left behind
	synctest.Wait()
	for _, l := range w.tasks {
		if live := l.live.Load(); live > 0 {
			w.fail("%s: %d runs at the end", l.task.Name(), live)
		}
	}
	events := w.j.all()
	if lives == 1 || !w.wrapped() { // else events of two Runs of the root come in any order
		w.wrong = append(w.wrong, wrongs(events)...)
		w.wrong = append(w.wrong, early(events)...)
	}
	if out := notReturned(events); len(out) > 0 {
		w.fail("%q have not returned", out)
	}
	if len(w.wrong) > 0 {
		t.Errorf("seed %d: %s", seed, strings.Join(w.wrong, "\n\t"))
		if os.Getenv("HOLDFAST_SEED") != "" {
			t.Logf("operators:\n%s\nevents:\n%s", strings.Join(w.diary, "\n"), inWords(events))
		}
	}
}

// early returns which runs began before their gate was open.
func early(events []supervise.Event) (wrong []string) {
	held := map[any]time.Time{}
	for _, e := range events {
		switch e.Kind {
		case supervise.KindCrash, supervise.KindExit:
			if until, ends := e.State.ReleaseAt(); ends && !e.Last { // it is an operator who starts it again
				held[e.Key()] = until
			}
		case supervise.KindRelease:
			if until := held[e.Key()]; !e.Forced && e.At.Before(until) {
				wrong = append(wrong, fmt.Sprintf("%s: a hold until %v was over at %v", e.Task, until, e.At))
			}
			delete(held, e.Key())
		case supervise.KindStop, supervise.KindGiveUp: // an operator, or another Run, may start it
			delete(held, e.Key())
		case supervise.KindStart:
			if until := held[e.Key()]; e.At.Before(until) {
				wrong = append(wrong, fmt.Sprintf("%s: run %d began at %v, held until %v", e.Task, e.Run, e.At, until))
			}
		default:
		}
	}
	return wrong
}

// TestRandomTrees lets random things happen to random trees. HOLDFAST_SEEDS is how many
// seeds it tries, HOLDFAST_SEED the only one.
func TestRandomTrees(t *testing.T) {
	number := func(name string, otherwise uint64) uint64 {
		if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
			return n
		}
		return otherwise
	}
	first, seeds := uint64(0), number("HOLDFAST_SEEDS", 200)
	if one := number("HOLDFAST_SEED", 0); one > 0 {
		first, seeds = one, 1
	} else {
		first = number("HOLDFAST_FIRST", 1)
	}
	for seed := first; seed < first+seeds && !t.Failed(); seed++ {
		synctest.Test(t, func(t *testing.T) { randomStorm(t, seed) })
	}
}
