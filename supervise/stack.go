package supervise

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
)

// goroutineID returns the number that runtime.Stack gives the calling goroutine.
// There is no other way to find a goroutine's stack later.
func goroutineID() (id uint64) {
	var buf [64]byte
	header := buf[:runtime.Stack(buf[:], false)] // "goroutine 7 [running]:"
	for _, c := range header[len("goroutine "):] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uint64(c-'0')
	}
	return id
}

// maxStacks bounds the text in which goroutines' stacks are searched.
const maxStacks = 64 << 20

// dumps gathers those who want the stack of a goroutine while a dump of all is being
// taken: they share the next one. A dump stops the world, and a thousand tasks may be
// overdue at once.
var dumps struct {
	taking sync.Mutex // held while a dump is taken. Taken before mu

	mu        sync.Mutex
	gathering *dump // whose dump is taken next; nil if nobody waits
}

// dump is the stacks of some goroutines.
type dump struct {
	wanted map[string][]byte // by header, such as "goroutine 7 "
	taken  bool              // guarded by dumps.taking
}

// stackOf returns the stack of the goroutine of that number.
func stackOf(number uint64) []byte {
	id := fmt.Sprintf("goroutine %d ", number)
	dumps.mu.Lock()
	d := dumps.gathering
	if d == nil {
		d = &dump{wanted: map[string][]byte{}}
		dumps.gathering = d
	}
	d.wanted[id] = nil
	dumps.mu.Unlock()

	dumps.taking.Lock()
	defer dumps.taking.Unlock()
	if !d.taken {
		dumps.mu.Lock()
		dumps.gathering = nil
		dumps.mu.Unlock()
		d.take()
	}
	return d.wanted[id]
}

// take finds the stacks that are wanted among all.
func (d *dump) take() {
	d.taken = true
	text, whole := allStacks()
	missing := "has ended"
	if !whole {
		missing = "was not found among so many"
	}
	for id := range d.wanted {
		d.wanted[id] = fmt.Appendf(nil, "%s%s\n", id, missing)
	}
	for stack := range bytes.SplitSeq(text, []byte("\n\n")) {
		header, _, found := bytes.Cut(stack, []byte("["))
		if _, wanted := d.wanted[string(header)]; found && wanted {
			d.wanted[string(header)] = append(bytes.Clone(bytes.TrimSpace(stack)), '\n')
		}
	}
}

// allStacks returns the stacks of all goroutines, and whether they are all.
func allStacks() (text []byte, whole bool) {
	for size := 1 << 16; ; size *= 4 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size >= maxStacks {
			return buf[:n], n < size
		}
	}
}

// leavesByGoexit reports, in a deferred function that has not recovered, whether the
// goroutine ends by runtime.Goexit rather than by a panic.
func leavesByGoexit() bool {
	var pcs [maxFrames]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for {
		frame, more := frames.Next()
		switch frame.Function {
		case "runtime.Goexit":
			return true
		case "runtime.gopanic":
			return false
		}
		if !more {
			return false
		}
	}
}

// locate finds out where the goroutine is, and, if the task runs a supervisor, which of
// its tasks it waits for.
func (e *AbandonedError) locate(t *Task, goroutine uint64) {
	if stuck := t.opts.sup.stuckBelow(t); stuck != nil {
		stuck.mu.Lock()
		e.Task, e.Run, goroutine = stuck.Name(), stuck.life.Run, stuck.worker.ending().goroutine
		stuck.mu.Unlock()
	}
	e.Stack = stackOf(goroutine)
}
