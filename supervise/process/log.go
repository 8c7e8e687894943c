package process

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxQueued   = 256 << 10   // bytes of records that wait for the logger, for one process
	recordCost  = 64          // bytes that a record counts for beside its text
	logPatience = time.Second // how long one call of the logger holds back the process's output
	maxLeft     = 4           // goroutines of one task that a stuck logger keeps after their runs
)

// record is what is to be logged: a line of the output, or a note about the process.
type record struct {
	level slog.Level
	text  string
	attrs []slog.Attr
}

func (r record) cost() int { return len(r.text) + recordCost }

// log passes records to the task's logger, on a goroutine of its own, the pump,
// which lives while there are records. It alone calls code of a user's: the logger may
// block, panic and call runtime.Goexit, and the process does not notice.
//
// The queue is bounded by maxQueued. A pump ends when the queue is empty. One that
// is stuck in the logger outlives its run; when maxLeft have, no other is started
// for that task.
type log struct {
	ctx     context.Context // of the run, never done
	logger  func() *slog.Logger
	command slog.Attr
	backlog *backlog

	to   *slog.Logger // the pump's own; nil until it has called logger
	next []record     // the pump's own; what it has taken

	// mu is a leaf, and no user code runs under it.
	mu      sync.Mutex
	queue   []record
	size    int           // of the queue, as cost counts it
	lost    uint64        // records dropped, just before the queue's first
	pumping chan struct{} // closed when the pump ends; nil if there is none
	taken   chan struct{} // closed when the pump takes a record; nil if nobody waits for that
	stuck   bool          // the pump has not taken a record for so long that nobody waits any more
	rushed  bool          // nobody waits any more, as the run is to end
	over    bool          // the run has ended: no more records
}

// backlog is what the runs of one task have left to be logged.
type backlog struct {
	pumps atomic.Int64  // that have outlived their runs
	lost  atomic.Uint64 // records that came after the end of a run, or of runs without a pump
}

func newLog(ctx context.Context, logger func() *slog.Logger, command string, b *backlog) *log {
	return &log{ctx: context.WithoutCancel(ctx), logger: logger, command: slog.String("command", command), backlog: b}
}

// add queues a line. If the queue is full it waits for the logger, unless that is
// stuck: then the oldest records are dropped.
func (l *log) add(r record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.full(r) && l.pumping != nil && !l.stuck && !l.rushed && !l.over {
		l.awaitTaken()
	}
	l.push(r)
}

// note queues a remark about the process. It does not wait.
func (l *log) note(level slog.Level, text string, attrs ...slog.Attr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.push(record{level, text, attrs})
}

// full is called with mu.
func (l *log) full(r record) bool { return l.size > 0 && l.size+r.cost() > maxQueued }

// awaitTaken returns when the pump has taken a record, or it is clear that it is
// stuck, or the run is over. It is called with mu, which it gives up meanwhile.
func (l *log) awaitTaken() {
	if l.taken == nil {
		l.taken = make(chan struct{})
	}
	taken := l.taken
	l.mu.Unlock()
	timer := time.NewTimer(logPatience)
	select {
	case <-taken:
	case <-timer.C:
	}
	timer.Stop()
	l.mu.Lock()
	l.stuck = l.stuck || l.taken == taken
}

// wake lets those go on who wait for room. It is called with mu.
func (l *log) wake() {
	if l.taken != nil {
		close(l.taken)
		l.taken = nil
	}
}

// push is called with mu.
func (l *log) push(r record) {
	if l.over {
		l.backlog.lost.Add(1)
		return
	}
	for l.full(r) {
		l.pop()
		l.lost++
	}
	l.queue = append(l.queue, r)
	l.size += r.cost()
	if l.pumping == nil && l.backlog.pumps.Load() < maxLeft {
		l.pumping = make(chan struct{})
		go l.pump()
	}
}

// pop is called with mu.
func (l *log) pop() record {
	r := l.queue[0]
	l.queue[0] = record{}
	l.queue = l.queue[1:]
	l.size -= r.cost()
	return r
}

// pump logs until the queue is empty. Should the logger end the goroutine, another
// goes on.
func (l *log) pump() {
	ended := false
	defer func() {
		if !ended {
			go l.pump()
		}
	}()
	for len(l.next) > 0 || l.take() {
		r := l.next[0]
		l.next = l.next[1:]
		l.log(r)
	}
	ended = true
}

// take sets next to the first record of the queue, after one about what was lost before
// it. If there is neither it returns false, and the pump is to end.
func (l *log) take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = nil
	if lost := l.lost + l.backlog.lost.Swap(0); lost > 0 {
		l.next = append(l.next, record{slog.LevelWarn, "output was lost, the logger is too slow", []slog.Attr{slog.Uint64("lines", lost)}})
	}
	if len(l.queue) > 0 {
		l.next = append(l.next, l.pop())
	}
	l.lost, l.stuck = 0, false
	l.wake()
	if l.next != nil {
		return true
	}
	if l.over { // it was left
		l.backlog.pumps.Add(-1)
	}
	close(l.pumping)
	l.pumping = nil
	return false
}

// log is called by the pump alone.
func (l *log) log(r record) {
	defer func() { _ = recover() }()
	if l.to == nil {
		l.to = l.logger()
	}
	l.to.LogAttrs(l.ctx, r.level, r.text, append([]slog.Attr{l.command}, r.attrs...)...)
}

// flush waits until all is logged, or cannot be, or ctx is done; then it returns
// false.
func (l *log) flush(ctx context.Context) bool {
	l.mu.Lock()
	pumping := l.pumping
	l.mu.Unlock()
	return pumping == nil || await(ctx, pumping)
}

// rush has nobody wait for the logger any more: what finds no room pushes out what is
// older.
func (l *log) rush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rushed = true
	l.wake()
}

// leave ends the log: what is queued is still logged, if the logger lets it.
func (l *log) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.wake()
	if l.pumping != nil {
		l.backlog.pumps.Add(1)
		return
	}
	l.backlog.lost.Add(l.lost + uint64(len(l.queue)))
	l.queue, l.lost = nil, 0
}
