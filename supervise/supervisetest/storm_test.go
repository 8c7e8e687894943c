package supervisetest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

var stormSeeds = flag.Uint64("storm", 20, "how many seeds TestStorm plays of each scenario")

// stopTimeout is what all tasks of a storm have, but for supervisors.
const stopTimeout = 2 * time.Second

// calm is longer than all holds and all waiting.
const calm = 10 * time.Minute

// scenario is what may happen in a storm.
type scenario struct {
	name       string
	strategies []supervise.Strategy
	kinds      []supervisetest.FaultKind
	depth      int  // of supervisors below the root
	operators  bool // stop, restart, release and add tasks
	again      bool // the root is run a second time
	giveUp     bool // policies may give up
	watchdog   bool // runs must show that they are alive
	ready      bool // and that they are ready
	overlap    bool // and may begin beside abandoned ones
	crowd      bool // few may start up at once
	held       bool // policies hold for a while, not for nothing
	brink      bool // runs end at the very instant at which they are abandoned
	blocked    bool // an observer blocks
	store      bool // gates are kept in a store that is slow, and fails
	coarse     bool // all happens at whole seconds, much of it at once
}

// storm is one play of a scenario.
type storm struct {
	scenario
	t        *testing.T
	rng      *rand.Rand
	root     *supervise.Supervisor
	faults   *supervisetest.Faults
	checker  *supervisetest.Checker
	recorder *supervisetest.Recorder
	made     int
	once     map[string]bool // the names of tasks that run once
	faulty   []string        // what is wrong
}

// TestStorm has random trees struck by faults in virtual time, and holds them to the
// rules. A seed that fails is played again by -run, with -storm if it is high; only what
// happens at one and the same instant may then happen in another order.
func TestStorm(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			for seed := range *stormSeeds {
				ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { play(t, sc, seed) })
				})
				if !ok {
					return
				}
			}
		})
	}
}

func play(t *testing.T, sc scenario, seed uint64) {
	s := &storm{scenario: sc, t: t, rng: rand.New(rand.NewPCG(seed, 0)), once: map[string]bool{}} //nolint:gosec // it is to be played again
	s.faults = supervisetest.NewFaults(seed, s.randomFaults()...)
	defer s.faults.Close()
	s.recorder = &supervisetest.Recorder{}
	opts := []supervisetest.CheckOption{supervisetest.Counted(), supervisetest.StopTimeout(stopTimeout, 0),
		supervisetest.Overlap("*/lap*", "*/*/lap*", "*/*/*/lap*")}
	s.checker = supervisetest.NewChecker(opts...)
	more := []supervise.SupervisorOption{supervise.WithObserver(s.checker), supervise.WithObserver(s.recorder)}
	if sc.blocked {
		letGo := make(chan struct{})
		defer close(letGo)
		more = append(more, supervise.WithObserver(supervise.ObserverFunc(func(supervise.Event) { <-letGo })))
	}
	if sc.store {
		more = append(more, supervise.WithStore(&badStore{rng: rand.New(rand.NewPCG(seed, 1))})) //nolint:gosec // as above
	}
	s.root = s.supervisor("root", sc.depth, more...)
	s.life()
	if sc.again {
		s.life()
	}
	s.faults.Close()
	time.Sleep(calm) // for the runs that were abandoned
	s.checkAbandoned()
	for _, v := range s.checker.Violations() {
		s.fail("%v", v)
	}
	if s.faulty != nil {
		t.Errorf("%s\n%v", strings.Join(s.faulty, "\n"), s.recorder)
	}
}

// fail records that something is wrong.
func (s *storm) fail(format string, args ...any) {
	s.faulty = append(s.faulty, fmt.Sprintf(format, args...))
}

// life is one Run of the root: a time of faults, then perhaps one without, until it is
// stopped.
func (s *storm) life() {
	ctx, cancel := context.WithCancelCause(s.t.Context())
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- s.root.Run(ctx) }()
	s.faults.On()
	var err error
	running := true
	for end := time.Now().Add(s.within(2 * time.Minute)); running && time.Now().Before(end); {
		select {
		case err = <-done:
			running = false
		case <-time.After(s.within(5 * time.Second)):
			if s.operators {
				s.operate()
			}
		}
	}
	if running && s.one(2) {
		s.faults.Close()
		s.resume()
		select {
		case err = <-done: // it was about to end
			running = false
		case <-time.After(calm):
			s.checkSettled()
		}
	}
	if running {
		s.checker.Stopped(time.Now())
		cancel(errStop)
		err = <-done
	}
	if !errors.Is(err, errStop) && !errors.Is(err, supervise.ErrGaveUp) {
		s.fail("Run returned %v", err)
	}
	_ = s.checker.Finish()
}

// within returns a random time, of whole seconds in a coarse storm.
func (s *storm) within(most time.Duration) time.Duration {
	return s.grain(time.Duration(s.rng.Int64N(int64(most) + 1)))
}

func (s *storm) grain(d time.Duration) time.Duration {
	if s.coarse {
		return d.Round(time.Second)
	}
	return d
}

// about is a delay of that time on average.
func (s *storm) about(mean time.Duration) supervisetest.Delay {
	exponential := supervisetest.Exponential(mean)
	return func(u float64) time.Duration { return s.grain(exponential(u)) }
}

func (s *storm) one(in int) bool { return s.rng.IntN(in) == 0 }

func (s *storm) randomFaults() []supervisetest.Fault {
	var faults []supervisetest.Fault
	for _, kind := range s.kinds {
		f := supervisetest.Fault{Kind: kind, Rate: 0.4 / float64(len(s.kinds))}
		switch kind {
		case supervisetest.LateReady:
			f.For = s.about(4 * time.Second)
		case supervisetest.Hang, supervisetest.Silence:
			f.After, f.For = s.about(10*time.Second), s.about(5*time.Second)
		default:
			f.After = s.about(10 * time.Second)
		}
		faults = append(faults, f)
		if kind == supervisetest.Error || kind == supervisetest.Panic {
			f.After, f.Rate = nil, f.Rate/4 // at the start
			faults = append(faults, f)
		}
	}
	return faults
}

// supervisor makes a tree.
func (s *storm) supervisor(name string, depth int, more ...supervise.SupervisorOption) *supervise.Supervisor {
	opts := []supervise.SupervisorOption{quiet, s.policy(), supervise.WithStrategy(s.strategies[s.rng.IntN(len(s.strategies))])}
	opts = append(opts, more...)
	if s.one(3) {
		opts = append(opts, supervise.Unordered())
	}
	if s.crowd && s.one(2) {
		opts = append(opts, supervise.WithMaxStarts(1+s.rng.IntN(2)))
	}
	sup := supervise.New(name, opts...)
	for range 1 + s.rng.IntN(5) {
		if depth > 0 && s.one(3) {
			s.made++
			child := s.supervisor(fmt.Sprint("sup", s.made), depth-1)
			s.add(sup, fmt.Sprint("sup", s.made), child.Run)
			continue
		}
		s.addTask(sup)
	}
	return sup
}

func (s *storm) policy() supervise.Option {
	p := policy.Constant(0)
	if s.held {
		p = policy.Compose(policy.Exponential(time.Second, 2, time.Minute), policy.CrashLoop(4, time.Minute, 30*time.Second), policy.StableRun(20*time.Second))
	}
	if s.giveUp && s.one(2) {
		p = policy.Compose(p, policy.MaxCrashes(3, time.Minute))
	}
	return supervise.WithPolicy(p)
}

func (s *storm) add(to *supervise.Supervisor, name string, fn func(context.Context) error, opts ...supervise.TaskOption) {
	if _, err := to.TryAdd(name, fn, opts...); err != nil && !errors.Is(err, supervise.ErrStopping) {
		s.t.Error(err)
	}
}

// addTask adds a task with random options.
func (s *storm) addTask(to *supervise.Supervisor) {
	s.made++
	once := false
	opts := []supervise.TaskOption{supervise.WithStopTimeout(stopTimeout)}
	switch s.rng.IntN(5) {
	case 0:
		opts = append(opts, supervise.WithRestart(supervise.Always))
	case 1:
		opts = append(opts, supervise.WithRestart(supervise.Never))
		once = true
	}
	if s.giveUp && s.one(2) {
		opts = append(opts, supervise.Optional())
	}
	sign := calm * 2 // of life, how often
	if s.watchdog && s.one(2) {
		opts = append(opts, supervise.WithWatchdog(4*time.Second))
		sign = time.Second
	}
	if s.ready && s.one(2) {
		opts = append(opts, supervise.WithReadyTimeout(5*time.Second))
	}
	name := fmt.Sprint("task", s.made)
	if s.overlap && s.one(2) {
		opts = append(opts, supervise.Overlap())
		name = fmt.Sprint("lap", s.made)
	}
	slow := s.within(stopTimeout / 2)
	if s.brink && s.one(2) {
		slow = stopTimeout
	}
	s.once[name] = once
	s.add(to, name, s.faults.Wrap(func(ctx context.Context) error {
		supervise.Ready(ctx)
		for {
			supervise.Alive(ctx)
			select {
			case <-ctx.Done():
				time.Sleep(slow)
				return ctx.Err()
			case <-time.After(sign):
			}
		}
	}), opts...)
}

// operate does one thing that an operator may do.
func (s *storm) operate() {
	tasks := slices.Collect(s.root.Tasks())
	if len(tasks) == 0 {
		return
	}
	task := tasks[s.rng.IntN(len(tasks))]
	switch s.rng.IntN(10) {
	case 0:
		task.Stop(ann)
	case 1, 2:
		task.Restart(ann)
	case 3:
		task.Release(ann)
	case 4:
		s.addTask(s.root)
	case 5:
		task.Probe(ann)
	case 6, 7:
		task.Pause(ann)
	case 8:
		task.Remove(ann)
	}
}

var ann = gate.By{Who: "ann", Why: "the storm"}

// resume releases what operators have paused.
func (s *storm) resume() {
	for task := range s.root.Tasks() {
		if task.Status().Gate.Phase() == gate.Paused {
			task.Release()
		}
	}
}

// badStore takes its time, and fails now and then.
type badStore struct {
	gatetest.MemoryStore
	mu  sync.Mutex // nothing else runs under it
	rng *rand.Rand
}

func (b *badStore) wait(ctx context.Context) error {
	b.mu.Lock()
	takes, fails := time.Duration(b.rng.Int64N(int64(2*time.Second))), b.rng.IntN(5) == 0
	b.mu.Unlock()
	if err := supervise.Sleep(ctx, takes); err != nil {
		return err
	}
	if fails {
		return errBoom
	}
	return nil
}

func (b *badStore) Load(ctx context.Context, key string) (gate.Snapshot, uint64, error) {
	if err := b.wait(ctx); err != nil {
		return gate.Snapshot{}, 0, err
	}
	return b.MemoryStore.Load(ctx, key)
}

func (b *badStore) Save(ctx context.Context, key string, s gate.Snapshot, revision uint64) (uint64, error) {
	if err := b.wait(ctx); err != nil {
		return 0, err
	}
	return b.MemoryStore.Save(ctx, key, s, revision)
}

// checkSettled checks, a while after the last fault, that each task runs that should.
func (s *storm) checkSettled() {
	if waiting := s.checker.Waiting(); waiting != nil {
		s.fail("%q wait for their next run", waiting)
	}
	last := map[string]supervise.Event{}
	for _, e := range s.recorder.All() {
		if e.Kind != supervise.KindStore && e.Kind != supervise.KindWait {
			last[e.Task] = e
		}
	}
	for task := range s.root.Tasks() {
		e := last[task.Name()]
		state := task.Status().State
		running := state == supervise.Running || state == supervise.Starting || state == supervise.Stopping
		switch over := e.Last || e.Kind == supervise.KindGiveUp; {
		case running && over:
			s.fail("%s runs, and has ended", e.Task)
		case !running && !over && !s.operators && !s.once[leafOf(task.Name())]:
			s.fail("%s does not run since its %v", task.Name(), e.Kind)
		}
	}
}

func (s *storm) checkAbandoned() {
	struck := map[string]bool{}
	for _, i := range s.faults.Injected() {
		struck[fmt.Sprint(i.Task, " ", i.Run)] = true
	}
	for _, e := range s.recorder.All() {
		run := fmt.Sprint(e.Task, " ", e.Run)
		stuck := new(supervise.AbandonedError)
		slow := s.brink && (!errors.As(e.Err, &stuck) || stuck.Cause != supervise.ErrWatchdog)
		if e.Kind == supervise.KindAbandon && !struck[run] && !slow && !strings.HasPrefix(leafOf(e.Task), "sup") {
			s.fail("%s was abandoned, and nothing was wrong with it", run)
		}
	}
}

func leafOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
