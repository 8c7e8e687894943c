//go:build !unix

package process

import (
	"os"
	"os/exec"
)

// Where there are no process groups and no signals, a process is stopped by killing
// it, which is then what was asked.

func ownGroup(*exec.Cmd) (leads bool) { return false }

func terminate(cmd *exec.Cmd, _ bool) error { return cmd.Process.Kill() }

func kill(cmd *exec.Cmd, _ bool) error { return cmd.Process.Kill() }

func signalOf(*exec.ExitError) os.Signal { return nil }

func stoppedAsAsked(*exec.ExitError) bool { return true }
