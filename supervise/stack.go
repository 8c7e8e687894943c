package supervise

import (
	"fmt"
	"runtime"
	"strings"
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

// maxStacks bounds the text in which a goroutine's stack is searched.
const maxStacks = 64 << 20

// stackOf returns the stack of the goroutine of that number.
// It stops the world for the time of the printing.
func stackOf(number uint64) []byte {
	id := fmt.Sprintf("goroutine %d ", number)
	for size := 1 << 16; size <= maxStacks; size *= 4 {
		buf := make([]byte, size)
		n := runtime.Stack(buf, true)
		if _, found, ok := strings.Cut("\n\n"+string(buf[:n]), "\n\n"+id+"["); ok {
			stack, _, whole := strings.Cut(found, "\n\n")
			if whole || n < size {
				return []byte(id + "[" + strings.TrimSpace(stack) + "\n")
			}
		} else if n < size {
			return []byte(strings.TrimSpace(id) + " has ended\n")
		}
	}
	return []byte(strings.TrimSpace(id) + " was not found among so many\n")
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
