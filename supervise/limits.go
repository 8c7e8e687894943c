package supervise

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// Ready says that the run which ctx belongs to has started up; see
// [WithReadyTimeout]. Only the first call in a run counts. Outside a run it does
// nothing. Safe for concurrent use.
func Ready(ctx context.Context) {
	if c, ok := ctx.Value(runKey{}).(*runContext); ok {
		c.ready()
	}
}

func (c *runContext) ready() {
	w, t := c.worker, c.worker.task
	if !t.slow() {
		return
	}
	t.mu.Lock()
	effect := t.life.Step(machine.LifeInput{Kind: machine.Ready, Worker: w.number, Run: c.run})
	if effect&machine.Tell != 0 && w.env.tree != nil {
		w.env.tree.s.post(t, machine.Input{Kind: machine.IsReady, Serial: w.serial}, nil)
	}
	t.mu.Unlock()
	if effect&machine.Tell != 0 {
		c.limits.started(w)
	}
}

// Alive says that the run which ctx belongs to makes progress; see
// [WithWatchdog]. Without a watchdog, or outside a run, it does nothing. Safe for
// concurrent use.
func Alive(ctx context.Context) {
	if c, ok := ctx.Value(runKey{}).(*runContext); ok && c.limits != nil && c.limits.silence > 0 {
		c.limits.alive()
	}
}

// limits are the times that a run is given.
type limits struct {
	silence time.Duration // that the watchdog allows; 0 without one

	mu       sync.Mutex // guards what follows; nothing else runs under it
	last     time.Time  // sign of life
	watchdog *time.Timer
	startup  *time.Timer // nil once the run is ready, and for one that need not be in time
	permit   bool        // to start up, which is to be given back
	ended    bool
}

// limit sets the limits of the run that begins now.
func (w *worker) limit(now time.Time) {
	c, o := w.run, w.task.opts
	if o.silence == 0 && !w.task.slow() {
		w.givePermit() // it counts as started
		return
	}
	l := &limits{silence: o.silence, last: now, permit: w.permit && w.task.slow()}
	w.task.mu.Lock()
	c.limits = l
	w.task.mu.Unlock()
	if !l.permit {
		w.givePermit()
	}
	w.permit = false
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.silence > 0 {
		l.watchdog = time.AfterFunc(o.silence, func() { l.look(c) })
	}
	if o.readyTimeout > 0 {
		l.startup = time.AfterFunc(o.readyTimeout, func() { l.tardy(c) })
	}
}

func (l *limits) alive() {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = now
}

// look is called when the last sign of life known so far is too old. It is one timer:
// while signs come it fires once per limit, sees that they came, and is armed again.
func (l *limits) look(c *runContext) {
	l.mu.Lock()
	left := l.silence - time.Since(l.last)
	if left > 0 && !l.ended {
		l.watchdog.Reset(left)
	}
	bites := left <= 0 && !l.ended
	l.mu.Unlock()
	if bites {
		c.fault(machine.Silence, ErrWatchdog)
	}
}

func (l *limits) tardy(c *runContext) {
	c.fault(machine.Tardy, ErrNotReady)
	l.started(c.worker)
}

// started ends the time in which the run starts up.
func (l *limits) started(w *worker) {
	l.mu.Lock()
	permit := l.permit
	l.permit = false
	if l.startup != nil {
		l.startup.Stop()
		l.startup = nil
	}
	l.mu.Unlock()
	if permit {
		w.env.permits().Release(1)
	}
}

// endLimits ends the limits of the run that has ended.
func (w *worker) endLimits() {
	l := w.run.limits
	if l == nil {
		return
	}
	l.mu.Lock()
	l.ended = true
	if l.watchdog != nil {
		l.watchdog.Stop()
	}
	l.mu.Unlock()
	l.started(w)
}

// lastSign returns when the run last showed a sign of life, or the zero time.
func (l *limits) lastSign() time.Time {
	if l == nil || l.silence == 0 {
		return time.Time{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
