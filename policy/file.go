package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// File is a [Config] for all tasks of a program, with what differs for some of them:
//
//	{
//	  "default": {"max": "30s"},
//	  "tasks": {
//	    "root/db": {"initial": "2s"},
//	    "root/worker-*": {"max_crashes": "20 in 1h"}
//	  }
//	}
//
// Each part names only the fields that differ: those of "default" from
// [DefaultConfig], those of a path from what holds there without it. A path is the
// names of a task and of those it is in, with slashes between. It stands for that
// task and for all below it. A name may be a pattern as in [path.Match]: "*" is any
// name, but no slash.
//
// Where several paths apply to one task, the more specific one wins, field by field:
// the longer one; of two equally long, the one with fewer patterns; then the one with
// more letters; then the later one in alphabetical order.
//
// Safe for concurrent use.
type File struct {
	base      Config
	overrides []override // the less specific first

	mu       sync.Mutex        // guards policies; only Config.Policy is called under it
	policies map[string]Policy // by the text of their configuration
}

// override is what differs at a path and below it.
type override struct {
	path   string
	names  []string // the path's, some of them patterns
	fields []jsonobj.Field
}

// ParseFile reads a [File]. All that is wrong with it is one error, each line of
// which names its place, the bound and a fix: a field that is unknown, null or given
// twice, a value that is none, a path that is none, and a configuration that is not
// valid, for each combination of paths that can apply to a task.
func ParseFile(data []byte) (*File, error) {
	f := &File{base: DefaultConfig(), policies: make(map[string]Policy)}
	fields, err := jsonobj.Fields(data)
	faults := []error{jsonobj.Prefixed("policy: ", err)}
	for _, field := range fields {
		switch field.Name {
		case "default":
			faults = append(faults, placed("default", f.readDefault(field.Value)))
		case "tasks":
			faults = append(faults, jsonobj.Prefixed("policy: tasks: ", f.readOverrides(field.Value)))
		default:
			faults = append(faults, jsonobj.Prefixed("policy: ", jsonobj.Unknown(field.Name, []string{"default", "tasks"})))
		}
	}
	slices.SortFunc(f.overrides, override.compare)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if err := f.checkOverrides(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) readDefault(data []byte) error {
	if err := f.base.UnmarshalJSON(data); err != nil {
		return err
	}
	return f.base.Validate()
}

func (f *File) readOverrides(data []byte) error {
	tasks, err := jsonobj.Fields(data)
	faults := []error{err}
	for _, task := range tasks {
		o := override{path: task.Name, names: strings.Split(task.Name, "/")}
		fields, err := jsonobj.Fields(task.Value)
		o.fields = fields
		var scratch Config
		err = errors.Join(o.checkPath(), err, scratch.readFields(fields))
		faults = append(faults, jsonobj.Prefixed(jsonobj.Quote([]byte(o.path))+": ", err))
		f.overrides = append(f.overrides, o)
	}
	return errors.Join(faults...)
}

func (o override) checkPath() error {
	for _, name := range o.names {
		if name == "" {
			return errors.New(`the path has an empty name; write one such as "root/db"`)
		}
		if _, err := path.Match(name, ""); err != nil {
			return fmt.Errorf("%s is not a pattern; close the bracket, or put a backslash before what is meant as it stands", jsonobj.Quote([]byte(name)))
		}
	}
	return nil
}

// Config returns the configuration of the task with a path, such as "root/db".
func (f *File) Config(path string) Config {
	c := f.base.clone()
	names := strings.Split(path, "/")
	for _, o := range f.overrides {
		if o.applies(names) {
			o.change(&c)
		}
	}
	return c
}

// change sets the override's fields, which have been read before.
func (o override) change(c *Config) { _ = c.readFields(o.fields) }

// For returns the policy of the task with a path. Tasks of equal configurations get
// one policy, at each call.
func (f *File) For(path string) Policy {
	c := f.Config(path)
	text := c.String()
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.policies[text]
	if !ok {
		p = must(c.Policy()) // ParseFile has tried all that can come together
		f.policies[text] = p
	}
	return p
}

// Paths returns the paths for which something differs, the less specific first.
func (f *File) Paths() []string {
	paths := make([]string, len(f.overrides))
	for i, o := range f.overrides {
		paths[i] = o.path
	}
	return paths
}
