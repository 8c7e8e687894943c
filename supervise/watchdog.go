package supervise

import (
	"sync"
	"time"
)

// watchdog cancels a run that shows no sign of life, and tells if the run does
// not end after that. It is one timer, armed for the instant at which the last
// sign would be too old: while signs come it fires once per limit, sees that
// they came, and is armed again.
type watchdog struct {
	limit time.Duration // of the time between two signs
	grace time.Duration // from the bite to the alarm; negative for no alarm
	bite  func()
	alarm func()

	mu      sync.Mutex
	last    time.Time // sign of life
	timer   *time.Timer
	bitten  bool
	stopped bool
}

func newWatchdog(limit, grace time.Duration, now time.Time, bite, alarm func()) *watchdog {
	w := &watchdog{limit: limit, grace: grace, bite: bite, alarm: alarm, last: now}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(limit, w.due)
	return w
}

func (w *watchdog) alive() {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = now
}

func (w *watchdog) due() {
	if act := w.next(); act != nil {
		act()
	}
}

// next arms the timer again, and returns what is to be done now.
func (w *watchdog) next() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch left := w.limit - time.Since(w.last); {
	case w.stopped:
		return nil
	case w.bitten:
		return w.alarm
	case left > 0:
		w.timer.Reset(left)
		return nil
	}
	w.bitten = true
	if w.grace >= 0 {
		w.timer.Reset(w.grace)
	}
	return w.bite
}

// stop ends the watch, and reports whether it had bitten. It does not bite
// after, except that a bite under way may still end.
func (w *watchdog) stop() (bitten bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
	return w.bitten
}
