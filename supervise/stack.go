package supervise

import (
	"bytes"
	"runtime"
	"strings"
)

// goroutineID returns what runtime.Stack calls the calling goroutine, such as
// "goroutine 7 ". There is no other way to find a goroutine's stack later.
func goroutineID() string {
	var buf [64]byte
	header := buf[:runtime.Stack(buf[:], false)]
	id, _, _ := bytes.Cut(header, []byte("["))
	return string(id)
}

// maxStacks bounds the text in which a goroutine's stack is searched.
const maxStacks = 64 << 20

// stackOf returns the stack of a goroutine, which must be named by goroutineID.
// It stops the world for the time of the printing.
func stackOf(id string) []byte {
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
