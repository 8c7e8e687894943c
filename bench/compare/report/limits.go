package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// limits are the most allocations that an operation may make.
var limits = map[figure]float64{
	own("TrackerObserveCrash/crashes=same-instant", "allocs/op"):                 0,
	own("TrackerObserveCrash/crashes=200s-apart", "allocs/op"):                   0,
	own("TrackerObserveCrash/crashes=force-released", "allocs/op"):               0,
	own("GateObserveCrash/observers=0", "allocs/op"):                             0,
	own("GateObserveCrash/observers=1", "allocs/op"):                             0,
	own("GateAdmissible/gate=held", "allocs/op"):                                 0,
	own("GateState/gate=held", "allocs/op"):                                      0,
	own("GateContended/use=ObserveCrash", "allocs/op"):                           0,
	own("Decide/policy=default", "allocs/op"):                                    0,
	own("Decide/policy=Exponential", "allocs/op"):                                0,
	own("Decide/policy=CrashLoop", "allocs/op"):                                  0,
	own("Decide/policy=StableRun", "allocs/op"):                                  0,
	own("Decide/policy=DecorrelatedJitter", "allocs/op"):                         0,
	own("Decide/policy=MaxCrashes", "allocs/op"):                                 0,
	own("Decide/policy=PermanentErrors", "allocs/op"):                            0,
	own("Restart/after=error/watched-by=otelgate-without-provider", "allocs/op"): 0,
	own("Restart/after=error/watched-by=nobody", "allocs/op"):                    0,
	own("Restart/after=panic/watched-by=nobody", "allocs/op"):                    3,
	own("Restart/after=goexit/watched-by=nobody", "allocs/op"):                   2,
	own("Restart/after=error/watched-by=function", "allocs/op"):                  3,
	own("Run", "allocs/op"):                                                      18,
	peer("Restart/after=error/lib=holdfast", "allocs/op"):                        0,
	peer("Restart/after=panic/lib=holdfast", "allocs/op"):                        3,
	peer("Decide/lib=holdfast-gate", "allocs/op"):                                0,
}

// quick runs each benchmark briefly, those of many tasks with a hundred.
func (m *measurer) quick(ctx context.Context) error {
	for _, j := range []job{
		{"bench", hot, "2000x"},
		{"bench", "^BenchmarkIdle$/^tasks=1000$", "1x"},
		{"compare", hotPeer, "2000x"},
		{"compare", "^Benchmark(Idle|Storm|Churn)$/^lib=/^tasks=100$", "1x"},
	} {
		if err := m.measure(ctx, j); err != nil {
			return err
		}
	}
	if err := m.figures.check(); err != nil {
		return err
	}
	fmt.Printf("all figures are there, and allocations within their %d limits\n", len(limits))
	return nil
}

// check returns an error for each figure that is missing, and for each that is
// above its limit.
func (f figures) check() error {
	var errs []error
	for _, t := range targets {
		for _, key := range []figure{t.a, t.b} {
			key.name = strings.NewReplacer("=100000", "=100", "=10000", "=100").Replace(key.name)
			if len(f[key]) == 0 && key != (figure{}) {
				errs = append(errs, fmt.Errorf("%s: no %s was reported", key.name, key.unit))
			}
		}
	}
	for key, limit := range limits {
		switch {
		case len(f[key]) == 0:
			errs = append(errs, fmt.Errorf("%s: no %s was reported", key.name, key.unit))
		case f.median(key) > limit:
			errs = append(errs, fmt.Errorf("%s: %g %s, want at most %g", key.name, f.median(key), key.unit, limit))
		}
	}
	return errors.Join(errs...)
}
