package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// config is how the processes are supervised. In JSON it is the settings of all
// of them, and under "processes", by name, what differs for some:
//
//	{
//	  "policy": {"max": "30s"},
//	  "stop_timeout": "5s",
//	  "processes": {
//	    "web":     {"stop_timeout": "30s", "restart": "always"},
//	    "migrate": {"restart": "never"},
//	    "worker":  {"policy": {"threshold": 3}, "max_crashes": {"n": 20, "window": "1h"}}
//	  }
//	}
type config struct {
	all       settings
	processes map[string]settings
}

// settings are those of a process. What is absent in JSON is as for all, or at
// its default.
type settings struct {
	// Policy says how long the process is held after a crash.
	// Defaults to policy.DefaultConfig().
	policy policy.Config
	// MaxCrashes gives up on the process, and stops all, at more than n crashes in
	// the window. Defaults to never.
	maxCrashes limit
	// Restart says after which end the process runs again: "always", "on-crash", or
	// "never". Defaults to "on-crash".
	restart string
	// StopTimeout is how long the process may take to end after SIGTERM.
	// Defaults to 10s.
	stopTimeout time.Duration
}

type limit struct {
	n      int // 0 for none
	window time.Duration
}

func defaultConfig() config {
	return config{all: settings{policy: policy.DefaultConfig(), restart: "on-crash", stopTimeout: 10 * time.Second}}
}

// of returns the settings of a process.
func (c config) of(name string) settings {
	if s, ok := c.processes[name]; ok {
		return s
	}
	return c.all
}

// parseConfig reads the configuration of these processes. It names the field of
// each fault, and tells all of them at once.
func parseConfig(path string, data []byte, entries []entry) (config, error) {
	c := defaultConfig()
	var processes map[string]json.RawMessage
	err := c.all.parse(path, data, map[string]any{"processes": &processes})
	c.processes = make(map[string]settings, len(processes))
	for _, name := range slices.Sorted(maps.Keys(processes)) {
		where := path + ": processes." + name
		if find(entries, name) < 0 {
			err = errors.Join(err, fmt.Errorf("%s: the Procfile has no such process; it has %s", where, strings.Join(namesOf(entries), ", ")))
			continue
		}
		s := c.all
		err = errors.Join(err, s.parse(where, processes[name], nil))
		c.processes[name] = s
	}
	return c, err
}

// parse sets the fields that are present, and checks them.
func (s *settings) parse(where string, data []byte, more map[string]any) error {
	fields := map[string]any{
		"policy": &s.policy, "max_crashes": &s.maxCrashes, "restart": &s.restart, "stop_timeout": (*duration)(&s.stopTimeout),
	}
	maps.Copy(fields, more)
	return errors.Join(setFields(where, data, fields), s.check(where))
}

func (s *settings) check(where string) error {
	var faults []error
	fault := func(field string, err error) { faults = append(faults, fmt.Errorf("%s: %s: %w", where, field, err)) }
	if err := s.policy.Validate(); err != nil {
		fault("policy", err)
	}
	if l := s.maxCrashes; l.n < 0 || l.n > 0 && l.window <= 0 {
		fault("max_crashes", fmt.Errorf("n (%d) is negative or window (%v) is not positive; "+
			`write such as {"n": 20, "window": "1h"}, or leave it out to never give up`, l.n, l.window))
	}
	if _, ok := restartModes[s.restart]; !ok {
		fault("restart", fmt.Errorf("%q is unknown; use always, on-crash or never", s.restart))
	}
	if s.stopTimeout < 0 {
		fault("stop_timeout", fmt.Errorf("%v is negative; use 0s to kill at once", s.stopTimeout))
	}
	return errors.Join(faults...)
}

var restartModes = map[string]supervise.Option{
	"always": supervise.Always(), "on-crash": nil, "never": supervise.Once(),
}

// options returns the settings, which have been checked, as options of a task.
func (s settings) options() []supervise.Option {
	p, err := s.policy.Policy()
	if err != nil {
		panic(err)
	}
	if s.maxCrashes.n > 0 {
		p = policy.Compose(p, policy.MaxCrashes(s.maxCrashes.n, s.maxCrashes.window))
	}
	return []supervise.Option{supervise.WithPolicy(p), supervise.WithStopTimeout(s.stopTimeout), restartModes[s.restart]}
}

// UnmarshalJSON reads the two fields.
func (l *limit) UnmarshalJSON(data []byte) error {
	return setFields("", data, map[string]any{"n": &l.n, "window": (*duration)(&l.window)})
}

// duration is written as "1m30s".
type duration time.Duration

// UnmarshalJSON reads a string with a unit.
func (d *duration) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		if parsed, err := time.ParseDuration(text); err == nil {
			*d = duration(parsed)
			return nil
		}
	}
	return fmt.Errorf(`%s is not a duration; write a string with a unit, such as "500ms"`, data)
}

// setFields sets the fields that are present in a JSON object.
func setFields(where string, data []byte, fields map[string]any) error {
	prefix := ""
	if where != "" {
		prefix = where + ": "
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return fmt.Errorf("%snot a JSON object: %w", prefix, err)
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		field, ok := fields[name]
		if !ok {
			faults = append(faults, fmt.Errorf("%s%s: there is no such field; there are %s", prefix, name,
				strings.Join(slices.Sorted(maps.Keys(fields)), ", ")))
		} else if err := json.Unmarshal(given[name], field); err != nil {
			faults = append(faults, fmt.Errorf("%s%s: %w", prefix, name, err))
		}
	}
	return errors.Join(faults...)
}
