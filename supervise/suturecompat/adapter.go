package suturecompat

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/holdfast-go/holdfast/policy"
)

// ErrReturned is the error of a run whose Serve returned nil. To suture that is a failure:
// it is counted, and the service is started again.
var ErrReturned = errors.New("suturecompat: Serve returned nil, which restarts it")

// Service is suture's interface of a service.
type Service interface {
	Serve(ctx context.Context) error
}

// Adapter gives what services return the meaning it has in suture. It may serve any number
// of supervisors; a zero one restarts all services whatever they return. The fields must
// not change once it is in use, and it must not be copied then. Safe for concurrent use.
type Adapter struct {
	// DoNotRestart is the error by which a service says that it is done, as errors.Is
	// finds it: suture.ErrDoNotRestart, or one of your own.
	// Defaults to none.
	DoNotRestart error
	// Terminate is the error by which a service says that its supervisor, and those above
	// it, are to end: suture.ErrTerminateSupervisorTree, or one of your own. It has this
	// meaning only under a policy made with Policy. An error that is DoNotRestart, too,
	// is that.
	// Defaults to none.
	Terminate error

	twins atomic.Uint64 // names that were taken
}

// Func returns the function for a task that runs a service; see the package's
// documentation for what its ends mean. The task has to run under
// [supervise.OnCrash], the default: under Always a service that is done runs again. Once
// the context is done a nil return is a clean end. It panics if svc is nil.
//
// A task that is done has ended, but the supervisor still lists it, as it does any task;
// see Add.
func (a *Adapter) Func(svc Service) func(context.Context) error {
	if svc == nil {
		panic("suturecompat: Func: svc is nil; give the service to run")
	}
	return func(ctx context.Context) error {
		err := svc.Serve(ctx)
		switch {
		case err == nil && ctx.Err() == nil:
			return ErrReturned
		case err != nil && errors.Is(err, a.DoNotRestart):
			return nil
		}
		return err
	}
}

// Policy returns p with a rule added: it gives up at once on an error that is Terminate,
// which ends the supervisor with a [*supervise.GaveUpError] that matches it. Give it to the
// supervisor at the top; those below inherit it unless they have their own. The rule is
// [policy.PermanentErrors], which gives up on errors made by [policy.Permanent], too. A nil
// p is policy.Default. Without Terminate it returns p.
//
// A task under [supervise.Optional] ends by itself when it gives up. For the task that runs
// a supervisor, this is suture's DontPropagateTermination.
func (a *Adapter) Policy(p policy.Policy) policy.Policy {
	if p == nil {
		p = policy.Default()
	}
	if a.Terminate == nil {
		return p
	}
	return policy.Compose(p, policy.PermanentErrors(a.Terminate))
}
