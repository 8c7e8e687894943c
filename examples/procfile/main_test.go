//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// These tests run the program, and real processes below it. Each waits for what
// the program prints, and none for a time to pass.

const asProgram = "PROCFILE_TEST_RUNS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(exitClean)
	}
	os.Exit(m.Run())
}

// program is this program while it runs.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	keys io.WriteCloser

	mu      sync.Mutex
	printed bytes.Buffer
	more    *sync.Cond
	ended   bool
	err     error // of its Wait
}

// fast is a configuration for tests, in which a process may take long to stop.
const fast = `{"policy": {"initial": "1ms", "max": "1ms", "threshold": 3, "cooldown": "1h", "spread": 0}, "stop_timeout": "1h"}`

func start(t *testing.T, procfile, config string, args ...string) *program {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"Procfile": procfile, "procfile.json": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &program{t: t, cmd: exec.Command(os.Args[0], append([]string{"-c", "procfile.json"}, args...)...)}
	p.more = sync.NewCond(&p.mu)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0")
	p.cmd.Stdout, p.cmd.Stderr = p, p
	var err error
	if p.keys, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		err := p.cmd.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ended, p.err = true, err
		p.more.Broadcast()
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-waited
	})
	return p
}

// Write takes what the program prints.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.more.Broadcast()
	return p.printed.Write(b)
}

// expect waits until the program has printed what matches, and returns that and
// its groups.
func (p *program) expect(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if found := re.FindStringSubmatch(p.printed.String()); found != nil {
			return found
		}
		if p.ended {
			p.t.Fatalf("there is no %q in\n%s", pattern, &p.printed)
		}
		p.more.Wait()
	}
}

func (p *program) press(keys string) { fmt.Fprintln(p.keys, keys) }

// exits waits until the program has ended, with that status, and returns what it
// has printed.
func (p *program) exits(status int) string {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.ended {
		p.more.Wait()
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.t.Fatal(p.err)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != status {
		p.t.Errorf("the exit status is %d, not %d:\n%s", got, status, &p.printed)
	}
	return p.printed.String()
}

func TestAllEnd(t *testing.T) {
	printed := start(t, "a: echo to stdout\nlonger: echo to stderr >&2", fast).exits(exitClean)
	for _, want := range []string{"a      | to stdout\n", "longer | to stderr\n", "a      * task ended run=1"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in\n%s", want, printed)
		}
	}
}

func TestStreamsStayApart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Procfile"), []byte("a: echo out; echo err >&2"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0")
	if out, err := cmd.Output(); err != nil || string(out) != "a | out\n" {
		t.Errorf("%v: %q", err, out)
	}
}

func TestCrashIsRestarted(t *testing.T) {
	p := start(t, `a: [ -e once ] && echo fine && exit; touch once; echo "disk is full" >&2; exit 3`, fast)
	printed := p.exits(exitClean)
	for _, want := range []string{`gate="backing off" hold=1ms error="/bin/sh: exit status 3: disk is full"`, "a | fine"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in\n%s", want, printed)
		}
	}
}

func TestCrashLoopAndRelease(t *testing.T) {
	for name, release := range map[string]func(*program){
		"key":          func(p *program) { p.press("r") },
		"key and name": func(p *program) { p.press("r a") },
		"signal":       func(p *program) { p.cmd.Process.Signal(syscall.SIGUSR1) },
		"key, restart": func(p *program) { p.press("restart a") },
		"wrong at first": func(p *program) {
			p.press("r nobody")
			p.expect("there is no process nobody")
			p.press("r b")
			p.expect("b is not held")
			p.press("r")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, "a: exit 1\nb: exec sleep 1000", fast)
			p.expect(`a \* task crashed run=3 .*gate="crash looping" hold=1h0m0s`)
			p.press("")
			p.expect(`a +crash looping +another (59m|1h).* +3 +3 +/bin/sh: exit status 1`)
			p.expect(`b +running .* +1 +0`)
			release(p)
			p.expect(`a \* hold ended by force run=3`)
			p.expect(`a \* task crashed.* run=6 .*gate="crash looping"`) // the slate was clean
			p.press("q")
			p.exits(exitClean)
		})
	}
}

func TestStopOrder(t *testing.T) {
	const ready = `trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.01; done`
	for name, stop := range map[string]func(*program){
		"q":       func(p *program) { p.press("q") },
		"SIGINT":  func(p *program) { p.cmd.Process.Signal(os.Interrupt) },
		"SIGTERM": func(p *program) { p.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(p *program) { p.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, "a: "+ready+"\nb: "+ready+"\nc: "+ready, fast)
			for _, name := range []string{"a", "b", "c"} {
				p.expect(name + ` \| up`)
			}
			stop(p)
			printed := p.exits(exitClean)
			c, b, a := strings.Index(printed, "c | bye"), strings.Index(printed, "b | bye"), strings.Index(printed, "a | bye")
			if c < 0 || b < c || a < b {
				t.Errorf("not stopped in reverse order:\n%s", printed)
			}
		})
	}
}

// TestOutputIsClosed is of "procfile | head -n 1": no process is left behind.
func TestOutputIsClosed(t *testing.T) {
	dir := t.TempDir()
	const procfile = `a: echo pid $$; while :; do echo more; sleep 0.01; done`
	if err := os.WriteFile(filepath.Join(dir, "Procfile"), []byte(procfile), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asProgram+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid string
	if _, err := fmt.Fscanf(out, "a | pid %s\n", &pid); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	gone(t, pid)
}

func TestIgnoresSIGTERM(t *testing.T) {
	p := start(t, `a: trap "" TERM; echo pid $$; while :; do sleep 0.01; done`, `{"stop_timeout": "20ms"}`)
	pid := p.expect(`a \| pid (\d+)`)[1]
	p.press("q")
	if printed := p.exits(exitClean); !strings.Contains(printed, "ended by signal: killed") {
		t.Errorf("it was not killed:\n%s", printed)
	}
	gone(t, pid)
}

func TestForks(t *testing.T) {
	// The child ignores SIGTERM, and would outlive its parent.
	const forks = `(trap "" TERM; sh -c 'echo pid $$; while :; do sleep 0.01; done') & `
	p := start(t, "a: "+forks+"wait\nb: "+forks+"until [ -e go ]; do sleep 0.01; done; exit 1", fast)
	a, b := p.expect(`a \| pid (\d+)`)[1], p.expect(`b \| pid (\d+)`)[1]
	if err := os.WriteFile(filepath.Join(p.cmd.Dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.expect(`b \* task crashed`)
	gone(t, b) // when its parent crashed
	p.press("q")
	p.exits(exitClean)
	gone(t, a)
}

// gone waits until a process has ended. If it has not, the test's time limit
// finds that.
func gone(t *testing.T, pid string) {
	t.Helper()
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		_, state, _ := strings.Cut(string(stat), ") ")
		if err != nil || strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X") {
			return
		}
		runtime.Gosched()
	}
}

func TestGivesUp(t *testing.T) {
	config := strings.TrimSuffix(fast, "}") + `, "processes": {"bad": {"policy": {"max_crashes": "1 in 1h"}}}}`
	p := start(t, `good: trap "echo bye; exit 0" TERM; echo up; touch up; while :; do sleep 0.01; done`+"\n"+
		`bad: until [ -e up ]; do sleep 0.01; done; exit 4`, config)
	printed := p.exits(exitFailed)
	if want := `supervise: gave up on task "procfile/bad" after 2 crashes: /bin/sh: exit status 4`; !strings.Contains(printed, want) {
		t.Errorf("%q is not in\n%s", want, printed)
	}
	if !strings.Contains(printed, "good | bye") {
		t.Errorf("good was not stopped politely:\n%s", printed)
	}
}

func TestStopAndRestartOne(t *testing.T) {
	p := start(t, "a: echo up $(cat n); exec sleep 1000\nb: exec sleep 1000", fast)
	p.expect(`a \| up`)
	p.press("stop a")
	p.expect(`a \* task stopped run=1`)
	p.press("")
	p.expect(`a +(down|stopping) `) // the line above comes while it stops
	p.press("restart a")
	p.expect(`a \* task started run=2`)
	p.press("what?")
	p.expect("Enter: how all stand")
	p.press("q")
	p.exits(exitClean)
}

func TestRestartModes(t *testing.T) {
	config := strings.TrimSuffix(fast, "}") + `, "processes": {"always": {"restart": "always"}, "never": {"restart": "never"}}}`
	p := start(t, "always: exit 0\nnever: exit 5", config)
	p.expect(`always \* task started run=3`)
	p.expect(`never +\* task crashed run=1`)
	p.press("q")
	if printed := p.exits(exitClean); strings.Contains(printed, "never  * task started run=2") {
		t.Errorf("it ran again:\n%s", printed)
	}
	// When all has ended, what has failed is told.
	start(t, "a: exit 0\nnever: exit 5", config).exits(exitUsage) // "always" is not in the Procfile
	config = strings.TrimSuffix(fast, "}") + `, "restart": "never"}`
	printed := start(t, "a: exit 0\nb: exit 5", config).exits(exitFailed)
	if want := "procfile/b: /bin/sh: exit status 5"; !strings.Contains(printed, want) {
		t.Errorf("%q is not in\n%s", want, printed)
	}
}

func TestOnlyTheChosen(t *testing.T) {
	printed := start(t, "a: echo a\nb: echo b\nc: echo c", fast, "c", "a").exits(exitClean)
	if !strings.Contains(printed, "a | a") || !strings.Contains(printed, "c | c") || strings.Contains(printed, "b | b") {
		t.Error(printed)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct{ procfile, config, args, want string }{
		{"a b", fast, "", `Procfile:1: "a b" is not of the form "name: command"`},
		{"a: b", `{"stop_timeout": 5}`, "", "procfile.json: stop_timeout: 5 is not a duration"},
		{"a: b", fast, "z", `Procfile: there is no process "z"; there are a`},
		{"a: b", fast, "-f nowhere", "the Procfile cannot be read: open nowhere: no such file or directory; name it with -f"},
		{"a: b", fast, "-c nowhere", "the configuration cannot be read: open nowhere: no such file or directory"},
		{"a: b", fast, "-z", "flag provided but not defined: -z"},
	} {
		if printed := start(t, c.procfile, c.config, strings.Fields(c.args)...).exits(exitUsage); !strings.HasPrefix(printed, c.want) {
			t.Errorf("%+v: %s", c, printed)
		}
	}
}
