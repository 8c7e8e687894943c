package supervisetest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

// TestPlanIsDeterministic asks for the same plans in another order, from many
// goroutines, and of faults that were made anew.
func TestPlanIsDeterministic(t *testing.T) {
	type run struct {
		task string
		run  uint64
	}
	var runs []run
	for task := range 20 {
		for n := range uint64(50) {
			runs = append(runs, run{fmt.Sprint("root/", task), n + 1})
		}
	}
	faults := func(seed uint64) *supervisetest.Faults {
		return supervisetest.NewFaults(seed,
			supervisetest.Fault{Kind: supervisetest.Panic, Rate: 0.2},
			supervisetest.Fault{Kind: supervisetest.Error, Rate: 0.2})
	}
	plans := func(f *supervisetest.Faults, runs []run) map[run]supervisetest.FaultKind {
		var mu sync.Mutex
		var wg sync.WaitGroup
		all := map[run]supervisetest.FaultKind{}
		for chunk := range slices.Chunk(runs, 100) {
			wg.Go(func() {
				for _, r := range chunk {
					if fault, ok := f.Plan(r.task, r.run); ok {
						mu.Lock()
						all[r] = fault.Kind
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		return all
	}
	want := plans(faults(42), runs)
	rand.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	again := faults(42)
	for range 2 {
		if got := plans(again, runs); !reflect.DeepEqual(got, want) {
			t.Fatal("the same seed gives other faults")
		}
	}
	if got := plans(faults(43), runs); reflect.DeepEqual(got, want) {
		t.Error("another seed gives the same faults")
	}
	// 0.2 of 1000, and 0.2 of the rest; the standard deviations are below 13.
	count := map[supervisetest.FaultKind]int{}
	for _, kind := range want {
		count[kind]++
	}
	if p, e := count[supervisetest.Panic], count[supervisetest.Error]; p < 140 || p > 260 || e < 100 || e > 220 {
		t.Errorf("%d panics and %d errors of 1000 runs", p, e)
	}
}

// TestPlanIsStable holds what a seed means: seeds that are written down stay good.
func TestPlanIsStable(t *testing.T) {
	f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Error, Rate: 0.25})
	var struck []uint64
	for run := range uint64(20) {
		if _, ok := f.Plan("root/db", run+1); ok {
			struck = append(struck, run+1)
		}
	}
	if want := []uint64{4, 6, 7, 8, 10, 17, 19}; !slices.Equal(struck, want) {
		t.Errorf("runs %v are struck, and were %v", struck, want)
	}
}

// TestSameFaultsWhateverTheOrder runs tasks under one seed, in a storm of other things.
func TestSameFaultsWhateverTheOrder(t *testing.T) {
	play := func(tasks []int) (struck []string) {
		synctest.Test(t, func(t *testing.T) {
			f := supervisetest.NewFaults(7, supervisetest.Fault{Kind: supervisetest.Error, Rate: 0.5, After: supervisetest.Uniform(0, time.Second)})
			s := supervise.New("root", quiet, atOnce, supervise.Unordered())
			for _, i := range tasks {
				s.Add(fmt.Sprint(i), f.Wrap(func(ctx context.Context) error {
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(2 * time.Second):
						return errBoom
					}
				}))
			}
			_ = s.Run(stopAfter(t, time.Minute+time.Millisecond))
			for _, i := range f.Injected() {
				if i.Run <= 20 { // by then the minute may be over
					struck = append(struck, fmt.Sprint(i.Task, " ", i.Run))
				}
			}
		})
		slices.Sort(struck)
		return struck
	}
	want := play([]int{1, 2, 3, 4, 5})
	if got := play([]int{5, 3, 1, 2, 4}); len(want) < 20 || !slices.Equal(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
}

func TestFaultSelection(t *testing.T) {
	for _, c := range []struct {
		fault supervisetest.Fault
		want  string
	}{
		{supervisetest.Fault{Kind: supervisetest.Error, Rate: 1}, "a1 a2 b1 b2"},
		{supervisetest.Fault{Kind: supervisetest.Error, Rate: 1, Path: "root/a"}, "a1 a2"},
		{supervisetest.Fault{Kind: supervisetest.Error, Run: 2}, "a2 b2"},
		{supervisetest.Fault{Kind: supervisetest.Error, Run: 2, Path: "root/b"}, "b2"},
		{supervisetest.Fault{Kind: supervisetest.Error, Run: 2, Rate: 1e-300}, ""},
	} {
		f := supervisetest.NewFaults(1, c.fault)
		var got []string
		for _, task := range []string{"a", "b"} {
			for run := range uint64(2) {
				if _, ok := f.Plan("root/"+task, run+1); ok {
					got = append(got, fmt.Sprint(task, run+1))
				}
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v strikes %v, not %v", c.fault, got, c.want)
		}
	}
}

func TestFirstFaultCounts(t *testing.T) {
	f := supervisetest.NewFaults(1,
		supervisetest.Fault{Kind: supervisetest.Panic, Run: 1},
		supervisetest.Fault{Kind: supervisetest.Exit, Rate: 1})
	for run, want := range map[uint64]supervisetest.FaultKind{1: supervisetest.Panic, 2: supervisetest.Exit} {
		if fault, _ := f.Plan("x", run); fault.Kind != want {
			t.Errorf("run %d: %v", run, fault.Kind)
		}
	}
}

func TestFaultPanics(t *testing.T) {
	for want, fault := range map[string]supervisetest.Fault{
		"fault 0: Kind (0) is unknown; use one":                                          {},
		"fault 0: Kind (8) is unknown":                                                   {Kind: 8, Rate: 2},
		"fault 0: Rate and Run are both 0, so it never strikes; give":                    {Kind: supervisetest.Error},
		"fault 0: Rate (1.5) is not a probability; give one from 0":                      {Kind: supervisetest.Error, Rate: 1.5},
		"fault 0: Rate (-1) is not":                                                      {Kind: supervisetest.Error, Rate: -1},
		"fault 0: Rate (NaN) is not":                                                     {Kind: supervisetest.Error, Rate: math.NaN()},
		`fault 0: Path ("a[") has a bracket`:                                             {Kind: supervisetest.Error, Rate: 1, Path: "a["},
		"fault 0: After has no meaning for late ready, which delays the start; give For": {Kind: supervisetest.LateReady, Rate: 1, After: supervisetest.Fixed(1)},
		"fault 0: For has no meaning for panic, which takes no time; leave":              {Kind: supervisetest.Panic, Rate: 1, For: supervisetest.Fixed(1)},
		"fault 0: Err has no meaning for exit, which ends with none; leave it out":       {Kind: supervisetest.Exit, Rate: 1, Err: errBoom},
		"fault 0: Rate (2) is not a probability; give one from 0 to 1\nsupervisetest: NewFaults: fault 0: Err has no meaning for go": {Kind: supervisetest.Goexit, Rate: 2, Err: errBoom},
	} {
		if got := panics(func() { supervisetest.NewFaults(1, fault) }); !strings.HasPrefix(got, "supervisetest: NewFaults: "+want) {
			t.Errorf("panics with %q, want %q", got, want)
		}
	}
	good := supervisetest.Fault{Kind: supervisetest.Error, Rate: 1}
	if got := panics(func() { supervisetest.NewFaults(1, supervisetest.Fault{}, good, supervisetest.Fault{}) }); !strings.Contains(got, "fault 0: ") || !strings.Contains(got, "\nsupervisetest: NewFaults: fault 2: ") {
		t.Errorf("not all are named: %q", got)
	}
	if got := panics(func() { supervisetest.NewFaults(1).Wrap(nil) }); got != "supervisetest: Wrap: fn is nil; give the function to run" {
		t.Error(got)
	}
}

func TestDelays(t *testing.T) {
	draw := func(d supervisetest.Delay) []time.Duration {
		return []time.Duration{d(0), d(0.5), d(1 - 1.0/(1<<53))}
	}
	exponential := draw(supervisetest.Exponential(time.Second))
	for _, c := range []struct{ got, want []time.Duration }{
		{draw(supervisetest.Fixed(3)), []time.Duration{3, 3, 3}},
		{draw(supervisetest.Uniform(10, 20)), []time.Duration{10, 15, 19}},
		{exponential, []time.Duration{0, 693147180, exponential[2]}},
		{draw(supervisetest.Exponential(math.MaxInt64))[2:], []time.Duration{math.MaxInt64}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	if longest := exponential[2]; longest < 36*time.Second || longest > 37*time.Second {
		t.Errorf("the longest is %v", longest)
	}
	for want, f := range map[string]func(){
		"supervisetest: Fixed: -1ns is negative":                           func() { supervisetest.Fixed(-1) },
		"supervisetest: Uniform: least (-1ns) is negative":                 func() { supervisetest.Uniform(-1, 1) },
		"supervisetest: Uniform: most (1s) is not above least (1s); raise": func() { supervisetest.Uniform(time.Second, time.Second) },
		"supervisetest: Exponential: mean (0s) is not positive; raise":     func() { supervisetest.Exponential(0) },
	} {
		if got := panics(f); !strings.HasPrefix(got, want) {
			t.Errorf("panics with %q, want %q", got, want)
		}
	}
}

// TestNegativeDelay is of a user's distribution that returns one.
func TestNegativeDelay(t *testing.T) {
	f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Error, Rate: 1, After: func(float64) time.Duration { return -1 }})
	err := supervise.Run(t.Context(), f.Wrap(func(context.Context) error { return errBoom }), supervise.WithRestart(supervise.Never), quiet)
	if !errors.Is(err, supervisetest.ErrInjected) {
		t.Error(err)
	}
}

func TestOutsideARun(t *testing.T) {
	f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Error, Rate: 1})
	if err := f.Wrap(func(context.Context) error { return errBoom })(t.Context()); err != errBoom || f.Injected() != nil {
		t.Error(err)
	}
}

func TestOnOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Error, Rate: 1, After: supervisetest.Fixed(time.Second)})
		steps := []func(){func() {}, f.Off, func() {}, f.On}
		err := supervise.Run(t.Context(), f.Wrap(func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run <= uint64(len(steps)) {
				steps[info.Run-1]() // in the run that is to be struck
			} else {
				f.Off()
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Second):
				return errBoom
			}
		}), supervise.WithName("x"), atOnce, quiet)
		var runs []uint64
		for _, i := range f.Injected() {
			runs = append(runs, i.Run)
		}
		if err != nil || !slices.Equal(runs, []uint64{1, 4}) {
			t.Errorf("%v; struck: %v", err, runs)
		}
	})
}

func TestInjectedIsBounded(t *testing.T) {
	const most = 1 << 16
	runs := 0
	f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Exit, Rate: 1})
	ctx, cancel := context.WithCancel(t.Context())
	fn := f.Wrap(nothing)
	_ = supervise.Run(ctx, func(ctx context.Context) error {
		if runs++; runs == 2*most+100 {
			cancel()
		}
		return fn(ctx)
	}, supervise.WithRestart(supervise.Always), atOnce, quiet)
	if got := f.Injected(); len(got) != most || got[most-1].Run != 2*most+100 {
		t.Errorf("%d are kept, the last is %+v", len(got), got[len(got)-1])
	}
}

func TestWaitForFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Error, Rate: 1, After: supervisetest.Fixed(time.Second)})
		ctx := stopAfter(t, time.Minute+1)
		go func() { _ = supervise.Run(ctx, f.Wrap(serve), quiet, atOnce) }()
		start := time.Now()
		if err := f.Wait(ctx, 3); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if err := f.Wait(ctx, 2); err != nil {
			t.Error(err)
		}
		if err := f.Wait(ctx, 1000); !errors.Is(err, errStop) || err.Error() != "supervisetest: waiting for 1000 faults, and 60 have struck: the test stops it" {
			t.Error(err)
		}
		synctest.Wait()
	})
}

func nothing(context.Context) error { return nil }

func TestFaultKindString(t *testing.T) {
	var got []string
	for k := range supervisetest.LateReady + 2 {
		got = append(got, k.String())
	}
	if text := strings.Join(got, ", "); text != "fault(0), error, panic, goexit, exit, hang, silence, late ready, fault(8)" {
		t.Error(text)
	}
}

func TestInjectedError(t *testing.T) {
	plain := &supervisetest.InjectedError{Task: "root/db", Run: 3, Kind: supervisetest.Error}
	full := &supervisetest.InjectedError{Task: "root/db", Run: 3, Kind: supervisetest.Hang, Err: errBoom, Returned: errStop}
	for _, c := range []struct {
		err  *supervisetest.InjectedError
		text string
	}{
		{plain, `supervisetest: injected error in task "root/db", run 3`},
		{full, `supervisetest: injected hang in task "root/db", run 3: boom; cancelled for it, the function returned: the test stops it`},
	} {
		if c.err.Error() != c.text || !errors.Is(c.err, supervisetest.ErrInjected) || !c.err.Injected() {
			t.Errorf("%v", c.err)
		}
	}
	if errors.Is(plain, errBoom) || !errors.Is(full, errBoom) || errors.Is(full, errStop) {
		t.Error("it matches what it should not, or not what it should")
	}
}
