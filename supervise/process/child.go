package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"
)

// times are how long a child has for its end, counted from when it is asked to stop.
type times struct {
	kill  time.Duration // then it is killed
	drain time.Duration // then its output is no longer waited for; negative: no such limit
	grace time.Duration // what it takes at most to tidy up after that
}

// The times of a child without a stop timeout.
const (
	defaultKillAfter = 10 * time.Second
	defaultGrace     = 250 * time.Millisecond
	maxMargin        = time.Second
)

// stopTimes divides a stop timeout. The child is killed at a margin before its end. An
// eighth of the margin is for the death and the rest of the output, an eighth for what
// is stuck then, and the rest is for a machine that is busy.
func stopTimes(limit time.Duration, bounded bool) times {
	if !bounded {
		return times{kill: defaultKillAfter, drain: -1, grace: defaultGrace}
	}
	margin := min(limit/4, maxMargin)
	return times{kill: limit - margin, drain: limit - margin*7/8, grace: margin / 8}
}

// phase is how far a child has been brought to its end.
type phase uint8

const (
	running phase = iota
	asked         // to stop: SIGTERM was sent
	killed        // SIGKILL was sent, after that
)

// child is a process, and what stops it.
type child struct {
	cmd   *exec.Cmd
	log   *log
	times times
	leads bool // it leads its process group, which is sent the signals

	// patience is done when the output is no longer to be waited for, as the
	// supervisor would not wait for the run.
	patience context.Context
	hurry    context.CancelFunc

	// mu is held while a signal is sent, so that none is sent to an id that has
	// become another's. No other lock is taken under it, and no user code runs.
	mu     sync.Mutex
	phase  phase
	there  bool          // it has been started, and its id is its own
	timers []*time.Timer // of stop; nil until that is called
}

func newChild(cmd *exec.Cmd, log *log, times times) *child {
	c := &child{cmd: cmd, log: log, times: times, leads: ownGroup(cmd)}
	c.patience, c.hurry = context.WithCancel(context.Background())
	cmd.WaitDelay = 0
	if cmd.Cancel != nil { // it was made with exec.CommandContext
		cmd.Cancel = func() error {
			if !c.stop() {
				return os.ErrProcessDone
			}
			return nil
		}
	}
	return c
}

func (c *child) start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.cmd.Start()
	c.there = err == nil
	return err
}

// wait returns when the process has ended and is reaped, and what is left of its
// group is killed.
func (c *child) wait() error {
	if awaitExit(c.cmd) { // not reaped yet: the group's id is nobody else's
		c.mu.Lock()
		if c.leads {
			_ = kill(c.cmd, true)
		}
		c.there = false
		c.mu.Unlock()
	}
	err := c.cmd.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.there = false
	return err
}

// stop asks the process to stop, and has it killed later, the first time it is
// called. It returns false if the process had ended before.
func (c *child) stop() bool {
	reached, err := c.ask()
	c.report("stopped", err)
	return reached > running
}

func (c *child) ask() (phase, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timers != nil {
		return c.phase, nil
	}
	c.timers = []*time.Timer{time.AfterFunc(c.times.kill, c.kill)}
	if c.times.drain >= 0 {
		c.timers = append(c.timers, time.AfterFunc(c.times.drain, c.hurry))
	}
	if !c.there {
		return running, nil
	}
	c.phase = asked
	return asked, terminate(c.cmd, c.leads)
}

func (c *child) kill() {
	c.report("killed", c.force())
}

func (c *child) force() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.there {
		return nil
	}
	c.phase = killed
	return kill(c.cmd, c.leads)
}

// report logs that a signal could not be sent, as to a process of another user.
func (c *child) report(what string, err error) {
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		c.log.note(slog.LevelWarn, fmt.Sprintf("the process cannot be %s: %v", what, err))
	}
}

// reached returns how far the child was brought to its end.
func (c *child) reached() phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase
}

// release ends what stop has started.
func (c *child) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.timers {
		t.Stop()
	}
	c.hurry()
}
