//go:build unix

package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/process"
)

// What a process prints is logged by its task.
func ExampleRun() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "command" || a.Key == "ran" { // they differ each time
				return slog.Attr{}
			}
			return a
		},
	}))
	report := process.Run(func(context.Context) *exec.Cmd {
		return exec.Command("sh", "-c", "echo 3 files; echo 2 of them new")
	})
	err := supervise.Run(context.Background(), report, supervise.WithName("report"), supervise.WithLogger(logger))
	fmt.Println(err)
	// Output:
	// level=INFO msg="3 files" task=report run=1 stream=stdout
	// level=INFO msg="2 of them new" task=report run=1 stream=stdout
	// level=INFO msg="task ended" task=report run=1
	// <nil>
}

// A process that fails is a crash of its task, and the end of its standard error is in
// the error.
func ExampleExitError() {
	save := process.Run(func(context.Context) *exec.Cmd {
		return exec.Command("sh", "-c", "echo no space left >&2; exit 3")
	})
	err := supervise.Run(context.Background(), save,
		supervise.WithRestart(supervise.Never), supervise.WithLogger(slog.New(slog.DiscardHandler)))
	var exit *process.ExitError
	if errors.As(err, &exit) {
		fmt.Printf("status %d: %s", exit.Code, exit.Stderr)
	}
	// Output:
	// status 3: no space left
}

// The input and output of a process can be readers and writers. This one is stopped
// when it has answered.
func ExampleRun_stop() {
	ctx, cancel := context.WithCancelCause(context.Background())
	answer, answers := io.Pipe()
	go func() {
		var word string
		_, _ = fmt.Fscan(answer, &word)
		cancel(errors.New("it has answered " + word))
	}()
	ask := process.Run(func(context.Context) *exec.Cmd {
		cmd := exec.Command("sh", "-c", "read word; echo $word; exec sleep 1000")
		cmd.Stdin = strings.NewReader("yes\n")
		cmd.Stdout = answers
		return cmd
	})
	fmt.Println(ask(ctx)) // without a supervisor
	// Output:
	// it has answered yes
}
