//go:build linux

package process_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/process"
)

// The tests run real processes, hence in real time; each waits for what it needs,
// and none for a time to pass. All need Linux's /proc to see what is left.

// logbook is a log that tests wait for.
type logbook struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{} // closed at the next Write
}

func newLogbook() *logbook { return &logbook{written: make(chan struct{})} }

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.written)
	b.written = make(chan struct{})
	return b.text.Write(p)
}

func (b *logbook) String() string {
	text, _ := b.read()
	return text
}

func (b *logbook) read() (string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String(), b.written
}

func (b *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// await returns the numbers in the first line that matches the pattern, when there is
// one: a test that waits in vain is ended by its time limit.
func (b *logbook) await(pattern string) []int {
	for re := regexp.MustCompile(pattern); ; {
		text, more := b.read()
		if match := re.FindStringSubmatch(text); match != nil {
			var numbers []int
			for _, m := range match[1:] {
				n, _ := strconv.Atoi(m)
				numbers = append(numbers, n)
			}
			return numbers
		}
		<-more
	}
}

func shell(script string) *exec.Cmd { return exec.Command("sh", "-c", script) }

// with makes a task of a script, whose command is changed before it is started.
func with(script string, change func(*exec.Cmd)) func(context.Context) error {
	return process.Run(func(context.Context) *exec.Cmd {
		cmd := shell(script)
		if change != nil {
			change(cmd)
		}
		return cmd
	})
}

// once runs a task a single time, and returns what was logged, and its error.
func once(t *testing.T, task func(context.Context) error, opts ...supervise.RunOption) (string, error) {
	t.Helper()
	book := newLogbook()
	err := supervise.Run(t.Context(), task, append(opts, supervise.WithRestart(supervise.Never), supervise.WithLogger(book.logger()))...)
	return book.String(), err
}

// running is a task under way that can be stopped.
type running struct {
	*logbook
	cancel context.CancelCauseFunc
	result chan error
}

func start(t *testing.T, task func(context.Context) error, opts ...supervise.RunOption) *running {
	ctx, cancel := context.WithCancelCause(t.Context())
	r := &running{newLogbook(), cancel, make(chan error, 1)}
	go func() {
		r.result <- supervise.Run(ctx, task, append(opts, supervise.WithRestart(supervise.Never), supervise.WithLogger(r.logger()))...)
	}()
	return r
}

// stop stops the task, and returns its error.
func (r *running) stop() error {
	r.cancel(errStop)
	return <-r.result
}

// awaitGone returns when a process has ended, though it may not be reaped yet by
// whoever inherited it. A process that has been killed takes a moment to go.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	for t.Context().Err() == nil {
		switch state := stat(pid)[0]; state {
		case "", "Z", "X":
			return
		}
		runtime.Gosched()
	}
}

// stat returns the state of a process, its parent's id, its group's, and its
// session's; empty strings if there is no such process.
func stat(pid int) [4]string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(text), ") ")
	fields := append(strings.Fields(after), "", "", "", "")
	return [4]string(fields[:4])
}
