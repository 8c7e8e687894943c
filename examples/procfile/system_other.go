//go:build !unix

package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"
)

// stopSignals have all processes stopped.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

func shell(command string) *exec.Cmd { return exec.Command("cmd", "/C", command) }

// onRelease does nothing: there is no signal for it. The key r does it.
func onRelease(context.Context, func()) (stop func()) { return func() {} }
