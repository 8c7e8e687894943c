package policytest_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/policy/policytest"
)

var errKnown = errors.New("known")

func TestBuiltInsKeepTheRules(t *testing.T) {
	base := policy.Exponential(time.Second, 2, time.Hour)
	constant := func() backoff.BackOff { return backoff.NewConstantBackOff(time.Second) }
	for name, p := range map[string]policy.Policy{
		"Default":                    policy.Default(),
		"Classic":                    policy.Classic(),
		"Spread":                     policy.Spread(1)(base),
		"Spread, most":               policy.Spread(1)(policy.Constant(math.MaxInt64)),
		"Probation":                  policy.Compose(base, policy.CrashLoop(2, time.Minute, time.Minute), policy.Probation(time.Hour, math.MaxInt64)),
		"Ignore":                     policy.Ignore(func(err error) bool { return errors.Is(err, context.DeadlineExceeded) })(base),
		"Ignore all":                 policy.StableRun(time.Second)(policy.Ignore(func(error) bool { return true })(base)),
		"Switch":                     policy.NewSwitch(policy.Default()),
		"zero Switch":                &policy.Switch{},
		"jitter around a stable run": policy.Compose(base, policy.StableRun(time.Minute), policy.Jitter(policy.DecorrelatedJitter, time.Hour)),
		"two crash loops":            policy.Compose(base, policy.CrashLoop(3, time.Minute, time.Minute), policy.CrashLoop(9, time.Hour, time.Hour)),
		"Exponential":                base,
		"tiny factor":                policy.Exponential(1, 1.0000001, math.MaxInt64),
		"huge factor":                policy.Exponential(1, math.MaxFloat64, math.MaxInt64),
		"Constant":                   policy.Constant(math.MaxInt64),
		"Steps":                      policy.Steps(0, time.Second, time.Minute),
		"CrashLoop":                  policy.CrashLoop(10, math.MaxInt64, math.MaxInt64)(base),
		"StableRun":                  policy.StableRun(time.Second)(base),
		"full jitter":                policy.Jitter(policy.FullJitter, time.Minute)(base),
		"equal jitter":               policy.Jitter(policy.EqualJitter, math.MaxInt64)(policy.Constant(math.MaxInt64)),
		"decorrelated":               policy.Jitter(policy.DecorrelatedJitter, math.MaxInt64)(policy.Constant(math.MaxInt64)),
		"MaxCrashes":                 policy.MaxCrashes(3, time.Hour)(base),
		"permanent":                  policy.PermanentErrors(errKnown)(base),
		"RetryAfter":                 policy.RetryAfter(time.Hour)(base),
		"Match":                      policy.Match(func(err error) bool { return errors.Is(err, errKnown) }, policy.Constant(1))(base),
		"FromBackOff":                policy.FromBackOff(constant),
		"with retries":               policy.FromBackOff(func() backoff.BackOff { return backoff.WithMaxRetries(constant(), 3) }),
		"guarded Func":               policy.Guard(policy.Func(base.Decide), nil),
		"one on top of":              policy.Compose(base, policy.Jitter(policy.FullJitter, time.Hour), policy.CrashLoop(5, time.Minute, time.Hour), policy.MaxCrashes(20, time.Hour), policy.StableRun(time.Minute)),
	} {
		t.Run(name, func(t *testing.T) { policytest.Run(t, p) })
	}
}

func TestBudgetKeepsAllButPure(t *testing.T) {
	p := policy.Budget(1, 1)(policy.Constant(0))
	if err := policytest.Check(p); err == nil || !strings.Contains(err.Error(), `"pure" is broken`) {
		t.Errorf("Check = %v, want a broken rule: pure", err)
	}
	policytest.Run(t, p, policytest.Except("pure"))
}

// restart is the decision of the bad policies where they are not bad.
var restart = policy.Decision{Delay: time.Second}

// bad has, for each rule, a policy that breaks it and no other.
var bad = map[string]func() policy.Func{
	"panic": func() policy.Func {
		return func(h policy.History) policy.Decision {
			if h.Streak() == 5 {
				panic("five")
			}
			return restart
		}
	},
	"delay": func() policy.Func {
		return func(h policy.History) policy.Decision {
			return policy.Decision{Delay: time.Duration(2-min(h.Streak(), 3)) * time.Second}
		}
	},
	"verdict": func() policy.Func {
		return func(h policy.History) policy.Decision {
			return policy.Decision{Verdict: policy.Verdict(min(h.Streak(), 3))}
		}
	},
	"pure": func() policy.Func {
		var asked atomic.Int64
		return func(policy.History) policy.Decision {
			return policy.Decision{Delay: time.Duration(asked.Add(1))}
		}
	},
	"clean": func() policy.Func {
		return func(h policy.History) policy.Decision {
			return policy.Decision{Delay: time.Duration(len(h.Err().Error()))}
		}
	},
	"overflow": func() policy.Func {
		return func(h policy.History) policy.Decision {
			return policy.Decision{Delay: time.Second << h.Streak()}
		}
	},
	"concurrent": func() policy.Func {
		maker := goroutine()
		return func(policy.History) policy.Decision {
			if goroutine() != maker {
				return policy.Decision{}
			}
			return restart
		}
	},
	"odd": func() policy.Func {
		return func(h policy.History) policy.Decision {
			if h.Now().IsZero() {
				return restart
			}
			return policy.Decision{Delay: h.Now().Sub(time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC))}
		}
	},
	"forget": func() policy.Func {
		return func(h policy.History) policy.Decision {
			if h.Ran() > time.Hour {
				return policy.Decision{Delay: h.LastDelay(), Fresh: true} // of the slate that is wiped
			}
			return restart
		}
	},
	"uncounted": func() policy.Func {
		return func(h policy.History) policy.Decision {
			if h.Streak() == 5 {
				return policy.Decision{Verdict: policy.CrashLooping, Delay: time.Hour, Uncounted: true}
			}
			return restart
		}
	},
	"saved": func() policy.Func {
		return func(h policy.History) policy.Decision {
			if h.Err() == nil {
				return restart
			}
			return policy.Decision{Delay: time.Duration(reflect.ValueOf(h.Err()).Pointer() >> 1)} // which value, not what it says
		}
	},
}

// goroutine returns what the running goroutine can be known by.
func goroutine() string {
	stack := make([]byte, 64)
	return string(bytes.Fields(stack[:runtime.Stack(stack, false)])[1])
}

func TestEachRuleIsFoundBroken(t *testing.T) {
	for rule, make := range bad {
		t.Run(rule, func(t *testing.T) {
			err := policytest.Check(make())
			if err == nil {
				t.Fatal("Check found nothing")
			}
			if got := broken(err); !slices.Equal(got, []string{rule}) {
				t.Errorf("broken rules: %q, want %q alone:\n%v", got, rule, err)
			}
			if !strings.Contains(err.Error(), "; ") {
				t.Errorf("no reason in %q", err)
			}
			if err := policytest.Check(make(), policytest.Except(rule)); err != nil {
				t.Errorf("with that rule excepted: %v", err)
			}
		})
	}
}

// broken returns the names of the rules that err reports.
func broken(err error) (names []string) {
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		_, rest, _ := strings.Cut(err.Error(), `rule "`)
		name, _, _ := strings.Cut(rest, `"`)
		names = append(names, name)
	}
	return names
}

// Other ways to break a rule than the plainest one.
func TestSubtlyBad(t *testing.T) {
	for _, test := range []struct {
		name, rule, seen string
		make             func() policy.Func
	}{
		{"remembers another task", "pure", "asked again", func() policy.Func {
			var last atomic.Int64
			return func(h policy.History) policy.Decision {
				return policy.Decision{Delay: time.Duration(last.Swap(int64(h.Streak())))}
			}
		}},
		{"reads a clock", "pure", "", always(func(policy.History) policy.Decision {
			return policy.Decision{Delay: time.Duration(time.Now().UnixNano())}
		})},
		{"only a life as a whole shows it", "pure", "run 1 of a simulation", func() policy.Func {
			var lives atomic.Int64
			return func(h policy.History) policy.Decision {
				if h.Rand() == simulatedDraw {
					return policy.Decision{Delay: time.Duration(lives.Add(1))}
				}
				return restart
			}
		}},
		{"counts what a stable run has wiped", "forget", "but with a clean slate before", always(func(h policy.History) policy.Decision {
			d := policy.Decision{Delay: time.Duration(h.Streak()) * time.Second}
			d.Fresh = h.Ran() > time.Hour
			return d
		})},
		{"remembers that a loop has tripped", "forget", "a crash of a long run after 4 crash loops", always(func(h policy.History) policy.Decision {
			if h.Trips() > 0 && h.Ran() > time.Hour {
				return policy.Decision{Delay: time.Hour, Fresh: true}
			}
			return restart
		})},
		{"divides by the crashes before", "panic", "divide by zero", always(func(h policy.History) policy.Decision {
			if h.Err() == nil {
				return restart
			}
			return policy.Decision{Delay: time.Hour / time.Duration(h.Streak()-1)}
		})},
		{"panics on a clean slate alone", "panic", "2 crashes, with a clean slate: panic: one of two", always(func(h policy.History) policy.Decision {
			if h.Crashes() == 2 && h.Streak() == 1 {
				panic("one of two")
			}
			return restart
		})},
		{"takes the year for an index", "odd", "index out of range", always(func(h policy.History) policy.Decision {
			if h.Now().IsZero() {
				return restart
			}
			return policy.Decision{Delay: make([]time.Duration, 2200)[h.Now().Year()]}
		})},
		{"panics when alone no more", "concurrent", "panic: not here", func() policy.Func {
			maker := goroutine()
			return func(policy.History) policy.Decision {
				if goroutine() != maker {
					panic("not here")
				}
				return restart
			}
		}},
		{"indexes a table by the streak", "overflow", "index out of range", always(func(h policy.History) policy.Decision {
			return policy.Decision{Delay: make([]time.Duration, 20)[h.Streak()]}
		})},
		{"triples the last hold", "overflow", "last hold of 876000h", always(func(h policy.History) policy.Decision {
			return policy.Decision{Delay: 3*h.LastDelay() + time.Second}
		})},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := policytest.Check(test.make())
			if err == nil {
				t.Fatal("Check found nothing")
			}
			if got := broken(err); !slices.Equal(got, []string{test.rule}) || !strings.Contains(err.Error(), test.seen) {
				t.Errorf("broken rules: %q, want %q alone, with %q:\n%v", got, test.rule, test.seen, err)
			}
		})
	}
}

// always makes a maker of a policy that keeps nothing.
func always(f policy.Func) func() policy.Func { return func() policy.Func { return f } }

// simulatedDraw is the draw of the first crash of every simulation.
var simulatedDraw = func() (draw float64) {
	policy.Simulate(policy.Func(func(h policy.History) policy.Decision {
		draw = h.Rand()
		return policy.Decision{}
	}), []policy.Run{{Err: errKnown}})
	return draw
}()

func TestWhatFollowsIsNotReportedTwice(t *testing.T) {
	for rule, p := range map[string]policy.Func{
		"panic":  func(policy.History) policy.Decision { panic("always") },
		"delay":  func(policy.History) policy.Decision { return policy.Decision{Delay: -1} },
		"pure":   bad["pure"](),
		"saved":  bad["saved"](),
		"forget": bad["forget"](),
	} {
		if got := broken(policytest.Check(p)); !slices.Equal(got, []string{rule}) {
			t.Errorf("broken rules: %q, want %q alone", got, rule)
		}
	}
}

func TestCheckJoinsAllBrokenRules(t *testing.T) {
	err := policytest.Check(policy.Func(func(policy.History) policy.Decision {
		return policy.Decision{Verdict: 9, Delay: -1, Fresh: true}
	}))
	if got, want := broken(err), []string{"delay", "verdict"}; !slices.Equal(got, want) {
		t.Errorf("broken rules: %q, want %q", got, want)
	}
	const want = `policytest: rule "delay" is broken: a first crash: verdict(9) with a delay of -1ns and a clean slate; ` +
		"a gate takes a negative delay for zero, so the task restarts at once and may spin\n"
	if !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Check = %q, want it to begin with %q", err, want)
	}
}

func TestNilPolicy(t *testing.T) {
	if err := policytest.Check(nil); err == nil || !strings.Contains(err.Error(), "the policy is nil") {
		t.Errorf("Check(nil) = %v", err)
	}
}

func TestExceptOfNoRule(t *testing.T) {
	defer func() {
		const want = `policytest: Except: there is no rule "purity"; the rules are panic, delay, verdict, pure, clean, overflow, odd, concurrent, forget, uncounted, saved`
		if got := recover(); got != want {
			t.Errorf("panic = %v, want %s", got, want)
		}
	}()
	policytest.Except("pure", "purity")
}

// recorder is a testing.TB that only takes note.
type recorder struct {
	testing.TB
	helped bool
	errors []any
}

func (r *recorder) Helper()           { r.helped = true }
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, args...) }

func TestRunFailsTheTest(t *testing.T) {
	r := &recorder{TB: t}
	policytest.Run(r, policy.Default())
	if len(r.errors) != 0 {
		t.Errorf("a good policy: %v", r.errors)
	}
	policytest.Run(r, bad["delay"]())
	if len(r.errors) != 1 || !r.helped {
		t.Errorf("a bad policy: errors %v, Helper called: %t", r.errors, r.helped)
	}
}
