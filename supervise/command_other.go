//go:build !unix

package supervise

import (
	"os"
	"os/exec"
)

// Where there are no process groups and no signals, a process is killed.

func ownGroup(*exec.Cmd) {}

func terminateGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func signalOf(*exec.ExitError) os.Signal { return nil }
