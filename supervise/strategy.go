package supervise

import "fmt"

// Strategy says which tasks are restarted when one crashes. They are those of
// Erlang/OTP's supervisor. Safe for concurrent use.
type Strategy uint8

const (
	// OneForOne restarts the task that crashed, and no other.
	OneForOne Strategy = iota
	// OneForAll stops all others, in reverse start order, waits until the gate
	// of the task that crashed opens, and starts all in start order.
	OneForAll
	// RestForOne does so with the task that crashed and those after it.
	RestForOne
)

var strategies = [...]string{"one for one", "one for all", "rest for one"}

// String returns the strategy in words, such as "one for all".
func (s Strategy) String() string {
	if int(s) < len(strategies) {
		return strategies[s]
	}
	return fmt.Sprintf("strategy(%d)", uint8(s))
}

// SupervisorOption is an option of [New]. Safe for concurrent use.
type SupervisorOption interface {
	applySupervisor(*supervisorOptions)
}

type supervisorOption func(*supervisorOptions)

func (o supervisorOption) applySupervisor(to *supervisorOptions) { o(to) }

type supervisorOptions struct {
	tasks          options // defaults of the tasks
	strategy       Strategy
	maxStarts      int // 0: any number
	maxAbandoned   int // 0: any number
	unordered      bool
	allSignificant bool
	dropDynamic    bool
}

// WithStrategy sets the strategy.
// Defaults to [OneForOne]. An unknown one panics.
func WithStrategy(strategy Strategy) SupervisorOption {
	if strategy > RestForOne {
		panic(fmt.Sprintf("supervise: WithStrategy: strategy (%d) is unknown; use OneForOne, OneForAll or RestForOne", strategy))
	}
	return supervisorOption(func(o *supervisorOptions) { o.strategy = strategy })
}

// WithMaxStarts bounds how many tasks start up at once, after a common crash too.
// A task is starting up from the start of its run until it calls [Ready]; one
// without [WithReadyTimeout] is so for no time.
// Defaults to any number. An n below 1 panics.
func WithMaxStarts(n int) SupervisorOption {
	if n < 1 {
		panic(fmt.Sprintf("supervise: WithMaxStarts: %d is below 1; leave the option out for no bound", n))
	}
	return supervisorOption(func(o *supervisorOptions) { o.maxStarts = n })
}

// WithMaxAbandoned has the supervisor end, with [ErrAbandoned], when more than n
// abandoned runs of its tasks are there at once.
// Defaults to no bound. An n below 1 panics.
func WithMaxAbandoned(n int) SupervisorOption {
	if n < 1 {
		panic(fmt.Sprintf("supervise: WithMaxAbandoned: %d is below 1; leave the option out for no bound", n))
	}
	return supervisorOption(func(o *supervisorOptions) { o.maxAbandoned = n })
}

// Unordered stops all tasks at once when the supervisor stops, which suits large
// pools of tasks that do not depend on one another.
func Unordered() SupervisorOption {
	return supervisorOption(func(o *supervisorOptions) { o.unordered = true })
}

// AllSignificant ends the supervisor when all its [Significant] tasks have ended
// by themselves, rather than at the first; one that is [Optional] has ended when
// the policy has given up on it, too. These are OTP's auto_shutdown, all and any.
func AllSignificant() SupervisorOption {
	return supervisorOption(func(o *supervisorOptions) { o.allSignificant = true })
}

// DropDynamic forgets the tasks that were added while Run ran when it returns, so
// that the next one starts with those from before. Defaults to keeping them.
func DropDynamic() SupervisorOption {
	return supervisorOption(func(o *supervisorOptions) { o.dropDynamic = true })
}
