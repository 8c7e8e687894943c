package policy

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// compare orders overrides, the less specific first.
func (o override) compare(other override) int {
	return cmp.Or(
		cmp.Compare(len(o.names), len(other.names)),
		cmp.Compare(other.patterns(), o.patterns()),
		cmp.Compare(len(o.path), len(other.path)),
		cmp.Compare(o.path, other.path),
	)
}

func (o override) patterns() (n int) {
	for _, name := range o.names {
		if isPattern(name) {
			n++
		}
	}
	return n
}

func isPattern(name string) bool { return strings.ContainsAny(name, `*?[\`) }

// applies reports whether o is for the task of these names, or one that it is in.
func (o override) applies(names []string) bool {
	if len(o.names) > len(names) {
		return false
	}
	for i, name := range o.names {
		if ok, _ := path.Match(name, names[i]); !ok {
			return false
		}
	}
	return true
}

// mostTogether bounds the overrides that may or may not apply where another one
// does: each doubles the configurations to try.
const mostTogether = 10

// checkOverrides tries each configuration that can be: where an override is the most
// specific one that applies, some others apply, too, and of some only a name tells.
func (f *File) checkOverrides() error {
	var faults []error
	faulty := make([]bool, len(f.overrides))
	for i, o := range f.overrides {
		var always, perhaps []int
		for j, other := range f.overrides[:i] {
			switch {
			case other.covers(o):
				always = append(always, j)
				faulty[i] = faulty[i] || faulty[j]
			case other.meets(o):
				perhaps = append(perhaps, j)
				faulty[i] = faulty[i] || faulty[j]
			}
		}
		if faulty[i] {
			continue // what is wrong with the other would be said again
		}
		if err := f.tryTogether(i, always, perhaps); err != nil {
			faulty[i] = true
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// tryTogether checks override i with those that always apply where it does, and each
// selection of those that may.
func (f *File) tryTogether(i int, always, perhaps []int) error {
	place := "tasks: " + jsonobj.Quote([]byte(f.overrides[i].path))
	if len(perhaps) > mostTogether {
		return placed(place, fmt.Errorf("%d other patterns may or may not apply where it does, which is above %d; name the tasks instead", len(perhaps), mostTogether))
	}
	for selected := range 1 << len(perhaps) {
		with := []string(nil)
		c := f.base.clone()
		for j, o := range f.overrides[:i+1] {
			n := index(perhaps, j)
			switch {
			case j == i || index(always, j) >= 0:
				o.change(&c)
			case n >= 0 && selected>>n&1 == 1:
				o.change(&c)
				with = append(with, jsonobj.Quote([]byte(o.path)))
			}
		}
		if err := c.Validate(); err != nil {
			if with != nil {
				place += ", together with " + strings.Join(with, ", ")
			}
			return placed(place, err)
		}
	}
	return nil
}

func index(all []int, n int) int {
	for i, m := range all {
		if m == n {
			return i
		}
	}
	return -1
}

// covers reports whether o, the less specific one, applies wherever other does, as far
// as that can be seen.
func (o override) covers(other override) bool {
	for i, name := range o.names {
		if !coversName(name, other.names[i]) {
			return false
		}
	}
	return true
}

// meets reports whether o, the less specific one, may apply somewhere where other does.
func (o override) meets(other override) bool {
	for i, name := range o.names {
		if apart(name, other.names[i]) {
			return false
		}
	}
	return true
}

// coversName reports whether what matches other matches name.
func coversName(name, other string) bool {
	if name == other || name == "*" {
		return true
	}
	if !isPattern(other) {
		ok, _ := path.Match(name, other)
		return ok
	}
	if head, ok := strings.CutSuffix(name, "*"); ok && !isPattern(head) {
		return strings.HasPrefix(literalHead(other), head)
	}
	if tail, ok := strings.CutPrefix(name, "*"); ok && !isPattern(tail) {
		return strings.HasSuffix(literalTail(other), tail)
	}
	return false
}

// apart reports whether no name can match both, as far as that can be seen.
func apart(name, other string) bool {
	if !isPattern(name) {
		name, other = other, name
	}
	if !isPattern(other) {
		ok, _ := path.Match(name, other)
		return !ok
	}
	a, b := literalHead(name), literalHead(other)
	if !strings.HasPrefix(a, b) && !strings.HasPrefix(b, a) {
		return true
	}
	a, b = literalTail(name), literalTail(other)
	return !strings.HasSuffix(a, b) && !strings.HasSuffix(b, a)
}

// literalHead is what all names begin with that match the pattern.
func literalHead(pattern string) string { return pattern[:strings.IndexAny(pattern, `*?[\`)] }

// literalTail is what they end with, as far as that is easily seen.
func literalTail(pattern string) string {
	if strings.ContainsAny(pattern, `[\`) {
		return ""
	}
	return pattern[strings.LastIndexAny(pattern, "*?")+1:]
}
