package machine_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// treeScript is a Tree in a transcript. It begins with its strategy, then options after
// commas (unordered, all significant, drop dynamic, abandoned at most N), a colon, and the
// tasks in start order, with their traits: a b(slow,significant). The commands are
//
//	open, shutdown           Run begins; it is to end
//	crashed a                a crashed, and its worker waits at the gate
//	ended a HOW              the worker of a has ended: stopped, renewed, opened, completed, failed or gave up
//	ready a [N]              its worker, that of its Nth start, is ready; the last otherwise
//	left a, returned a       a run of a was abandoned; it has returned
//	stop a, remove a         an operator wants that
//	renew a [N]              so, too; or the Nth wish for a came back
//	add TASK                 a task is added
//	compact                  the places of removed tasks are used again
//	look                     how all stand
type treeScript struct {
	tree    *machine.Tree
	names   []string // by index
	serials []uint32 // of the last starts
}

func newTreeScript(text string) (*treeScript, error) {
	head, tasks, found := strings.Cut(text, ":")
	if !found {
		return nil, fmt.Errorf("a colon and the tasks are missing")
	}
	options := strings.Split(head, ", ")
	var c machine.Config
	switch options[0] {
	case "one for one":
	case "one for all":
		c.Strategy = machine.OneForAll
	case "rest for one":
		c.Strategy = machine.RestForOne
	default:
		return nil, fmt.Errorf("there is no strategy %q", options[0])
	}
	for _, option := range options[1:] {
		switch option {
		case "unordered":
			c.Unordered = true
		case "all significant":
			c.AllSignificant = true
		case "drop dynamic":
			c.DropDynamic = true
		default:
			if _, err := fmt.Sscanf(option, "abandoned at most %d", &c.MaxAbandoned); err != nil {
				return nil, fmt.Errorf("there is no option %q", option)
			}
		}
	}
	s := &treeScript{tree: machine.NewTree(c)}
	for _, task := range strings.Fields(tasks) {
		if _, err := s.add(task); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *treeScript) do(words []string) ([]string, error) {
	name := ""
	if len(words) > 1 {
		name = words[1]
	}
	switch words[0] {
	case "add":
		return s.add(name)
	case "compact":
		return []string{s.compact()}, nil
	case "look":
		return []string{s.look()}, nil
	}
	kind, err := word[machine.Kind](words[0])
	if err != nil {
		return nil, err
	}
	in := machine.Input{Kind: kind}
	if kind != machine.Open && kind != machine.Shutdown {
		if in.Index, err = s.find(name); err != nil {
			return nil, err
		}
		words = words[1:]
	}
	detail := strings.Join(words[1:], " ")
	switch {
	case kind == machine.Ended:
		in.End, err = word[machine.End](detail)
	case detail != "":
		_, err = fmt.Sscan(detail, &in.Serial)
	case kind == machine.IsReady:
		in.Serial = s.serials[in.Index]
	}
	if err != nil {
		return nil, err
	}
	return s.tell(s.tree.Step(in)), nil
}

// find returns the index of a task, of the last one of that name.
func (s *treeScript) find(name string) (int, error) {
	for i, other := range slices.Backward(s.names) {
		if other == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("there is no task %q", name)
}

func (s *treeScript) compact() string {
	var names []string
	var serials []uint32
	for i, name := range s.names {
		if s.tree.Stance(i) != machine.Gone {
			names, serials = append(names, name), append(serials, s.serials[i])
		}
	}
	if !s.tree.Compact() {
		return "nothing"
	}
	s.names, s.serials = names, serials
	return fmt.Sprint("places: ", s.tree.Len())
}

// add adds a task in words, such as b(slow,once).
func (s *treeScript) add(text string) ([]string, error) {
	var traits machine.Traits
	name, rest, _ := strings.Cut(text, "(")
	for trait := range strings.SplitSeq(strings.TrimSuffix(rest, ")"), ",") {
		switch trait {
		case "":
		case "slow":
			traits |= machine.Slow
		case "once":
			traits |= machine.Once
		case "significant":
			traits |= machine.Significant
		case "optional":
			traits |= machine.Optional
		default:
			return nil, fmt.Errorf("there is no trait %q", trait)
		}
	}
	s.names = append(s.names, name)
	s.serials = append(s.serials, 0)
	_, effects := s.tree.Add(traits)
	return s.tell(effects), nil
}

// tell returns the effects in words.
func (s *treeScript) tell(effects []machine.Effect) []string {
	var answers []string
	for _, e := range effects {
		if e.Do == machine.Start {
			s.serials[e.Index] = e.Serial
		}
		answers = append(answers, s.inWords(e))
	}
	if len(answers) == 0 {
		return []string{"nothing"}
	}
	return answers
}

func (s *treeScript) inWords(e machine.Effect) string {
	text := e.Do.String()
	switch e.Do {
	case machine.Settled, machine.Finish:
		return text
	case machine.Begun:
		text += " " + e.Why.String()
		if e.Why == machine.ForGiveUp || e.Why == machine.ForCompletion {
			text += " " + s.names[e.Index]
		}
		return text
	}
	text += " " + s.names[e.Index]
	switch {
	case e.Do == machine.Halt:
		text += " " + e.Why.String()
	case e.Do == machine.Start && e.Serial > 1:
		text += " (" + strconv.Itoa(int(e.Serial)) + ")"
	case e.Do == machine.RenewWorker:
		text += " (wish " + strconv.Itoa(int(e.Serial)) + ")"
	}
	return text
}

// look returns how all tasks stand.
func (s *treeScript) look() string {
	var all []string
	for i, name := range s.names {
		if s.tree.Stance(i) == machine.Gone {
			continue
		}
		text := name + " " + s.tree.Stance(i).String()
		if by, blocked := s.tree.Blocker(i); blocked {
			text += " for " + s.names[by]
		}
		all = append(all, text)
	}
	if all == nil {
		return "no task"
	}
	return strings.Join(all, ", ")
}
