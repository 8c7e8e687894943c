//go:build unix

package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup has the process lead a process group, whose id is the process's then, and
// returns true; or false if the command is to join another group.
func ownGroup(cmd *exec.Cmd) (leads bool) {
	attr := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	switch {
	case attr.Setsid: // it leads one already, and may not ask for that
		attr.Setpgid = false
	case attr.Setpgid || attr.Foreground:
		if attr.Pgid != 0 {
			return false
		}
	default:
		attr.Setpgid, attr.Pgid = true, 0
	}
	cmd.SysProcAttr = &attr
	return true
}

// terminate sends SIGTERM, to the group or the process alone, and SIGCONT: one that
// is suspended could not stop.
func terminate(cmd *exec.Cmd, group bool) error {
	err := send(cmd, group, syscall.SIGTERM)
	_ = send(cmd, group, syscall.SIGCONT)
	return err
}

func kill(cmd *exec.Cmd, group bool) error { return send(cmd, group, syscall.SIGKILL) }

func send(cmd *exec.Cmd, group bool, signal syscall.Signal) error {
	if !group {
		return cmd.Process.Signal(signal)
	}
	err := syscall.Kill(-cmd.Process.Pid, signal)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// signalOf returns the signal that ended the process, or nil.
func signalOf(exit *exec.ExitError) os.Signal {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal()
	}
	return nil
}

// stoppedAsAsked reports whether the process ended by SIGTERM, or says that what it
// ran did.
func stoppedAsAsked(exit *exec.ExitError) bool {
	const signalled = 128 // shells add the signal's number
	return signalOf(exit) == syscall.SIGTERM || exit.ExitCode() == signalled+int(syscall.SIGTERM)
}
