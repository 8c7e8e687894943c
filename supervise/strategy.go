package supervise

import (
	"fmt"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// Strategy says which tasks are restarted when one crashes. They are those of
// Erlang/OTP's supervisor.
type Strategy uint8

const (
	// OneForOne restarts the task that crashed, and no other.
	OneForOne = Strategy(machine.OneForOne)
	// OneForAll stops all others, in reverse start order, waits until the gate
	// of the task that crashed opens, and starts all in start order.
	OneForAll = Strategy(machine.OneForAll)
	// RestForOne does so with the task that crashed and those after it.
	RestForOne = Strategy(machine.RestForOne)
)

var strategies = [...]string{"one for one", "one for all", "rest for one"}

// String returns the strategy in words, such as "one for all".
func (s Strategy) String() string {
	if int(s) < len(strategies) {
		return strategies[s]
	}
	return fmt.Sprintf("strategy(%d)", uint8(s))
}

type supervisorOption func(*supervisorOptions)

func (o supervisorOption) applySupervisor(to *supervisorOptions) { o(to) }

type supervisorOptions struct {
	tasks     options // defaults of the tasks
	machine   machine.Config
	maxStarts int // 0: any number
}

// WithStrategy sets the strategy.
// Defaults to [OneForOne]. An unknown one panics.
func WithStrategy(strategy Strategy) SupervisorOption {
	if strategy > RestForOne {
		panic(fmt.Sprintf("supervise: WithStrategy: strategy (%d) is unknown; use OneForOne, OneForAll or RestForOne", strategy))
	}
	return supervisorOption(func(o *supervisorOptions) { o.machine.Strategy = machine.Strategy(strategy) })
}

// WithMaxStarts bounds how many tasks start up at once, after a common crash too.
// A task is starting up from the start of its run until it calls [Ready]; one
// without [WithReadyTimeout] counts as ready at once.
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
	return supervisorOption(func(o *supervisorOptions) { o.machine.MaxAbandoned = n })
}

// Unordered stops all tasks at once when the supervisor stops, which suits large
// pools of tasks that do not depend on one another.
func Unordered() SupervisorOption {
	return supervisorOption(func(o *supervisorOptions) { o.machine.Unordered = true })
}

// AllSignificant ends the supervisor when all its [Significant] tasks have ended
// by themselves, rather than at the first; one that is [Optional] has ended when
// the policy has given up on it, too. These are OTP's auto_shutdown, all and any.
func AllSignificant() SupervisorOption {
	return supervisorOption(func(o *supervisorOptions) { o.machine.AllSignificant = true })
}

// DropDynamic forgets the tasks that were added while Run ran when it returns, so
// that the next one starts with those from before. Defaults to keeping them.
func DropDynamic() SupervisorOption {
	return supervisorOption(func(o *supervisorOptions) { o.machine.DropDynamic = true })
}
