package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// entry is a line of a Procfile.
type entry struct {
	name    string
	command string // for the shell
	line    int    // from 1
}

var entryForm = regexp.MustCompile(`^([A-Za-z0-9_-]+):\s*(\S.*)$`)

// parseProcfile returns the entries in their order. Blank lines and lines that
// begin with a # are nothing. All faults are told at once.
func parseProcfile(path, text string) ([]entry, error) {
	var entries []entry
	var faults []error
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := entryForm.FindStringSubmatch(line)
		if parts == nil {
			faults = append(faults, fmt.Errorf("%s:%d: %q is not of the form \"name: command\"; "+
				"a name has letters, digits, _ and -", path, i+1, line))
			continue
		}
		e := entry{name: parts[1], command: parts[2], line: i + 1}
		if other := find(entries, e.name); other >= 0 {
			faults = append(faults, fmt.Errorf("%s:%d: there is a process %q already, in line %d; give each a name of its own",
				path, e.line, e.name, entries[other].line))
			continue
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 && len(faults) == 0 {
		faults = append(faults, fmt.Errorf("%s: there are no processes in it; write a line \"name: command\" for each", path))
	}
	return entries, errors.Join(faults...)
}

func find(entries []entry, name string) int {
	return slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
}

// choose returns the entries with these names, in their order; all of them if
// there are no names.
func choose(path string, entries []entry, names []string) ([]entry, error) {
	if len(names) == 0 {
		return entries, nil
	}
	for _, name := range names {
		if find(entries, name) < 0 {
			return nil, fmt.Errorf("%s: there is no process %q; there are %s", path, name, strings.Join(namesOf(entries), ", "))
		}
	}
	return slices.DeleteFunc(entries, func(e entry) bool { return !slices.Contains(names, e.name) }), nil
}

func namesOf(entries []entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.name
	}
	return names
}
