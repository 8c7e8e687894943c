//go:build linux

package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/supervise/process"
)

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestStdin(t *testing.T) {
	text := strings.Repeat("0123456789", 50_000)
	log, err := once(t, with("wc -c", func(c *exec.Cmd) { c.Stdin = strings.NewReader(text) }))
	if err != nil || !strings.Contains(log, "msg=500000 ") {
		t.Errorf("%v\n%s", err, log)
	}
	// One that nobody reads, and one that is a file.
	if _, err := once(t, with("exit 0", func(c *exec.Cmd) { c.Stdin = strings.NewReader(text) })); err != nil {
		t.Error(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if log, err = once(t, with("wc -c", func(c *exec.Cmd) { c.Stdin = null })); err != nil || !strings.Contains(log, "msg=0 ") {
		t.Errorf("%v\n%s", err, log)
	}
}

// A reader that blocks does not hold up the run whose process has ended. What it
// returns then goes to the next run, and there is one goroutine, whatever the number of
// runs.
func TestStdinBlocks(t *testing.T) {
	r, w := io.Pipe()
	script := "exit 0"
	task := process.Run(func(context.Context) *exec.Cmd {
		cmd := shell(script)
		cmd.Stdin = r
		return cmd
	})
	for i := range 100 {
		before := runtime.NumGoroutine()
		if _, err := once(t, task); err != nil {
			t.Fatal(err)
		}
		for i > 0 && runtime.NumGoroutine() > before {
			runtime.Gosched()
		}
	}
	script = "read line; echo got $line; read line || echo end"
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(w, "a command\n")
		written <- err
		w.Close()
	}()
	log, err := once(t, task)
	if err != nil || !strings.Contains(log, `msg="got a command"`) || !strings.Contains(log, "msg=end") {
		t.Errorf("%v\n%s", err, log)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// Another reader is not confused with the one that blocks.
func TestStdinBlocksAndIsReplaced(t *testing.T) {
	r, w := io.Pipe()
	var from io.Reader = r
	script := "exit 0"
	task := process.Run(func(context.Context) *exec.Cmd {
		cmd := shell(script)
		cmd.Stdin = from
		return cmd
	})
	if _, err := once(t, task); err != nil {
		t.Error(err)
	}
	script = "read line; echo got $line"
	from = readFunc(func(p []byte) (int, error) { return copy(p, "this\n"), io.EOF }) // cannot be compared
	for range 2 {
		if log, err := once(t, task); err != nil || !strings.Contains(log, `msg="got this"`) {
			t.Errorf("%v\n%s", err, log)
		}
	}
	w.Close()
}

func TestReaderFails(t *testing.T) {
	lost := errors.New("the connection is lost")
	for name, c := range map[string]struct {
		read readFunc
		is   error
		text string
	}{
		"fails":      {func([]byte) (int, error) { return 0, lost }, lost, "stdin: the connection is lost"},
		"panics":     {func([]byte) (int, error) { panic(lost) }, nil, "stdin panicked: the connection is lost"},
		"Goexit":     {func([]byte) (int, error) { runtime.Goexit(); return 0, nil }, nil, "stdin called runtime.Goexit"},
		"too many":   {func(p []byte) (int, error) { return len(p) + 1, nil }, nil, "stdin panicked: runtime error: slice bounds out of range [:32769] with capacity 32768"},
		"wraps EOF":  {func([]byte) (int, error) { return 0, errors.Join(io.EOF, lost) }, lost, "the connection is lost"},
		"says twice": {func(p []byte) (int, error) { return copy(p, "x\n"), lost }, lost, "stdin: the connection is lost"},
	} {
		log, err := once(t, with("read line; cat; echo got $line", func(cmd *exec.Cmd) { cmd.Stdin = c.read }))
		if err == nil || !strings.HasSuffix(err.Error(), c.text) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "says twice" && !strings.Contains(log, `msg="got x"`) {
			t.Errorf("%s:\n%s", name, log)
		}
	}
}
