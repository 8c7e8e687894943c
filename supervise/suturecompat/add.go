package suturecompat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/holdfast-go/holdfast/supervise"
)

// Add adds a service to a supervisor as suture's Add does: it is named by [Name], and the
// supervisor forgets it once it has returned DoNotRestart, so that services may come and go
// in great numbers. If its name is taken a number is added, such as in conn#2; it is not
// the same in the next life of the process if the services are added in another order. So
// with [supervise.WithStore] names should be unique.
//
// The restart among opts has no effect: it is [supervise.OnCrash]. It returns an error,
// and adds nothing, if the supervisor is being stopped ([supervise.ErrStopping]), and
// panics if s or svc is nil.
func (a *Adapter) Add(s *supervise.Supervisor, svc Service, opts ...supervise.TaskOption) (*supervise.Task, error) {
	m := &member{serve: a.Func(svc), added: make(chan struct{})}
	opts = append(slices.Clip(opts), supervise.WithRestart(supervise.OnCrash))
	base := Name(svc)
	for name := base; ; name = fmt.Sprintf("%s#%d", base, a.twins.Add(1)+1) {
		t, err := s.TryAdd(name, m.run, opts...)
		if errors.Is(err, supervise.ErrDuplicate) {
			continue
		}
		m.task = t
		close(m.added)
		return t, err
	}
}

// Name returns a name for the task of a service: what its String method returns, or its
// type, such as main.counter, if it has none. It never prints the fields of a service, as
// suture does, since they may be secret. A slash, which separates the names in a path,
// becomes a low line.
func Name(svc Service) string {
	name := ""
	if s, ok := svc.(fmt.Stringer); ok {
		name = s.String()
	}
	if name == "" {
		name = strings.TrimLeft(fmt.Sprintf("%T", svc), "*")
	}
	return strings.ReplaceAll(name, "/", "_")
}

// member is a service that a supervisor forgets when it is done.
type member struct {
	serve   func(context.Context) error
	added   chan struct{} // closed when task is set
	task    *supervise.Task
	leaving atomic.Bool // forget is under way
}

func (m *member) run(ctx context.Context) error {
	err := m.serve(ctx)
	if err == nil && ctx.Err() == nil && m.leaving.CompareAndSwap(false, true) {
		<-m.added // Add may not have returned yet
		go m.forget(m.task.Done())
	}
	return err
}

// forget removes the task once it has ended. It cannot be done in the run, where it would
// count as an operator's stop. The goroutine ends with the task: at once, unless another
// goroutine of the run makes a crash of it. There is at most one for each task.
func (m *member) forget(done <-chan struct{}) {
	<-done
	if m.task.Status().State == supervise.Ended {
		m.task.Remove()
	}
	m.leaving.Store(false)
}
