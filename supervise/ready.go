package supervise

import (
	"context"
	"sync"
	"time"
)

// Ready tells that the run which ctx belongs to has started up; see
// [WithReadyTimeout]. Only the first call in a run counts. Outside a run it does
// nothing. Safe for concurrent use.
func Ready(ctx context.Context) {
	c, ok := ctx.Value(runKey{}).(*runContext)
	if !ok || !c.limits.ready() {
		return
	}
	if w := c.worker; w.env.tree != nil {
		w.env.tree.s.inbox.post(notice{kind: taskReady, worker: w})
	}
}

// limits are the times that a run is given. A nil one is of a run without.
type limits struct {
	watchdog *watchdog // nil without one
	startup  *startup  // nil if the run need not tell that it is ready
}

// ready enters that the run is ready, and reports whether that is news.
func (l *limits) ready() bool {
	return l == nil || l.startup == nil || l.startup.leave(isReady) == starting
}

// end enters that the run has ended, and reports whether it was too late to show
// a sign of life, or to be ready.
func (l *limits) end() (bitten, late bool) {
	if l == nil {
		return false, false
	}
	bitten = l.watchdog != nil && l.watchdog.stop()
	late = l.startup != nil && l.startup.leave(hasEnded) == tooLate
	return bitten, late
}

// startup is the time from the start of a run until it is ready.
type startup struct {
	mu     sync.Mutex
	phase  startupPhase
	timer  *time.Timer
	permit func() // gives the permit to start back; nil if there is none
}

type startupPhase uint8

const (
	starting startupPhase = iota
	isReady
	tooLate
	hasEnded
)

// newStartup returns the startup of a run that begins now.
func newStartup(limit time.Duration, permit func(), cancel func(error)) *startup {
	s := &startup{permit: permit}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(limit, func() {
		if s.leave(tooLate) == starting {
			cancel(ErrNotReady)
		}
	})
	return s
}

// leave ends the starting phase, if it has not ended, and returns the phase there
// was.
func (s *startup) leave(to startupPhase) (from startupPhase) {
	s.mu.Lock()
	from, permit := s.phase, s.permit
	if from == starting {
		s.phase, s.permit = to, nil
		s.timer.Stop()
	}
	s.mu.Unlock()
	if from == starting && permit != nil {
		permit()
	}
	return from
}
