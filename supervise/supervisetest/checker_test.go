package supervisetest_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

func TestLateStop(t *testing.T) {
	stop := supervisetest.StopTimeout
	for _, c := range []struct {
		name   string
		opts   []supervisetest.CheckOption
		before string
		after  string // Stopped at 10s
		want   []string
	}{
		{"in time, one after another", with(stop(2*time.Second, 0)), `
			0s r/a 1 start
			0s r/b 1 start
			0s r/c 1 start
			8s r/d 1 start`, `
			12s r/c 1 stop
			14s r/b 1 abandon
			14s r/d 1 crash
			15s r/b 1 return
			15s r/d 1 stop
			17s r/a 1 stop`, nil},
		{"late", with(stop(2*time.Second, 0)), `
			0s r/a 1 start
			0s r/b 1 start`, `
			12s r/b 1 abandon
			15s r/a 1 stop`, []string{"late r/a 1"}},
		{"abandoned late", with(stop(2*time.Second, time.Second)), `
			0s r/a 1 start`, `
			14s r/a 1 abandon`, []string{"late r/a 1"}},
		{"within the grace", with(stop(2*time.Second, time.Second)), `
			0s r/a 1 start`, `
			13s r/a 1 abandon`, nil},
		{"the last option that is for the task counts", with(stop(time.Second, 0), stop(9*time.Second, 0, "r/a"), stop(time.Second, 0, "r/b")), `
			0s r/a 1 start
			0s r/b 1 start`, `
			18s r/a 1 stop
			20s r/b 1 stop`, []string{"late r/b 1"}},
		{"no option is for the task", with(stop(time.Second, 0, "r/b")), `
			0s r/a 1 start`, `
			99s r/a 1 stop`, nil},
		{"for ever", with(stop(1<<63-1, 1<<63-1)), `
			0s r/a 1 start`, `
			99s r/a 1 stop`, nil},
		{"it is held", with(stop(0, 0)), `
			0s r/a 1 start
			9s r/a 1 crash until=99s`, `
			12s r/a 1 stop`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			checker := supervisetest.NewChecker(c.opts...)
			for _, e := range script(t, c.before) {
				checker.Observe(e)
			}
			checker.Stopped(noon.Add(10 * time.Second))
			for _, e := range script(t, c.after) {
				checker.Observe(e)
			}
			if err := checker.Finish(); !slices.Equal(found(err), c.want) {
				t.Errorf("found %q, want %q\n%v", found(err), c.want, err)
			}
		})
	}
}

// TestRunAgain is of a root that is stopped and run again, while a task of its is held.
func TestRunAgain(t *testing.T) {
	var c supervisetest.Checker
	observe := func(text string) {
		for _, e := range script(t, text) {
			c.Observe(e)
		}
	}
	observe(`
		0s r/a 1 start
		1s r/a 1 crash until=60s
		0s r/b 1 start
		1s r/b 1 crash until=60s`)
	c.Stopped(noon.Add(2 * time.Second))
	observe(`2s r/a 1 stop`)
	if got := found(c.Finish()); !slices.Equal(got, []string{"lost r/b 1"}) {
		t.Errorf("found %q", got)
	}
	observe(`
		3s r/a 2 start
		3s r/b 2 start
		4s r/a 2 stop
		4s r/b 2 stop`)
	if got := found(c.Finish()); len(got) != 1 {
		t.Errorf("found %q the second time", got)
	}
	if v := c.Violations(); len(v) != 1 || v[0].Rule != "lost" {
		t.Errorf("violations: %v", v)
	}
}

// TestReturnFromAnEarlierRun is of a root that is run again, while runs of the time
// before go on. Their Return is reported apart from the events of the second Run.
func TestReturnFromAnEarlierRun(t *testing.T) {
	for _, c := range []struct {
		name, returns string
		opts          []supervisetest.CheckOption
		want          []string
	}{
		{"before the next run", "5s r/a 1 return", nil, nil},
		{"in the next run", "6s r/a 1 return", nil, []string{"double r/a 1"}},
		{"in the next run, with Overlap", "6s r/a 1 return", with(supervisetest.Overlap()), nil},
		{"not at all", "", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			checker := supervisetest.NewChecker(c.opts...)
			for n, text := range []string{`
				0s r/a 1 start
				1s r/a 1 abandon err=deaf`, `
				5s r/a 2 start
				6s r/a 2 crash
				6s r/a 3 start
				` + c.returns + `
				7s r/a 3 stop`,
			} {
				for _, e := range script(t, text) {
					checker.Observe(e)
				}
				if err := checker.Finish(); n == 1 && !slices.Equal(found(err), c.want) {
					t.Errorf("found %q, want %q", found(err), c.want)
				}
			}
		})
	}
}

// TestViolationText is for whoever reads it.
func TestViolationText(t *testing.T) {
	err := supervisetest.Check(script(t, `
		0s   r/a 1 start
		1s   r/a 1 crash until=3.5s
		2s   r/a 2 start
		3s   r/b 1 start dropped=2`))
	want := `supervisetest: rule "early" is broken: task "r/a", run 2, at 12:00:02: it begins 1.5s before the end of the hold after run 1, which nobody has ended (12:00:03.5); the hold is there to spare what the task depends on, and its logs
supervisetest: rule "lost" is broken: task "r/b", run 1: the root has returned, and the run that began last is under way (12:00:03); nobody would notice that the task is gone, or that it still runs
supervisetest: rule "dropped" is broken: 2 events were missed; what an observer did not see cannot be checked; it must be fast, or want fewer kinds`
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestManyViolations(t *testing.T) {
	var c supervisetest.Checker
	for i := range 250 {
		c.Observe(supervise.Event{Kind: supervise.KindExit, Task: fmt.Sprint("r/", i), Run: 1, At: noon, Last: true})
	}
	err := c.Err()
	if n := len(c.Violations()); n != 100 || err == nil || !strings.HasSuffix(err.Error(), "and 150 violations more") {
		t.Errorf("%d are kept: %v", n, err)
	}
}

// TestCheckerShared has many goroutines report, each on a task of its own.
func TestCheckerShared(t *testing.T) {
	var c supervisetest.Checker
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			task := fmt.Sprint("r/", i)
			for run := range uint64(100) {
				c.Observe(supervise.Event{Kind: supervise.KindStart, Task: task, Run: run + 1, At: noon})
				c.Observe(supervise.Event{Kind: supervise.KindStop, Task: task, Run: run + 1, At: noon})
				_ = c.Err()
			}
		})
	}
	wg.Wait()
	if err := c.Finish(); err != nil {
		t.Error(err)
	}
}

func TestCheckOptionPanics(t *testing.T) {
	for want, f := range map[string]func(){
		`supervisetest: Except: there is no rule "doubel"; the rules are double, number,`: func() { supervisetest.Except("doubel") },
		`supervisetest: Except: the path ("a[") has a bracket`:                            func() { supervisetest.Except("double", "a[") },
		`supervisetest: Overlap: the path ("a[") has`:                                     func() { supervisetest.Overlap("a[") },
		`supervisetest: Counted: the path ("a[/...") has`:                                 func() { supervisetest.Counted("a[/...") },
		`supervisetest: StopTimeout: the path ("a\\") has`:                                func() { supervisetest.StopTimeout(0, 0, `a\`) },
		`supervisetest: StopTimeout: limit (-1ns) or grace (0s) is negative; give 0`:      func() { supervisetest.StopTimeout(-1, 0) },
	} {
		if got := panics(f); !strings.HasPrefix(got, want) {
			t.Errorf("panics with %q, want %q", got, want)
		}
	}
}
