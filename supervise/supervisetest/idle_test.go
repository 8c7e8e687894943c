package supervisetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

func TestHang(t *testing.T) {
	limit := supervise.WithStopTimeout(time.Second)
	release, closes := map[time.Duration]op{time.Minute: (*supervisetest.Faults).Release}, map[time.Duration]op{time.Minute: (*supervisetest.Faults).Close}
	for _, c := range []struct {
		name  string
		bench bench
		took  time.Duration
		want  func(error) bool
	}{
		{"past its context", bench{fault: first(supervisetest.Hang), opts: []supervise.RunOption{limit}}, time.Hour + time.Second,
			func(err error) bool { return errors.Is(err, supervise.ErrAbandoned) }},
		{"in the midst of a run", bench{fault: later(supervisetest.Hang), opts: []supervise.RunOption{limit}}, time.Hour + time.Second,
			func(err error) bool { return errors.Is(err, supervise.ErrAbandoned) }},
		{"until it is released", bench{fault: first(supervisetest.Hang), release: release, opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}}, time.Minute,
			func(err error) bool { return errors.Is(err, supervisetest.ErrInjected) }},
		{"until faults are closed", bench{fault: later(supervisetest.Hang), release: closes, opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}}, time.Minute,
			func(err error) bool { return errors.Is(err, supervisetest.ErrInjected) }},
		{"for a time", bench{fault: supervisetest.Fault{Kind: supervisetest.Hang, Run: 1, For: supervisetest.Fixed(2 * time.Hour)}}, 2 * time.Hour,
			func(err error) bool { return errors.Is(err, errStop) && errors.Is(err, supervisetest.ErrInjected) }},
		{"for no time", bench{fault: supervisetest.Fault{Kind: supervisetest.Hang, Run: 1, For: supervisetest.Fixed(0)}}, time.Hour,
			func(err error) bool { return err == errStop }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if took, err := c.bench.run(t); took != c.took || !c.want(err) {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}

// TestCloseBeforeAHang closes faults when one has struck, and does not hang yet.
func TestCloseBeforeAHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{fault: later(supervisetest.Hang), opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}}
		b.fn = func(ctx context.Context) error {
			<-ctx.Done()
			b.faults.Close()
			b.faults.Close()
			return nil
		}
		if took, err := b.run(t); !errors.Is(err, supervisetest.ErrInjected) || took != time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestReleaseIsOfThoseUnderWay is of a hang that begins after a Release.
func TestReleaseIsOfThoseUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := (*supervisetest.Faults).Release
		b := &bench{fault: supervisetest.Fault{Kind: supervisetest.Hang, Rate: 1}, release: map[time.Duration]op{time.Minute: release, 3 * time.Minute: (*supervisetest.Faults).Close}}
		b.fn = func(context.Context) error { return nil }
		if took, err := b.run(t); err != nil || took != 3*time.Minute || len(b.faults.Injected()) != 2 {
			t.Errorf("%v after %v; injected: %v", err, took, b.faults.Injected())
		}
	})
}

// TestFaultsOfNoBubble has faults hang that were made outside of the bubble.
func TestFaultsOfNoBubble(t *testing.T) {
	f := supervisetest.NewFaults(1, first(supervisetest.Hang))
	synctest.Test(t, func(t *testing.T) {
		b := &bench{faults: f, release: map[time.Duration]op{time.Minute: (*supervisetest.Faults).Release}, opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}}
		if took, _ := b.run(t); took != time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

// TestNothingOfABubbleIsLeft uses faults in a bubble, and then outside of it, where the
// bubble's channels must not be closed.
func TestNothingOfABubbleIsLeft(t *testing.T) {
	f := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Hang, Run: 1, For: supervisetest.Fixed(time.Second)})
	fn := f.Wrap(nothing)
	synctest.Test(t, func(t *testing.T) {
		if err := supervise.Run(t.Context(), fn, supervise.WithRestart(supervise.Never), quiet); !errors.Is(err, supervisetest.ErrInjected) {
			t.Error(err)
		}
		if err := f.Wait(t.Context(), 1); err != nil {
			t.Error(err)
		}
		if err := f.Wait(stopAfter(t, time.Second), 2); !errors.Is(err, errStop) {
			t.Error(err)
		}
	})
	f.Release()
	done := make(chan error)
	go func() { done <- supervise.Run(t.Context(), fn, supervise.WithRestart(supervise.Never), quiet) }()
	if err := f.Wait(t.Context(), 2); err != nil {
		t.Error(err)
	}
	f.Close()
	<-done
}

func TestSilence(t *testing.T) {
	watchdog := supervise.WithWatchdog(10 * time.Second)
	alive := func(ctx context.Context) error {
		for {
			supervise.Alive(ctx)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
		}
	}
	for _, c := range []struct {
		name  string
		bench bench
		took  time.Duration
		want  error
	}{
		{"the watchdog bites", bench{fault: first(supervisetest.Silence), opts: []supervise.RunOption{watchdog, supervise.WithRestart(supervise.Never)}}, 10 * time.Second, supervise.ErrWatchdog},
		{"the watchdog bites later", bench{fault: later(supervisetest.Silence), fn: alive, opts: []supervise.RunOption{watchdog, supervise.WithRestart(supervise.Never)}}, 10 * time.Second, supervise.ErrWatchdog},
		{"no watchdog", bench{fault: first(supervisetest.Silence)}, time.Hour, errStop},
		{"for a time", bench{fault: supervisetest.Fault{Kind: supervisetest.Silence, Run: 1, For: supervisetest.Fixed(time.Minute)}, opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}}, time.Minute, supervisetest.ErrInjected},
		{"until it is released", bench{fault: first(supervisetest.Silence), opts: []supervise.RunOption{supervise.WithRestart(supervise.Never)}, release: map[time.Duration]op{time.Minute: (*supervisetest.Faults).Release}}, time.Minute, supervisetest.ErrInjected},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, err := c.bench.run(t)
				late := took - c.took // the last sign of life may have been up to a second ago
				if late < 0 || late > time.Second || !errors.Is(err, c.want) || c.want == errStop && err != errStop {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}

func TestLateReady(t *testing.T) {
	limit := supervise.WithReadyTimeout(10 * time.Second)
	ready := func(ctx context.Context) error {
		supervise.Ready(ctx)
		return serve(ctx)
	}
	for _, c := range []struct {
		name   string
		bench  bench
		called time.Duration
		want   error // of the crash; nil for none
	}{
		{"in time", bench{fault: supervisetest.Fault{Kind: supervisetest.LateReady, Run: 1, For: supervisetest.Fixed(9 * time.Second)}}, 9 * time.Second, nil},
		{"too late", bench{fault: supervisetest.Fault{Kind: supervisetest.LateReady, Run: 1, For: supervisetest.Fixed(11 * time.Second)}}, 10 * time.Second, supervise.ErrNotReady},
		{"never", bench{fault: first(supervisetest.LateReady)}, 10 * time.Second, supervise.ErrNotReady},
		{"until it is released", bench{fault: first(supervisetest.LateReady), release: map[time.Duration]op{time.Second: (*supervisetest.Faults).Release}}, time.Second, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &c.bench
				b.fn, b.opts = ready, append(b.opts, limit)
				if _, err := b.run(t); err != errStop || len(b.calls) != 1 || b.calls[0] != c.called {
					t.Errorf("%v; called at %v", err, b.calls)
				}
				crashed := slices.Contains(b.recorder.Kinds("x"), supervise.KindCrash)
				if crashed != (c.want != nil) || crashed && !errors.Is(b.crash(t), c.want) {
					t.Errorf("%v", b.recorder)
				}
			})
		})
	}
}
