package supervisetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

func record(t *testing.T, r *supervisetest.Recorder, text string) {
	for _, e := range script(t, text) {
		r.Observe(e)
	}
}

func TestRecorder(t *testing.T) {
	var r supervisetest.Recorder
	if r.All() != nil || r.Kinds("") != nil || r.String() != "" {
		t.Error("it has events before any")
	}
	record(t, &r, `
		0s r/a 1 start
		0s r/b 1 start
		1s r/a 1 crash until=2s
		2s r/a 1 release until=2s
		2s r/c/d 1 start`)
	if got := len(r.All()); got != 5 {
		t.Errorf("%d events", got)
	}
	for path, want := range map[string]string{
		"r/a": "start crash release", "r/*": "start start crash release", "r/c/...": "start", "": "start start crash release start", "r/x": "",
	} {
		var got []string
		for _, k := range r.Kinds(path) {
			got = append(got, k.String())
		}
		if strings.Join(got, " ") != want || len(r.Of(path)) != len(got) {
			t.Errorf("%q: %q", path, got)
		}
	}
	all := r.All()
	all[0].Task = "changed"
	if r.All()[0].Task != "r/a" {
		t.Error("what All returns is not a copy")
	}
}

func TestRecorderIsBounded(t *testing.T) {
	r := supervisetest.NewRecorder(supervisetest.Keep(3), nil)
	for i := range 20 {
		r.Observe(supervise.Event{Kind: supervise.KindStart, Run: uint64(i + 1), Dropped: uint64(i % 2)})
		var runs []uint64
		for _, e := range r.All() {
			runs = append(runs, e.Run)
		}
		var want []uint64
		for n := max(i-1, 1); n <= i+1; n++ {
			want = append(want, uint64(n))
		}
		if !slices.Equal(runs, want) {
			t.Fatalf("after %d events: %v", i+1, runs)
		}
	}
	// 17 are not kept, 8 of which missed one before; the first of the others did, too.
	if got := r.All()[0].Dropped; got != 17+8+1 {
		t.Errorf("%d are said to be missed", got)
	}
}

// TestBoundedRecordIsNoViolation checks what a recorder has kept of a longer story.
func TestBoundedRecordIsNoViolation(t *testing.T) {
	r := supervisetest.NewRecorder(supervisetest.Keep(2))
	record(t, r, `
		0s r/a 1 start
		1s r/a 1 crash until=2s
		2s r/a 1 release until=2s
		2s r/a 2 start
		3s r/a 2 crash last streak=2
		3s r/b 4 stop ran=1s`)
	if got := found(supervisetest.Check(r.All())); !slices.Equal(got, []string{"dropped  0"}) {
		t.Errorf("found %q", got)
	}
}

func TestWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r supervisetest.Recorder
		record(t, &r, "0s r/a 1 start")
		if e, err := r.WaitFor(t.Context(), supervise.KindStart, "r/*"); err != nil || e.Task != "r/a" {
			t.Errorf("one that has come: %v %v", e, err)
		}
		time.AfterFunc(time.Second, func() {
			record(t, &r, `
				1s r/a 1 crash until=2s
				2s r/b 2 start
				2s r/a 2 start
				3s r/a 3 start`)
		})
		start := time.Now()
		if e, err := r.WaitForN(t.Context(), 2, supervise.KindStart, "r/a"); err != nil || e.Run != 2 || time.Since(start) != time.Second {
			t.Errorf("the second one: %v %v", e, err)
		}
		if e, err := r.WaitForN(t.Context(), 3, supervise.KindStart, "r/a"); err != nil || e.Run != 3 {
			t.Errorf("the third one: %v %v", e, err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errStop)
		defer cancel()
		_, err := r.WaitFor(ctx, supervise.KindGiveUp, "r/a")
		if want := `supervisetest: waiting for "give up" of task "r/a", number 1: the test stops it`; err == nil || err.Error() != want || !errors.Is(err, errStop) {
			t.Errorf("none: %v", err)
		}
		if e, err := r.WaitFor(ctx, supervise.KindStart, "r/b"); err != nil || e.Run != 2 {
			t.Errorf("one that has come, with a context that is done: %v %v", e, err)
		}
	})
}

// TestWaitForShared has many wait while events come.
func TestWaitForShared(t *testing.T) {
	var r supervisetest.Recorder
	var wg sync.WaitGroup
	for i := range 50 {
		path := fmt.Sprint("r/", i)
		wg.Go(func() {
			if e, err := r.WaitForN(t.Context(), 3, supervise.KindStart, path); err != nil || e.Run != 3 {
				t.Errorf("%s: %v %v", path, e, err)
			}
		})
		wg.Go(func() {
			for run := range uint64(3) {
				r.Observe(supervise.Event{Kind: supervise.KindStart, Task: path, Run: run + 1})
			}
		})
	}
	wg.Wait()
}

func TestRecorderPanics(t *testing.T) {
	var r supervisetest.Recorder
	for want, f := range map[string]func(){
		"supervisetest: Keep: 0 is below 1; leave the option out": func() { supervisetest.Keep(0) },
		"supervisetest: WaitForN: 0 is below 1; the first":        func() { _, _ = r.WaitForN(t.Context(), 0, supervise.KindStart, "") },
		`supervisetest: WaitFor: the path ("a[") has`:             func() { _, _ = r.WaitFor(t.Context(), supervise.KindStart, "a[") },
		`supervisetest: Of: the path ("a[") has`:                  func() { r.Of("a[") },
	} {
		if got := panics(f); !strings.HasPrefix(got, want) {
			t.Errorf("panics with %q, want %q", got, want)
		}
	}
}

func TestTranscript(t *testing.T) {
	var r supervisetest.Recorder
	record(t, &r, `
		0s   r/a    1 start
		1.5s r/a    1 crash until=2s ran=1.5s err=lines injected
		2s   r/a    1 release until=9s forced by=ann
		2s   r/long 2 exit until=3s ran=2s
		3s   r/long 2 crash gave-up ran=2s streak=4 last
		3s   r/long 2 give-up err=boom dropped=3
		4s   r/a    2 stop ran=2s err=panics`)
	want := `
0s    r/a     run 1  start
1.5s  r/a     run 1  crash, after 1.5s, streak 1, backing off until 2s, injected: first line
2s    r/a     run 1  release, by force, by ann, backing off until 9s
2s    r/long  run 2  exit, after 2s, backing off until 3s
3s    r/long  run 2  crash, after 2s, streak 4, gave up, no run follows
…     3 events before this were missed
3s    r/long  run 2  give up: boom
4s    r/a     run 2  stop, after 2s: %!v(PANIC=Error method: Error)
`
	if got := r.String(); got != strings.TrimPrefix(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}
