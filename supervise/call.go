package supervise

// The functions that call those of a task, below which a panic's stack is no
// longer the task's.
const (
	runFrame    = "github.com/holdfast-go/holdfast/supervise.(*worker).call"
	memberFrame = "github.com/holdfast-go/holdfast/supervise.(*runContext).member"
	admitFrame  = "github.com/holdfast-go/holdfast/supervise.(*worker).admit"
)

// call runs the function to its end, and leaves in err what that was. Goexit cannot be
// stopped, not even by recovering from a panic that came after it: this goroutine ends,
// and work's deferred function hands over to another.
func (w *worker) call(err *error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if !w.task.opts.letPanic {
			if v := recover(); v != nil {
				*err = newPanicError(v)
			}
			return
		}
		if !leavesByGoexit() {
			w.stage = gone // the process ends
		}
	}()
	*err = w.task.fn(w.run)
	returned = true
}
