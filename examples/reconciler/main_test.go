//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// childMode has the test binary be one of the processes of the test.
const childMode = "HOLDFAST_RECONCILER_TEST"

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 2 && os.Args[1] == "test-daemon":
		daemon(os.Args[2])
	case len(os.Args) > 1 && os.Args[1] == "test-broken":
		os.Exit(3)
	case os.Getenv(childMode) != "":
		main()
	default:
		goleak.VerifyTestMain(m)
	}
}

// daemon tells its process id to who connects, and then keeps the connection.
func daemon(socket string) {
	os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		os.Exit(4)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			os.Exit(5)
		}
		fmt.Fprintln(conn, os.Getpid())
	}
}

// world is a folder with all that a reconciler needs.
type world struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
	out *bufio.Reader
}

func newWorld(t *testing.T) *world {
	// Paths of sockets must be short.
	dir, err := os.MkdirTemp("", "r")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{t: t, dir: dir}
	w.write("policy.json", `{"initial": "1ms", "max": "10ms", "threshold": 3, "window": "1h", "cooldown": "10m", "stable_after": "1h", "spread": 0}`)
	t.Cleanup(func() {
		if w.cmd != nil {
			w.kill()
		}
	})
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	w.t.Helper()
	draft := w.path(name + ".draft")
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(draft, w.path(name)); err != nil {
		w.t.Fatal(err)
	}
}

// desire says which daemons should run.
func (w *world) desire(names ...string) {
	w.t.Helper()
	desired := map[string][]string{}
	for _, name := range names {
		desired[name] = []string{os.Args[0], "test-daemon", w.path(name)}
		if strings.HasPrefix(name, "broken") {
			desired[name] = []string{os.Args[0], "test-broken"}
		}
	}
	text, err := json.Marshal(desired)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write("daemons.json", string(text))
}

func (w *world) start() {
	w.t.Helper()
	w.cmd = exec.Command(os.Args[0], "-desired", w.path("daemons.json"), "-state", w.path("gates.db"),
		"-socket", w.path("admin"), "-policy", w.path("policy.json"), "-poll", "10ms")
	w.cmd.Env = append(os.Environ(), childMode+"=1")
	w.cmd.Stderr = os.Stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	w.out = bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
}

// await reads what the reconciler says until it has said all of the lines, each
// given by how it begins, in any order.
func (w *world) await(lines ...string) {
	w.t.Helper()
	var said strings.Builder
	for len(lines) > 0 {
		line, err := w.out.ReadString('\n')
		if err != nil {
			w.t.Fatalf("it has ended, and not said %q; it said\n%s", lines, &said)
		}
		said.WriteString(line)
		for i, want := range lines {
			if strings.HasPrefix(line, want) {
				lines = append(lines[:i:i], lines[i+1:]...)
				break
			}
		}
	}
}

func (w *world) kill() {
	w.cmd.Process.Kill()
	io.Copy(io.Discard, w.out)
	w.cmd.Wait()
	w.cmd = nil
}

// terminate stops the reconciler politely, and returns the rest of what it says.
func (w *world) terminate() string {
	w.t.Helper()
	w.cmd.Process.Signal(syscall.SIGTERM)
	rest, err := io.ReadAll(w.out)
	if err != nil {
		w.t.Error(err)
	}
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("the reconciler ended with %v", err)
	}
	w.cmd = nil
	return string(rest)
}

func (w *world) admin(command ...string) string {
	w.t.Helper()
	var answer bytes.Buffer
	if err := ask(&answer, w.path("admin"), command); err != nil {
		w.t.Fatal(err)
	}
	return answer.String()
}

func (w *world) wantStatus(lines ...string) {
	w.t.Helper()
	status := w.admin("status")
	for _, want := range lines {
		found := false
		for line := range strings.Lines(status) {
			found = found || strings.HasPrefix(strings.Join(strings.Fields(line), " "), want)
		}
		if !found {
			w.t.Errorf("status has no line %q:\n%s", want, status)
		}
	}
}

// connect returns the process id of a daemon that has been started, and a
// connection that ends when it does.
func (w *world) connect(name string) (pid int, conn net.Conn) {
	w.t.Helper()
	for { // it listens as soon as it runs
		var err error
		if conn, err = net.Dial("unix", w.path(name)); err == nil {
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err == nil {
				if pid, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
					w.t.Fatal(err)
				}
				return pid, conn
			}
			conn.Close()
		}
		w.admin("status") // meanwhile: fails the test if the reconciler has ended
	}
}

// awaitEnd waits until the daemon has ended that the connection is to.
func (w *world) awaitEnd(conn net.Conn) {
	io.Copy(io.Discard, conn)
	conn.Close()
}

func TestReconciler(t *testing.T) {
	w := newWorld(t)
	w.desire("web", "broken")
	w.start()
	w.await("web: started", "broken: started", "broken: crashed, backing off", "broken: crashed, crash looping: exit status 3")

	// A daemon that is killed is started again.
	pid, conn := w.connect("web")
	syscall.Kill(pid, syscall.SIGKILL)
	w.awaitEnd(conn)
	w.await("web: crashed, backing off: exit status 137", "web: started")
	_, conn = w.connect("web")
	w.wantStatus("web running idle 1 exit status 137", "broken down crash looping")

	// The reconciler is killed: the daemon ends with it. The next one goes on where
	// it was: what was crash looping still is, and the end of web is a crash.
	w.kill()
	w.awaitEnd(conn)
	w.start()
	w.await("broken: recovered, crash looping", "web: crashed, backing off: the reconciler died", "web: started")
	w.wantStatus("broken down crash looping 10m0s 3 exit status 3")

	// Only an operator gets it out of that.
	if got := w.admin("release", "broken"); got != "broken was released\n" {
		t.Errorf("release says %q", got)
	}
	w.await("broken: started", "broken: crashed, backing off")
	w.await("broken: crashed, crash looping")
	if got := w.admin("release", "nobody"); got != "there is no daemon \"nobody\"\n" {
		t.Errorf("release says %q", got)
	}
	if got := w.admin("explode"); !strings.HasPrefix(got, "say status") {
		t.Errorf("an unknown command says %q", got)
	}

	// What should be changes; a file that is wrong changes nothing.
	w.write("daemons.json", `{"web": []}`)
	w.await("desired: cannot be read, left as it was")
	_, conn = w.connect("web")
	w.desire("mail")
	w.await("mail: started", "broken: removed", "web: stopping", "web: stopped", "web: removed")
	w.awaitEnd(conn)
	_, conn = w.connect("mail")

	// It is stopped politely: no crash, and nothing is held at the next start.
	if rest := w.terminate(); !strings.Contains(rest, "mail: stopped") {
		t.Errorf("it says %q as it ends", rest)
	}
	w.awaitEnd(conn)
	w.start()
	w.await("mail: recovered, idle", "mail: started")
	w.wantStatus("mail running idle 0")
	w.terminate()
}

// A reconciler that crashes over and over takes its daemons with it, which then
// are in a crash loop as well.
func TestReconcilerInACrashLoop(t *testing.T) {
	w := newWorld(t)
	w.desire("web")
	for range 3 {
		w.start()
		w.await("web: started")
		w.kill()
	}
	w.start()
	w.await("web: crashed, crash looping: the reconciler died")
	w.wantStatus("web down crash looping 10m0s 3 the reconciler died")
	w.terminate()
}

func TestTwoReconcilers(t *testing.T) {
	w := newWorld(t)
	w.desire("web")
	w.start()
	w.await("web: started")
	s := settings{desired: w.path("daemons.json"), state: w.path("gates.db"), socket: w.path("admin-2"), poll: 1}
	if err := run(s, nil); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second reconciler ended with %v, want the state file to be in use", err)
	}
	w.terminate()
}

func TestBadSettings(t *testing.T) {
	w := newWorld(t)
	w.write("bad.json", `{"initial": "5s", "max": "1s"}`)
	for want, s := range map[string]settings{
		"poll (0s) is not positive":     {},
		"no such file":                  {poll: 1, policy: w.path("none.json")},
		"max (1s) is below initial (5s": {poll: 1, policy: w.path("bad.json")},
	} {
		if err := run(s, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if err := ask(io.Discard, w.path("nobody"), []string{"status"}); err == nil || !strings.Contains(err.Error(), "is the reconciler running?") {
		t.Errorf("error %v, want a hint", err)
	}
}
