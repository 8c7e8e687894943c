package policy_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is the common start that the tests count from.
var start = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

var errCrash = errors.New("exit status 1")

// at returns the instant that is so many seconds after start.
func at(seconds float64) time.Time { return start.Add(sec(seconds)) }

func sec(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// The decisions that tests want.
func hold(seconds float64) policy.Decision { return policy.Decision{Delay: sec(seconds)} }

func loop(seconds float64) policy.Decision {
	return policy.Decision{Verdict: policy.CrashLooping, Delay: sec(seconds)}
}

var giveUp = policy.Decision{Verdict: policy.GiveUp}

// fresh is a decision that wipes the slate.
func fresh(d policy.Decision) policy.Decision {
	d.Fresh = true
	return d
}

// view is a log as a policy sees it.
func view(log *history.Log) policy.History { return policy.History(log.View()) }

// apply records a decision.
func apply(log *history.Log, d policy.Decision) (policy.Verdict, time.Duration) {
	w := log.Apply(uint8(d.Verdict), d.Delay, d.Fresh, d.Uncounted)
	return policy.Verdict(w.Verdict()), w.End(log.Last())
}

// task is a task under a policy, driven as a gate drives it.
type task struct {
	log    history.Log
	t      testing.TB
	policy policy.Policy

	verdict policy.Verdict // that stands, and until when
	end     time.Duration
}

func newTask(t testing.TB, p policy.Policy) *task {
	k := &task{t: t, policy: p}
	k.log.Seed(1)
	return k
}

func (k *task) history() policy.History { return view(&k.log) }

func (k *task) start(seconds float64) { k.log.ObserveStart(at(seconds)) }

func (k *task) decide() policy.Decision {
	d := k.policy.Decide(k.history())
	k.verdict, k.end = apply(&k.log, d)
	return d
}

func (k *task) crash(seconds float64) policy.Decision { return k.fail(seconds, errCrash) }

func (k *task) fail(seconds float64, err error) policy.Decision {
	k.log.ObserveCrash(at(seconds), err)
	return k.decide()
}

func (k *task) exit(seconds float64) policy.Decision {
	k.log.ObserveCleanExit(at(seconds))
	return k.decide()
}

func (k *task) wantCrash(seconds float64, want policy.Decision) {
	k.t.Helper()
	if got := k.crash(seconds); got != want {
		k.t.Errorf("crash at %v: %v, want %v", seconds, got, want)
	}
}

func (k *task) wantExit(seconds float64, want policy.Decision) {
	k.t.Helper()
	if got := k.exit(seconds); got != want {
		k.t.Errorf("clean exit at %v: %v, want %v", seconds, got, want)
	}
}

// wantDelays has a task crash once for each of the delays wanted, a second
// apart.
func wantDelays(t *testing.T, p policy.Policy, want ...time.Duration) {
	t.Helper()
	k := newTask(t, p)
	for i, d := range want {
		k.wantCrash(float64(i), policy.Decision{Delay: d})
	}
}

// crashed returns a history of a long streak, the crashes of which were too
// long ago to be remembered.
func crashed(t testing.TB, streak uint64) policy.History {
	t.Helper()
	log := new(history.Log)
	if err := log.Load(history.Record{
		Start: start, Err: errCrash.Error(), Crashed: true, Total: streak, Streak: streak, Seed: 1,
	}); err != nil {
		t.Fatal(err)
	}
	return view(log)
}

// crashOnce is the history of a task that has just crashed for the first time.
func crashOnce(err error) policy.History {
	var log history.Log
	log.Seed(1)
	log.ObserveCrash(start, err)
	return view(&log)
}

func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if v := recover(); v == nil || fmt.Sprint(v) != want {
			t.Errorf("panic: %v\n want: %v", v, want)
		}
	}()
	f()
}

func mustPolicy(t testing.TB, c policy.Config) policy.Policy {
	t.Helper()
	p, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
