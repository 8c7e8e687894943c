package filestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/gate/filestore"
)

// openedPath has the test binary open the store of that path, once it gets a line,
// and keep it open until its input ends.
const openedPath = "HOLDFAST_FILESTORE_OPENED"

func runAsOpener() bool {
	path, child := os.LookupEnv(openedPath)
	if !child {
		return false
	}
	in := bufio.NewReader(os.Stdin)
	in.ReadString('\n')
	s, err := filestore.Open(path)
	if err == nil {
		_, err = s.Save(context.Background(), fmt.Sprint(os.Getpid()), crashed(1), 0)
	}
	switch {
	case err == nil:
		fmt.Println("opened")
	case errors.Is(err, filestore.ErrInUse):
		fmt.Println("in use")
	default:
		fmt.Println(err)
	}
	io.Copy(io.Discard, in)
	return true
}

// opener is a process that opens a store.
type opener struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func newOpener(t *testing.T, path string) *opener {
	t.Helper()
	o := &opener{Cmd: exec.Command(os.Args[0])}
	o.Env = append(os.Environ(), openedPath+"="+path)
	in, err := o.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := o.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	o.in, o.out = in, bufio.NewReader(out)
	if err := o.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		o.Wait()
	})
	return o
}

// TestProcessesOpenAtOnce has several processes open one file at once. One gets
// it. When that one is killed, the file is free at once.
func TestProcessesOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gates.db")
	const rounds = 3 // there is no file in the first one
	for round := range rounds {
		openers := make([]*opener, 5)
		for i := range openers {
			openers[i] = newOpener(t, path)
		}
		for _, o := range openers {
			if _, err := io.WriteString(o.in, "go\n"); err != nil {
				t.Fatal(err)
			}
		}
		var winner *opener
		for _, o := range openers {
			line, err := o.out.ReadString('\n')
			switch said := strings.TrimSpace(line); {
			case err != nil:
				t.Error(err)
			case said == "opened" && winner == nil:
				winner = o
			case said != "in use":
				t.Errorf("a process says %q", said)
			}
		}
		if winner == nil {
			t.Fatal("no process got the file")
		}
		if _, err := filestore.Open(path); !errors.Is(err, filestore.ErrInUse) {
			t.Errorf("error %v, want ErrInUse", err)
		}
		if err := winner.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		winner.Wait()
		s := open(t, path)
		saved := 0
		for range s.All(t.Context()) {
			saved++
		}
		if s.Close(); saved != round+1 {
			t.Errorf("%d processes have saved, want %d", saved, round+1)
		}
	}
}
