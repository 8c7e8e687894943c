package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
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
//	    "worker":  {"policy": {"threshold": 3, "max_crashes": "20 in 1h"}}
//	  }
//	}
type config struct {
	all       settings
	processes map[string]settings
}

// settings are those of a process. What is absent in JSON is as for all, or at
// its default.
type settings struct {
	// Policy says how long the process is held after a crash, and when to give up on
	// it, which stops all.
	// Defaults to policy.DefaultConfig().
	policy policy.Config
	// Restart says after which end the process runs again: "always", "on-crash", or
	// "never". Defaults to "on-crash".
	restart string
	// StopTimeout is how long the process may take to end after SIGTERM.
	// Defaults to 10s.
	stopTimeout time.Duration
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
// each fault, and reports all of them at once.
func parseConfig(path string, data []byte, entries []entry) (config, error) {
	c := defaultConfig()
	var processes []jsonobj.Field
	err := c.all.parse(path, data, func(value []byte) (err error) {
		processes, err = jsonobj.Fields(value)
		return err
	})
	c.processes = make(map[string]settings, len(processes))
	for _, p := range processes {
		where := path + ": processes." + p.Name
		if find(entries, p.Name) < 0 {
			err = errors.Join(err, fmt.Errorf("%s: the Procfile has no such process; it has %s", where, strings.Join(namesOf(entries), ", ")))
			continue
		}
		s := c.all
		err = errors.Join(err, s.parse(where, p.Value, nil))
		c.processes[p.Name] = s
	}
	return c, err
}

// parse sets the fields that are present, and checks them. It reads "processes" with
// the function that it is given, if any.
func (s *settings) parse(where string, data []byte, processes func([]byte) error) error {
	fields, err := jsonobj.Fields(data)
	faults := []error{jsonobj.Prefixed(where+": ", err)}
	for _, f := range fields {
		if err := s.set(f, processes); err != nil {
			faults = append(faults, jsonobj.Prefixed(where+": ", err))
		}
	}
	return errors.Join(append(faults, s.check(where))...)
}

func (s *settings) set(f jsonobj.Field, processes func([]byte) error) (err error) {
	switch {
	case f.Name == "policy":
		return s.policy.UnmarshalJSON(f.Value) // whose errors begin with that name
	case f.Name == "restart":
		s.restart, err = jsonobj.String(f.Value)
	case f.Name == "stop_timeout":
		s.stopTimeout, err = jsonobj.Duration(f.Value)
	case f.Name == "processes" && processes != nil:
		err = processes(f.Value)
	case processes != nil:
		return jsonobj.Unknown(f.Name, []string{"policy", "restart", "stop_timeout", "processes"})
	default:
		return jsonobj.Unknown(f.Name, []string{"policy", "restart", "stop_timeout"})
	}
	return jsonobj.Prefixed(f.Name+": ", err)
}

func (s *settings) check(where string) error {
	faults := []error{jsonobj.Prefixed(where+": ", s.policy.Validate())}
	if _, ok := restartModes[s.restart]; !ok {
		faults = append(faults, fmt.Errorf("%s: restart: %q is unknown; use always, on-crash or never", where, s.restart))
	}
	if s.stopTimeout < 0 {
		faults = append(faults, fmt.Errorf("%s: stop_timeout: %v is negative; use 0s to kill at once", where, s.stopTimeout))
	}
	return errors.Join(faults...)
}

var restartModes = map[string]supervise.TaskOption{
	"always": supervise.WithRestart(supervise.Always), "on-crash": nil, "never": supervise.WithRestart(supervise.Never),
}

// warnings returns what is wrong with the policies of processes that can never do what
// they say, such as to give up.
func (c config) warnings(entries []entry) (all []string) {
	for _, e := range entries {
		if p, err := c.of(e.name).policy.Policy(); err == nil {
			for _, w := range policy.Vet(p) {
				all = append(all, e.name+": policy: "+w)
			}
		}
	}
	return all
}

// options returns the settings, which have been checked, as options of a task.
func (s settings) options() []supervise.TaskOption {
	p, err := s.policy.Policy()
	if err != nil {
		panic(err)
	}
	return []supervise.TaskOption{supervise.WithPolicy(p), supervise.WithStopTimeout(s.stopTimeout), restartModes[s.restart]}
}
