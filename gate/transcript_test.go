package gate_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// TestTranscripts runs the scenarios in testdata, each against every shell. A
// line is prose (#), or a command and, after an arrow, the answer expected:
//
//	new [key=value …]   a fresh gate, under policy.Classic but for the keys
//	start T             the task starts
//	crash T             it crashes
//	exit T              it ends without an error
//	restart T           it ends without an error and is to run again
//	release T           MaybeRelease
//	force               ForceRelease
//	at T                is it admissible?
//	reload              save to JSON, restore into a fresh gate
//
// T counts in seconds from a common start. The answer to an event is the state
// that follows.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no transcripts (%v)", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				text = []byte(replay(t, string(text), shells[0].fresh))
				if err := os.WriteFile(file, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
				compare(t, file, string(text), replay(t, string(text), fresh))
			})
		})
	}
}

// replay returns the transcript with the answers that the machine gives.
func replay(t *testing.T, text string, fresh func(policy.Policy) machine) string {
	t.Helper()
	lines := strings.Split(text, "\n")
	s := scenario{fresh: fresh}
	for i, line := range lines {
		command, _, _ := strings.Cut(line, "->")
		command = strings.TrimSpace(command)
		if command == "" || strings.HasPrefix(command, "#") {
			continue
		}
		answer, err := s.do(strings.Fields(command))
		switch {
		case err != nil:
			t.Fatalf("line %d: %q: %v", i+1, line, err)
		case answer == "":
			lines[i] = command
		default:
			lines[i] = fmt.Sprintf("%-18s -> %s", command, answer)
		}
	}
	return strings.Join(lines, "\n")
}

func compare(t *testing.T, file, want, got string) {
	t.Helper()
	wants := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if line != wants[i] {
			t.Errorf("%s:%d:\n got %q\nwant %q", file, i+1, line, wants[i])
		}
	}
}

type scenario struct {
	fresh  func(policy.Policy) machine
	policy policy.Policy
	machine
}

func (s *scenario) do(command []string) (string, error) {
	name, args := command[0], command[1:]
	if name == "new" {
		return "", s.begin(args)
	}
	if s.machine == nil {
		return "", fmt.Errorf("there is no gate yet; begin with new")
	}
	switch name {
	case "force":
		return fmt.Sprintf("%t, %s", s.ForceRelease(), s.state()), nil
	case "reload":
		return s.reload()
	}
	if len(args) != 1 {
		return "", fmt.Errorf("there is no such command, or it has not one argument")
	}
	offset, err := time.ParseDuration(args[0] + "s")
	if err != nil {
		return "", err
	}
	return s.event(name, start.Add(offset))
}

func (s *scenario) event(name string, now time.Time) (string, error) {
	var returned gate.State
	switch name {
	case "start":
		s.ObserveStart(now)
		return s.state(), nil
	case "release":
		return fmt.Sprintf("%t, %s", s.MaybeRelease(now), s.state()), nil
	case "at":
		return s.door(now)
	case "crash":
		returned = s.ObserveCrash(now, errCrash)
	case "exit":
		returned = s.ObserveCleanExit(now)
	case "restart":
		returned = s.ObserveRestart(now)
	default:
		return "", fmt.Errorf("there is no such command")
	}
	if returned != s.State() {
		return "", fmt.Errorf("returned %v, but the state is %v", returned, s.State())
	}
	return s.state(), nil
}

func (s *scenario) door(now time.Time) (string, error) {
	admissible := s.Admissible(now)
	if s.State().Admissible(now) != admissible {
		return "", fmt.Errorf("the state answers otherwise")
	}
	if admissible {
		return "open", nil
	}
	return "held", nil
}

// state is the state in words, with instants as seconds from the common start.
func (s *scenario) state() string {
	state := s.State()
	until, ends := state.ReleaseAt()
	if !ends {
		return state.String()
	}
	return fmt.Sprintf("%v until %s", state.Phase(), strconv.FormatFloat(until.Sub(start).Seconds(), 'f', -1, 64))
}

func (s *scenario) reload() (string, error) {
	saved, err := json.Marshal(s.Snapshot())
	if err != nil {
		return "", err
	}
	var snapshot gate.Snapshot
	if err := json.Unmarshal(saved, &snapshot); err != nil {
		return "", err
	}
	s.machine = s.fresh(s.policy)
	if err := s.Restore(snapshot); err != nil {
		return "", err
	}
	return s.state(), nil
}

// begin makes a fresh machine. The keys are those of a config in JSON, and
// tolerate=N/WINDOW for policy.MaxCrashes.
func (s *scenario) begin(keys []string) error {
	config := policy.ClassicConfig()
	var outward []policy.Decorator
	for _, key := range keys {
		key, value, _ := strings.Cut(key, "=")
		if key == "tolerate" {
			crashes, window, _ := strings.Cut(value, "/")
			n, err := strconv.Atoi(crashes)
			if err != nil {
				return err
			}
			per, err := time.ParseDuration(window)
			if err != nil {
				return err
			}
			outward = append(outward, policy.MaxCrashes(n, per))
			continue
		}
		if key != "threshold" && key != "factor" {
			value = strconv.Quote(value)
		}
		if err := json.Unmarshal(fmt.Appendf(nil, "{%q: %s}", key, value), &config); err != nil {
			return err
		}
	}
	base, err := config.Policy()
	if err != nil {
		return err
	}
	s.policy = policy.Compose(base, outward...)
	s.machine = s.fresh(s.policy)
	return nil
}
