package supervisetest_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/internal/inject"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

// bench runs one task with one fault in a bubble.
type bench struct {
	fault    supervisetest.Fault
	fn       func(context.Context) error // nil for serve
	opts     []supervise.RunOption
	stop     time.Duration        // when Run is asked to stop; 0 for an hour
	release  map[time.Duration]op // what is done to the faults
	faults   *supervisetest.Faults
	recorder *supervisetest.Recorder
	calls    []time.Duration // of fn, since the start
}

type op func(*supervisetest.Faults)

// run returns when Run returns, and what.
func (b *bench) run(t *testing.T) (took time.Duration, err error) {
	start := time.Now()
	b.recorder = &supervisetest.Recorder{}
	if b.faults == nil {
		b.faults = supervisetest.NewFaults(1, b.fault)
	}
	t.Cleanup(b.faults.Close)
	for at, do := range b.release {
		time.AfterFunc(at, func() { do(b.faults) })
	}
	if b.fn == nil {
		b.fn = serve
	}
	if b.stop == 0 {
		b.stop = time.Hour
	}
	opts := append([]supervise.RunOption{supervise.WithName("x"), supervise.WithObserver(b.recorder), quiet, atOnce}, b.opts...)
	err = supervise.Run(stopAfter(t, b.stop), b.faults.Wrap(func(ctx context.Context) error {
		b.calls = append(b.calls, time.Since(start))
		return b.fn(ctx)
	}), opts...)
	return time.Since(start), err
}

// crash returns the error of the first crash that was reported.
func (b *bench) crash(t *testing.T) error {
	e, err := b.recorder.WaitFor(t.Context(), supervise.KindCrash, "x")
	if err != nil {
		t.Fatal(err)
	}
	return e.Err
}

func injected(t *testing.T, err error, kind supervisetest.FaultKind) *supervisetest.InjectedError {
	t.Helper()
	var i *supervisetest.InjectedError
	if !errors.As(err, &i) || i.Kind != kind || i.Task != "x" || i.Run != 1 || !errors.Is(err, supervisetest.ErrInjected) {
		t.Errorf("the error is not that of the fault: %v", err)
		return &supervisetest.InjectedError{}
	}
	return i
}

// first is a fault in the first run.
func first(kind supervisetest.FaultKind) supervisetest.Fault {
	return supervisetest.Fault{Kind: kind, Run: 1}
}

func later(kind supervisetest.FaultKind) supervisetest.Fault {
	return supervisetest.Fault{Kind: kind, Run: 1, After: supervisetest.Fixed(time.Second)}
}

// TestStrikeAtOnce is of faults that strike in the place of the function.
func TestStrikeAtOnce(t *testing.T) {
	for kind, check := range map[supervisetest.FaultKind]func(*testing.T, error){
		supervisetest.Error: func(t *testing.T, err error) { injected(t, err, supervisetest.Error) },
		supervisetest.Panic: func(t *testing.T, err error) {
			i := injected(t, err, supervisetest.Panic)
			var p *supervise.PanicError
			if !errors.As(err, &p) || p.Value != any(i) {
				t.Errorf("%v is not the panic", err)
			}
		},
		supervisetest.Goexit: func(t *testing.T, err error) {
			if !errors.Is(err, supervise.ErrGoexit) {
				t.Error(err)
			}
		},
	} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bench{fault: first(kind)}
				took, err := b.run(t)
				if err != errStop || took != time.Hour || !slices.Equal(b.calls, []time.Duration{0}) {
					t.Errorf("%v after %v; called at %v", err, took, b.calls)
				}
				check(t, b.crash(t))
				if i := b.faults.Injected(); len(i) != 1 || i[0] != (supervisetest.Injection{Task: "x", Run: 1, Kind: kind, At: time.Now().Add(-time.Hour)}) {
					t.Errorf("injected: %+v", i)
				}
			})
		})
	}
}

// TestStrikeLater is of faults that strike while the function runs: its context is
// cancelled, and it has returned before they do.
func TestStrikeLater(t *testing.T) {
	for _, kind := range []supervisetest.FaultKind{supervisetest.Error, supervisetest.Panic, supervisetest.Goexit} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cause error
				b := &bench{fault: later(kind)}
				b.fn = func(ctx context.Context) error {
					if len(b.calls) > 1 {
						return nil
					}
					<-ctx.Done()
					time.Sleep(time.Second)
					cause = context.Cause(ctx)
					return errors.Join(ctx.Err(), errBoom)
				}
				if took, err := b.run(t); err != nil || took != 2*time.Second {
					t.Errorf("%v after %v", err, took)
				}
				injected(t, cause, kind)
				if err := b.crash(t); kind == supervisetest.Goexit {
					if !errors.Is(err, supervise.ErrGoexit) {
						t.Error(err)
					}
				} else if i := injected(t, err, kind); !errors.Is(i.Returned, errBoom) || errors.Is(err, errBoom) {
					t.Errorf("returned: %v", i.Returned)
				}
			})
		})
	}
}

// TestReturned is of what a function may return when a fault has cancelled it.
func TestReturned(t *testing.T) {
	for name, c := range map[string]struct {
		returns func(context.Context) error
		real    bool
	}{
		"nothing":                  {func(context.Context) error { return nil }, false},
		"the error of the context": {func(ctx context.Context) error { return ctx.Err() }, false},
		"its cause":                {context.Cause, false},
		"the cause, wrapped": {func(ctx context.Context) error {
			return wrapError{errors.Join(context.DeadlineExceeded, context.Cause(ctx))}
		}, false},
		"an error":                {func(context.Context) error { return errBoom }, true},
		"an error beside":         {func(ctx context.Context) error { return errors.Join(ctx.Err(), errBoom) }, true},
		"an error with an Unwrap": {func(context.Context) error { return wrapError{} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []supervisetest.FaultKind{supervisetest.Error, supervisetest.Exit} {
				synctest.Test(t, func(t *testing.T) {
					b := &bench{fault: later(kind), opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}}
					b.fn = func(ctx context.Context) error {
						<-ctx.Done()
						return c.returns(ctx)
					}
					took, err := b.run(t)
					if took != time.Second {
						t.Errorf("it took %v", took)
					}
					switch kind {
					case supervisetest.Error:
						if i := injected(t, err, kind); (i.Returned != nil) != c.real {
							t.Errorf("returned: %v", i.Returned)
						}
					case supervisetest.Exit:
						if (err != nil) != c.real || errors.Is(err, supervisetest.ErrInjected) {
							t.Errorf("%v", err)
						}
					}
				})
			}
		})
	}
}

// wrapError is an error that wraps another one, or none.
type wrapError struct{ inner error }

func (wrapError) Error() string   { return "wrapped" }
func (e wrapError) Unwrap() error { return e.inner }

// TestNotStruck is of a function that ends in its own way before the fault, or at its
// instant.
func TestNotStruck(t *testing.T) {
	for _, takes := range []time.Duration{0, time.Second - 1} {
		for name, end := range map[string]func() error{
			"nil": func() error { return nil }, "error": func() error { return errBoom },
			"panic": func() error { panic(errBoom) }, "goexit": func() error { runtime.Goexit(); return nil },
		} {
			synctest.Test(t, func(t *testing.T) {
				b := &bench{fault: later(supervisetest.Hang), opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}}
				b.fn = func(context.Context) error {
					time.Sleep(takes)
					return end()
				}
				if took, err := b.run(t); took != takes || (name == "nil") != (err == nil) || errors.Is(err, supervisetest.ErrInjected) || b.faults.Injected() != nil {
					t.Errorf("%s: %v after %v", name, err, took)
				}
			})
		}
	}
}

// TestPanicWhenCancelled is of a function whose own fault shows when one is injected.
func TestPanicWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{fault: later(supervisetest.Exit), opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}}
		b.fn = func(ctx context.Context) error {
			<-ctx.Done()
			panic(errBoom)
		}
		var p *supervise.PanicError
		if _, err := b.run(t); !errors.As(err, &p) || p.Value != any(errBoom) {
			t.Errorf("%v", err)
		}
	})
}

func TestExit(t *testing.T) {
	for _, fault := range []supervisetest.Fault{first(supervisetest.Exit), later(supervisetest.Exit)} {
		synctest.Test(t, func(t *testing.T) {
			b := &bench{fault: fault}
			if took, err := b.run(t); err != nil || took != time.Duration(len(b.calls))*time.Second {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
}

// TestErrIsForThePolicy has a policy give up on an injected error.
func TestErrIsForThePolicy(t *testing.T) {
	for _, kind := range []supervisetest.FaultKind{supervisetest.Error, supervisetest.Panic} {
		synctest.Test(t, func(t *testing.T) {
			b := &bench{opts: []supervise.RunOption{supervise.WithPolicy(policy.Compose(policy.Constant(time.Second), policy.PermanentErrors(errBoom)))}}
			b.fault = supervisetest.Fault{Kind: kind, Run: 1, Err: errBoom}
			if took, err := b.run(t); !errors.Is(err, supervise.ErrGaveUp) || !errors.Is(err, errBoom) || took != 0 {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
}

// marker is what a run is marked through.
type marker struct{ marks int }

func (m *marker) MarkInjected() { m.marks++ }

// TestRunsAreMarked checks that a run is marked if it is struck, and not if it is not.
func TestRunsAreMarked(t *testing.T) {
	for kind := supervisetest.Error; kind <= supervisetest.LateReady; kind++ {
		synctest.Test(t, func(t *testing.T) {
			f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: kind, Run: 2})
			t.Cleanup(f.Close)
			var marks []int
			time.AfterFunc(time.Minute, f.Release)
			_ = supervise.Run(stopAfter(t, time.Hour), func(ctx context.Context) error {
				m := &marker{}
				defer func() { marks = append(marks, m.marks) }()
				info, _ := supervise.FromContext(ctx)
				return f.Wrap(func(ctx context.Context) error {
					if info.Run == 3 {
						return serve(ctx)
					}
					return errBoom
				})(context.WithValue(ctx, inject.Key{}, m))
			}, quiet, atOnce, supervise.WithRestart(supervise.Always))
			if !slices.Equal(marks, []int{0, 1, 0}) {
				t.Errorf("%v: marked %v", kind, marks)
			}
		})
	}
}

// TestEachKindInATree strikes each kind in a supervisor, and holds it to the rules.
func TestEachKindInATree(t *testing.T) {
	for kind := supervisetest.Error; kind <= supervisetest.LateReady; kind++ {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: kind, Run: 2, Path: "root/a"})
				t.Cleanup(f.Close)
				var checker supervisetest.Checker
				var recorder supervisetest.Recorder
				s := supervise.New("root", quiet, second, supervise.WithStopTimeout(time.Second), supervise.WithWatchdog(time.Minute),
					supervise.WithReadyTimeout(time.Minute), supervise.WithObserver(&checker), supervise.WithObserver(&recorder))
				for _, name := range []string{"a", "b"} {
					s.Add(name, f.Wrap(func(ctx context.Context) error {
						supervise.Ready(ctx)
						for range 30 {
							supervise.Alive(ctx)
							select {
							case <-ctx.Done():
								return ctx.Err()
							case <-time.After(time.Second):
							}
						}
						return errBoom
					}))
				}
				time.AfterFunc(5*time.Minute, f.Release)
				err := s.Run(stopAfter(t, 10*time.Minute))
				if broken := checker.Finish(); broken != nil || !errors.Is(err, errStop) {
					t.Errorf("%v\n%v\n%v", err, broken, &recorder)
				}
				if i := f.Injected(); len(i) != 1 || i[0].Kind != kind || i[0].Task != "root/a" {
					t.Errorf("injected: %v", i)
				}
			})
		})
	}
}
