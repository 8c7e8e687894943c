package suturecompat_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/suturecompat"
)

// TestFunc holds what the ends of a service mean.
func TestFunc(t *testing.T) {
	live, done := t.Context(), func() context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx
	}()
	both := errors.Join(errTerminate, errDone)
	tests := []struct {
		name     string
		ctx      context.Context
		returned error
		want     error
	}{
		{"nil", live, nil, suturecompat.ErrReturned},
		{"an error", live, errBoom, errBoom},
		{"done", live, errDone, nil},
		{"done, wrapped", live, wrapped(errDone), nil},
		{"terminate", live, errTerminate, errTerminate},
		{"both", live, both, nil},
		{"another context's", live, context.Canceled, context.Canceled},
		{"nil when stopped", done, nil, nil},
		{"done when stopped", done, errDone, nil},
		{"an error when stopped", done, errBoom, errBoom},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fn := newAdapter().Func(&script{ends: []error{tt.returned}})
			if got := fn(tt.ctx); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestZeroAdapter has no errors that mean anything.
func TestZeroAdapter(t *testing.T) {
	var a suturecompat.Adapter
	fn := a.Func(&script{ends: []error{nil, errDone}})
	if got := fn(t.Context()); got != suturecompat.ErrReturned {
		t.Errorf("nil: got %v", got)
	}
	if got := fn(t.Context()); got != errDone {
		t.Errorf("an error: got %v", got)
	}
	if got := a.Policy(atOnce); got != atOnce {
		t.Errorf("the policy is changed: %v", got)
	}
}

func TestPolicy(t *testing.T) {
	a := newAdapter()
	for _, tt := range []struct {
		inner policy.Policy
		want  string
	}{{nil, "PermanentErrors ─► Spread"}, {atOnce, "PermanentErrors ─► Constant"}} {
		if got := policy.Compose(a.Policy(tt.inner)); !strings.HasPrefix(text(got), tt.want) {
			t.Errorf("got %v, want %s…", got, tt.want)
		}
	}
}

func text(p policy.Policy) string { return p.(interface{ String() string }).String() }

// TestTerminate ends a tree from a service at the bottom, and stops the others.
func TestTerminate(t *testing.T) {
	for _, optional := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := newAdapter()
			db := supervise.New("db")
			bottom, beside, above := &script{name: "bottom", ends: []error{nil, wrapped(errTerminate)}}, &script{name: "beside"}, &script{name: "above"}
			root := supervise.New("root", supervise.WithPolicy(a.Policy(atOnce)), quiet)
			for _, add := range []struct {
				s   *supervise.Supervisor
				svc suturecompat.Service
			}{{db, beside}, {db, bottom}, {root, above}} {
				if _, err := a.Add(add.s, add.svc); err != nil {
					t.Fatal(err)
				}
			}
			opts := []supervise.TaskOption{}
			if optional {
				opts = append(opts, supervise.Optional())
			}
			root.Add("db", db.Run, opts...)

			ctx, cancel := context.WithCancelCause(t.Context())
			result := make(chan error, 1)
			go func() { result <- root.Run(ctx) }()
			synctest.Wait()
			if bottom.runs != 2 || beside.runs != 1 || above.runs != 1 {
				t.Errorf("runs: %d %d %d, want 2 1 1", bottom.runs, beside.runs, above.runs)
			}
			if got := root.Task("root/db").Status().State; got != supervise.GaveUp {
				t.Errorf("root/db is %v", got)
			}
			if up := root.Task("root/above").Status().State == supervise.Running; up != optional {
				t.Errorf("root/above runs: %t", up)
			}
			cancel(errStop)
			err := <-result
			if optional && err != errStop {
				t.Errorf("an optional branch: got %v", err)
			}
			if !optional && (!errors.Is(err, supervise.ErrGaveUp) || !errors.Is(err, errTerminate) || errors.Is(err, errStop)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestReturnIsCounted holds a service that returns nil again and again, as it does one
// that fails.
func TestReturnIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := &script{name: "returns", ends: make([]error, 4)}
		root := supervise.New("root", quiet, supervise.WithPolicy(policy.Compose(atOnce, policy.MaxCrashes(3, 1e9))))
		if _, err := newAdapter().Add(root, svc); err != nil {
			t.Fatal(err)
		}
		if err := root.Run(t.Context()); !errors.Is(err, suturecompat.ErrReturned) || svc.runs != 4 {
			t.Errorf("got %v after %d runs", err, svc.runs)
		}
	})
}

func TestNilService(t *testing.T) {
	defer func() {
		if got, _ := recover().(string); !strings.Contains(got, "svc is nil") {
			t.Errorf("got panic %q", got)
		}
	}()
	_, _ = newAdapter().Add(supervise.New("root"), nil)
}

// leaves is the names of the tasks of a supervisor.
func leaves(s *supervise.Supervisor) []string {
	var names []string
	for task := range s.Tasks() {
		names = append(names, task.Name())
	}
	slices.Sort(names)
	return names
}
