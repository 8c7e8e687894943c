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
//	new [key=value …]   a fresh gate, under policy.Classic but for the keys; see begin
//	start T             the task starts
//	try T               TryStart
//	crash T             it crashes
//	exit T              it ends without an error
//	restart T           it ends without an error and is to run again
//	release T           MaybeRelease
//	force               ForceRelease
//	probe               Probe
//	pause               Pause
//	at T                is it admissible?
//	reload              save to JSON, restore into a fresh gate
//	resume T            the same, taken over at T by a process that goes by its own clock
//
// T counts in seconds from a common start, or is a date such as 1970-01-01 with an
// optional time such as T23:59:59, in UTC. The answer to an event is the state that
// follows, with its end written as the last T was.
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
	dates  bool // the last T was a date
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
	case "probe":
		return fmt.Sprintf("%t, %s", s.Probe(), s.state()), nil
	case "pause":
		return fmt.Sprintf("%t, %s", s.Pause(), s.state()), nil
	case "reload":
		return s.reload(func(saved gate.Snapshot) gate.Snapshot { return saved })
	}
	if len(args) != 1 {
		return "", fmt.Errorf("there is no such command, or it has not one argument")
	}
	now, err := s.instant(args[0])
	if err != nil {
		return "", err
	}
	return s.event(name, now)
}

func (s *scenario) instant(text string) (time.Time, error) {
	offset, err := time.ParseDuration(text + "s")
	if s.dates = err != nil; !s.dates {
		return start.Add(offset), nil
	}
	var year, month, day, hour, minute, second int
	date, clock, timed := strings.Cut(text, "T")
	if _, err := fmt.Sscanf(date, "%d-%d-%d", &year, &month, &day); err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a number of seconds nor a date: %w", text, err)
	}
	if timed {
		if _, err := fmt.Sscanf(clock, "%d:%d:%d", &hour, &minute, &second); err != nil {
			return time.Time{}, fmt.Errorf("%q has no time of day: %w", text, err)
		}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC), nil
}

func (s *scenario) event(name string, now time.Time) (string, error) {
	var returned gate.State
	switch name {
	case "start":
		s.ObserveStart(now)
		return s.state(), nil
	case "try":
		return fmt.Sprintf("%t, %s", s.TryStart(now), s.state()), nil
	case "resume":
		return s.reload(func(saved gate.Snapshot) gate.Snapshot { return saved.Resume(now) })
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

// state is the state in words, with its end as seconds from the common start, or as it
// is if the last T was a date.
func (s *scenario) state() string {
	state := s.State()
	until, ends := state.ReleaseAt()
	if !ends || s.dates {
		return state.String()
	}
	return fmt.Sprintf("%v until %s", state.Phase(), strconv.FormatFloat(until.Sub(start).Seconds(), 'f', -1, 64))
}

func (s *scenario) reload(taken func(gate.Snapshot) gate.Snapshot) (string, error) {
	saved, err := json.Marshal(s.Snapshot())
	if err != nil {
		return "", err
	}
	var snapshot gate.Snapshot
	if err := json.Unmarshal(saved, &snapshot); err != nil {
		return "", err
	}
	s.machine = s.fresh(s.policy)
	if err := s.Restore(taken(snapshot)); err != nil {
		return "", err
	}
	return s.state(), nil
}

// begin makes a fresh machine. The keys are those of a config in JSON, with a list as
// 1m,5m, and
//
//	rules=default       the other keys are changes of policy.DefaultConfig
//	tolerate=N/WINDOW   policy.MaxCrashes around it
//	constant=DELAY      policy.Constant instead
func (s *scenario) begin(keys []string) error {
	config := policy.ClassicConfig()
	base := func() (policy.Policy, error) { return config.Policy() }
	var outward []policy.Decorator
	for _, key := range keys {
		key, value, _ := strings.Cut(key, "=")
		switch key {
		case "rules":
			config = policy.DefaultConfig()
		case "tolerate":
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
		case "constant":
			delay, err := time.ParseDuration(value)
			if err != nil {
				return err
			}
			base = func() (policy.Policy, error) { return policy.Constant(delay), nil }
		default:
			if err := json.Unmarshal(fmt.Appendf(nil, "{%q: %s}", key, asJSON(key, value)), &config); err != nil {
				return err
			}
		}
	}
	p, err := base()
	if err != nil {
		return err
	}
	s.policy, s.dates = policy.Compose(p, outward...), false
	s.machine = s.fresh(s.policy)
	return nil
}

// asJSON returns the value of a config's field.
func asJSON(key, value string) string {
	switch key {
	case "threshold", "factor", "spread":
		return value
	case "cooldowns", "steps":
		return `["` + strings.ReplaceAll(value, ",", `","`) + `"]`
	}
	return strconv.Quote(value)
}
