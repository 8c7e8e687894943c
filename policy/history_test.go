package policy_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

func TestHistoryOfNothing(t *testing.T) {
	var h policy.History
	for name, h := range map[string]policy.History{"zero": h, "fresh": h.Fresh()} {
		if h.Err() != nil || h.Ran() != 0 || h.Streak() != 0 || h.Crashes() != 0 || !h.Now().IsZero() ||
			h.LastDelay() != 0 || h.Looping() || h.Running() || h.Trips() != 0 {
			t.Errorf("%s: it is not empty", name)
		}
		for _, k := range []int{-1, 0, 1, 1 << 40} {
			if d, ok := h.Since(k); ok || d != 0 {
				t.Errorf("%s: Since(%d) = %v, %t", name, k, d, ok)
			}
			if d, ok := h.SinceAny(k); ok || d != 0 {
				t.Errorf("%s: SinceAny(%d) = %v, %t", name, k, d, ok)
			}
		}
	}
}

func TestHistory(t *testing.T) {
	var log history.Log
	log.Seed(1)
	log.ObserveStart(at(0))
	log.ObserveCrash(at(1), errConfig)
	apply(&log, loop(10))
	log.ObserveStart(at(20))
	if !view(&log).Running() {
		t.Error("Running = false in a run")
	}
	log.ObserveCrash(at(22), errCrash)
	apply(&log, loop(10))
	log.ObserveCrash(at(25), errCrash)

	h := view(&log)
	if h.Err() != errCrash || h.Ran() != 0 || h.Streak() != 3 || h.Crashes() != 3 || !h.Now().Equal(at(25)) ||
		h.LastDelay() != sec(10) || !h.Looping() || h.Running() || h.Trips() != 2 {
		t.Errorf("err %v, ran %v, streak %d of %d, now %v, last delay %v, looping %t, running %t, trips %d",
			h.Err(), h.Ran(), h.Streak(), h.Crashes(), h.Now(), h.LastDelay(), h.Looping(), h.Running(), h.Trips())
	}
	f := h.Fresh()
	if f.Err() != errCrash || f.Streak() != 1 || f.Crashes() != 3 || !f.Now().Equal(at(25)) || f.LastDelay() != 0 || f.Looping() || f.Trips() != 0 || f.Rand() != h.Rand() {
		t.Errorf("fresh: err %v, streak %d of %d, now %v, last delay %v, looping %t, trips %d",
			f.Err(), f.Streak(), f.Crashes(), f.Now(), f.LastDelay(), f.Looping(), f.Trips())
	}
	for k, want := range map[int]time.Duration{1: 0, 2: sec(3), 3: sec(24)} {
		if got, ok := h.Since(k); !ok || got != want {
			t.Errorf("Since(%d) = %v, %t, want %v", k, got, ok, want)
		}
		if got, ok := f.SinceAny(k); !ok || got != want {
			t.Errorf("fresh: SinceAny(%d) = %v, %t, want %v", k, got, ok, want)
		}
	}
	if _, ok := f.Since(2); ok {
		t.Error("fresh: a second crash is known")
	}
	if h.Streak() != 3 {
		t.Error("Fresh has changed the history that it was asked of")
	}
}

// TestAPolicyCannotChangeItsHistory builds policies that try, which do not compile,
// and one that only reads, which does.
func TestAPolicyCannotChangeItsHistory(t *testing.T) {
	build := func(dir string) (string, error) {
		out, err := exec.Command("go", "build", "-gcflags=-e", "./"+filepath.Join("testdata", dir)).CombinedOutput()
		return string(out), err
	}
	if out, err := build("reads"); err != nil {
		t.Fatalf("a policy that only reads: %v\n%s", err, out)
	}
	out, err := build("writes")
	if err == nil {
		t.Fatal("policies that change their history compile")
	}
	for _, want := range []string{
		"h.Reset undefined", "h.Apply undefined", "h.Seed undefined", "h.Load undefined", "h.ObserveCrash undefined",
		"h.log undefined", "h.fresh undefined", "cannot assign to h.Streak()", "cannot assign to h.Fresh()",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no fault %q in\n%s", want, out)
		}
	}
}
