//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// stopSignals have all processes stopped. Besides the usual ones it is those of a
// terminal that was closed, and of a reader of the output who has gone: they would end
// this program, and leave the processes behind.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE}

// In the background a read from the terminal would stop this program; it fails
// instead, and there are no keys.
func init() { signal.Ignore(syscall.SIGTTIN) }

func shell(command string) *exec.Cmd { return exec.Command("/bin/sh", "-c", command) }

// onRelease calls f at each SIGUSR1 until ctx is done.
func onRelease(ctx context.Context, f func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-signals:
				f()
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { <-ended }
}
