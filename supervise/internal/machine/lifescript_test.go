package machine_test

import (
	"fmt"
	"strconv"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// lifeScript is a Life in a transcript. A command is a LifeKind in words, and then,
// optionally,
//
//	slow        the run is ready when it says so
//	worker N    which worker it is about; the one that serves the task otherwise
//	run N       which run it is about; the one under way, or the next, otherwise
//
// The answer is what is to be done, and how the task stands then.
type lifeScript struct{ life machine.Life }

func (s *lifeScript) do(words []string) ([]string, error) {
	kind, err := word[machine.LifeKind](words[0])
	if err != nil {
		return nil, err
	}
	in := machine.LifeInput{Kind: kind, Worker: s.life.Worker, Run: s.life.Pending()}
	for words = words[1:]; len(words) > 0; words = words[1:] {
		if words[0] == "slow" {
			in.Slow = true
			continue
		}
		if len(words) == 1 {
			return nil, fmt.Errorf("a number is missing")
		}
		n, err := strconv.ParseUint(words[1], 10, 32)
		if err != nil {
			return nil, err
		}
		switch words[0] {
		case "worker":
			in.Worker = uint32(n)
		case "run":
			in.Run = n
		default:
			return nil, fmt.Errorf("there is no %q", words[0])
		}
		words = words[1:]
	}
	effect := s.life.Step(in)
	return []string{fmt.Sprintf("%-20v %s", effect, standing(s.life))}, nil
}

// standing is how a task stands, in words.
func standing(l machine.Life) string {
	text := l.Phase.String()
	if l.Fault != machine.Healthy && l.UnderWay() {
		text += " " + l.Fault.String()
	}
	if l.Again {
		text += " again"
	}
	return fmt.Sprintf("%s, worker %d, run %d", text, l.Worker, l.Run)
}
