package supervise_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

func TestOptionsPanic(t *testing.T) {
	for want, call := range map[string]func(){
		"supervise: WithName: the name is empty; leave the option out": func() { supervise.WithName("") },
		"supervise: WithStopTimeout: -1s is negative; leave":           func() { supervise.WithStopTimeout(-time.Second) },
		"supervise: WithWatchdog: 0s is not positive; give":            func() { supervise.WithWatchdog(0) },
		"supervise: WithReadyTimeout: -1ns is not positive; give":      func() { supervise.WithReadyTimeout(-1) },
		"WithPolicy has no effect beside WithGate": func() {
			_ = supervise.Run(t.Context(), failing, supervise.WithGate(new(gate.Gate)), supervise.WithPolicy(policy.Default()))
		},
		"Significant has no effect beside WithRestart(Always)": func() {
			supervise.New("root", supervise.WithRestart(supervise.Always)).Add("a", serve, supervise.Significant())
		},
	} {
		mustPanic(t, want, call)
	}
}

// TestOptionsNil: nil means what it means without the option.
func TestOptionsNil(t *testing.T) {
	err := supervise.Run(t.Context(), func(context.Context) error { return nil }, nil,
		supervise.WithPolicy(nil), supervise.WithGate(nil), supervise.WithLogger(nil), supervise.WithObserver(nil))
	if err != nil {
		t.Error(err)
	}
}

type server struct{}

func (*server) Serve(context.Context) error { return nil }

func serve(context.Context) error { return nil }

func TestDefaultName(t *testing.T) {
	for want, fn := range map[string]func(context.Context) error{
		"supervise_test.serve":           serve,
		"supervise_test.(*server).Serve": new(server).Serve,
		"supervise_test.TestDefaultName": func(context.Context) error { return nil },
	} {
		var j journal
		_ = supervise.Run(t.Context(), fn, supervise.WithObserver(&j))
		if got := j.all()[0].Task; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestLetPanic lets a task of another process panic: the process ends by it. A
// Goexit there is a crash all the same.
func TestLetPanic(t *testing.T) {
	const inChild = "HOLDFAST_TEST_LET_PANIC"
	if os.Getenv(inChild) != "" {
		runs := 0
		_ = supervise.Run(context.Background(), func(ctx context.Context) error {
			if runs++; runs == 1 {
				return exits(ctx)
			}
			panic("let it go")
		}, supervise.LetPanic(), atOnce, quiet)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestLetPanic$")
	cmd.Env = append(os.Environ(), inChild+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: let it go") || !strings.Contains(string(out), "TestLetPanic.func1") {
		t.Errorf("%v\n%s", err, out)
	}
}
