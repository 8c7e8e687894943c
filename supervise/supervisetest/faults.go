package supervisetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxInjections bounds what Injected returns.
const maxInjections = 1 << 16

// Faults injects faults into the functions that it wraps. It must be made with
// [NewFaults]. Safe for concurrent use.
type Faults struct {
	seed   uint64
	faults []Fault

	// mu is taken last of all locks; nothing is called with it. It guards the phase of
	// each strike, too.
	mu       sync.Mutex
	off      bool
	hangs    map[chan struct{}]struct{} // one for each that is under way; closed to end it
	injected []Injection
	total    int                        // of injections
	waiters  map[chan struct{}]struct{} // one for each Wait; closed when the total grows
}

// Injection is a fault that has struck a run.
type Injection struct {
	Task string // its path
	Run  uint64 // the number of the run
	Kind FaultKind
	At   time.Time // when it struck
}

// NewFaults returns faults that are on. Of several that would strike a run the first
// one does. NewFaults panics, with all that is wrong, if one of them is not valid.
func NewFaults(seed uint64, faults ...Fault) *Faults {
	var wrong []string
	for i, f := range faults {
		for _, words := range f.check() {
			wrong = append(wrong, fmt.Sprintf("supervisetest: NewFaults: fault %d: %s", i, words))
		}
	}
	if wrong != nil {
		panic(strings.Join(wrong, "\n"))
	}
	return &Faults{seed: seed, faults: slices.Clone(faults), hangs: map[chan struct{}]struct{}{}}
}

// Plan returns the fault that is to strike the run of a task, which is decided by the
// seed, the path and the number alone, and false if none is. It does not look whether
// faults are on.
func (f *Faults) Plan(task string, run uint64) (Fault, bool) {
	i, _ := f.decide(task, run)
	if i < 0 {
		return Fault{}, false
	}
	return f.faults[i], true
}

// decide returns the index of the fault that is to strike, or -1, and what its delays
// are drawn from.
func (f *Faults) decide(task string, run uint64) (int, draw) {
	for i, fault := range f.faults {
		if !fault.fits(task, run) {
			continue
		}
		if d := newDraw(f.seed, task, run, i); d.next() < fault.rate() {
			return i, d
		}
	}
	return -1, 0
}

// Wrap returns a function for a task that calls fn, unless a fault strikes. Outside a
// run of package supervise it only calls fn. A nil fn panics.
func (f *Faults) Wrap(fn func(context.Context) error) func(context.Context) error {
	if fn == nil {
		panic("supervisetest: Wrap: fn is nil; give the function to run")
	}
	return func(ctx context.Context) error {
		s := f.strikeFor(ctx)
		if s == nil {
			return fn(ctx)
		}
		return s.run(ctx, fn)
	}
}

// On lets faults strike again. They do after NewFaults.
func (f *Faults) On() { f.turn(false) }

// Off keeps faults from striking, those that were to strike runs under way too. Hangs
// that are under way go on; see Release.
func (f *Faults) Off() { f.turn(true) }

func (f *Faults) turn(off bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = off
}

// Release ends all hangs, silences and late starts that are under way. Those that begin
// after it go on.
func (f *Faults) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for hang := range f.hangs {
		close(hang)
	}
	clear(f.hangs)
}

// Close is Off and then Release, after which nothing hangs any more: give it to
// t.Cleanup. It need not be called twice, but may be.
func (f *Faults) Close() {
	f.Off()
	f.Release()
}

// Injected returns what has struck so far, in the order in which it did; of more than
// 65,536 the last ones.
func (f *Faults) Injected() []Injection {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.injected[max(len(f.injected)-maxInjections, 0):])
}

// Wait waits until n faults have struck in all. It returns an error that wraps
// context.Cause(ctx) if ctx is done before.
func (f *Faults) Wait(ctx context.Context, n int) error {
	for {
		total, more := f.watch()
		if total >= n {
			f.unwatch(more)
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			f.unwatch(more)
			return fmt.Errorf("supervisetest: waiting for %d faults, and %d have struck: %w", n, total, context.Cause(ctx))
		}
	}
}

// watch returns how many faults have struck, and what is closed when the next one does.
// As that of hang the channel belongs to who waits for it.
func (f *Faults) watch() (total int, more chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	more = make(chan struct{})
	if f.waiters == nil {
		f.waiters = map[chan struct{}]struct{}{}
	}
	f.waiters[more] = struct{}{}
	return f.total, more
}

func (f *Faults) unwatch(more chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiters, more)
}

// inject has s strike, which is recorded, and reports whether it may.
func (f *Faults) inject(s *strike) bool {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off || s.phase != pending {
		return false
	}
	s.phase = struck
	if len(f.injected) >= 2*maxInjections {
		f.injected = append([]Injection(nil), f.injected[maxInjections:]...)
	}
	f.total++
	for waiter := range f.waiters {
		close(waiter)
	}
	clear(f.waiters)
	f.injected = append(f.injected, Injection{Task: s.err.Task, Run: s.err.Run, Kind: s.kind, At: now})
	return true
}

// struck reports whether s has struck, now that its function has returned. If not, it
// does not any more.
func (f *Faults) struck(s *strike) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.phase == pending {
		s.phase = missed
	}
	return s.phase == struck
}

// hang returns a channel that Release closes, or nil if faults are off by now. The
// channel is made on the goroutine that waits for it, so that it belongs to the bubble
// of a test even if f does not.
func (f *Faults) hang() chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return nil
	}
	released := make(chan struct{})
	f.hangs[released] = struct{}{}
	return released
}

// unhang forgets a hang that ends by itself.
func (f *Faults) unhang(released chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.hangs, released)
}
