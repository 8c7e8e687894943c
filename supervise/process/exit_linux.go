package process

import (
	"os/exec"
	"syscall"
	"unsafe"
)

// awaitExit returns true when the process has ended, and leaves it to be reaped:
// until then its id, and that of its group, are nobody else's. It returns false if
// the process cannot be awaited, as when somebody else has reaped it.
func awaitExit(cmd *exec.Cmd) bool {
	const (
		isPID  = 1         // P_PID
		exited = 4         // WEXITED
		noReap = 0x1000000 // WNOWAIT
	)
	var info [16]uint64 // siginfo_t, which nobody reads
	for {
		_, _, err := syscall.Syscall6(syscall.SYS_WAITID, isPID, uintptr(cmd.Process.Pid),
			uintptr(unsafe.Pointer(&info)), exited|noReap, 0, 0)
		if err != syscall.EINTR {
			return err == 0
		}
	}
}
