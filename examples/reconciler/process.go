//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// process is a daemon, under a keeper: this program again, which ends the daemon
// when the reconciler has died, however it did. It learns of that from a pipe
// whose other end only the reconciler has.
type process struct {
	command  []string
	keeper   *exec.Cmd
	lifeline io.Closer
	stopping bool
	kill     *time.Timer
}

// keepCommand is the argument that makes this program a keeper.
const keepCommand = "keep"

func startProcess(command []string) (*process, error) {
	if _, err := exec.LookPath(command[0]); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := os.Pipe() // of which the keeper has what we write to nobody
	if err != nil {
		return nil, err
	}
	keeper := exec.Command(self, append([]string{keepCommand}, command...)...)
	keeper.Stdout, keeper.Stderr = os.Stderr, os.Stderr
	keeper.ExtraFiles = []*os.File{ours}
	keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for the reconciler alone
	err = keeper.Start()
	_ = ours.Close()
	if err != nil {
		_ = theirs.Close()
		return nil, err
	}
	return &process{command: command, keeper: keeper, lifeline: theirs}, nil
}

func (p *process) wait() error {
	err := p.keeper.Wait()
	_ = p.lifeline.Close() // or it was, to kill the daemon
	return err
}

func (p *process) runs(command []string) bool { return slices.Equal(p.command, command) }

// stop asks the daemon to stop, and kills it when it has not after a while. It
// reports whether it had not been asked before.
func (p *process) stop(after time.Duration) bool {
	if p.stopping {
		return false
	}
	p.stopping = true
	_ = p.keeper.Process.Signal(syscall.SIGTERM) // or it has ended already
	p.kill = time.AfterFunc(after, func() { _ = p.lifeline.Close() })
	return true
}

// keep is the keeper: it runs the command in a process group of its own until
// that has ended or the pipe is closed, passes SIGTERM on, and returns the exit
// status, by the conventions of a shell.
func keep(command []string) int {
	const lifeline = 3
	syscall.CloseOnExec(lifeline)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 127
	}
	group := -cmd.Process.Pid
	go func() {
		_, _ = io.Copy(io.Discard, os.NewFile(lifeline, "lifeline")) // until the reconciler has died, or lets go
		_ = syscall.Kill(group, syscall.SIGKILL)
	}()
	go func() {
		<-signals
		_ = syscall.Kill(group, syscall.SIGTERM)
	}()
	err := cmd.Wait()
	_ = syscall.Kill(group, syscall.SIGKILL) // what the daemon has left behind
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}
