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
	if !ok || !c.startup.done() {
		return
	}
	if w := c.worker; w.tree != nil {
		w.tree.post(notice{kind: taskReady, worker: w})
	}
}

// startup is the time from the start of a run until it is ready. A nil one is of
// a run that need not tell.
type startup struct {
	cancel func(error)

	mu     sync.Mutex
	phase  startupPhase
	timer  *time.Timer // nil if it may take as long as it likes
	permit func()      // gives the permit to start back; nil if there is none
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
	if limit == 0 {
		if permit != nil {
			permit() // it counts as started
		}
		return nil
	}
	s := &startup{cancel: cancel, permit: permit}
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

// done enters that the run is ready, and reports whether that is news.
func (s *startup) done() bool { return s == nil || s.leave(isReady) == starting }

// end enters that the run has ended, and reports whether it was too late to be
// ready.
func (s *startup) end() (late bool) { return s != nil && s.leave(hasEnded) == tooLate }
