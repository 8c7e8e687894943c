package supervise_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/supervise"
)

// chapter is where a task is in its story, as the events tell it.
type chapter string

const (
	atUnheard chapter = "unheard of"
	atRunning chapter = "running"
	atHung    chapter = "abandoned" // and its Crash or Stop is to follow
	atBetween chapter = "between two runs"
	atOpened  chapter = "released"
	atEnded   chapter = "ended"
)

// story is that of one task.
type story struct {
	task string
	at   chapter
	run  uint64
	out  map[uint64]bool // runs that were abandoned and have not returned
}

// stories checks that what begins ends, once and in order, for each task.
type stories struct {
	of    map[any]*story
	order []*story
	wrong []string
}

// wrongs returns what is wrong with the events of a supervisor that has ended.
func wrongs(events []supervise.Event) []string {
	s := &stories{of: map[any]*story{}}
	for _, e := range events {
		st := s.of[e.Key()]
		if st == nil {
			st = &story{task: e.Task, at: atUnheard, out: map[uint64]bool{}}
			s.of[e.Key()] = st
			s.order = append(s.order, st)
		}
		s.take(st, e)
	}
	for _, st := range s.order {
		if st.at != atEnded {
			s.add("%s: at the end it is %s, run %d", st.task, st.at, st.run)
		}
	}
	return s.wrong
}

func (s *stories) add(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// follows is what may come before each kind of event.
var follows = map[supervise.Kind][]chapter{
	supervise.KindStart:   {atUnheard, atBetween, atOpened, atEnded},
	supervise.KindCrash:   {atRunning, atHung},
	supervise.KindExit:    {atRunning},
	supervise.KindRelease: {atUnheard, atBetween, atOpened, atEnded}, // it may be paused again
	supervise.KindGiveUp:  {atUnheard, atBetween, atOpened, atEnded},
	supervise.KindStop:    {atUnheard, atRunning, atHung, atBetween, atOpened, atEnded},
	supervise.KindAbandon: {atUnheard, atRunning, atBetween, atOpened, atEnded},
}

func (s *stories) take(st *story, e supervise.Event) {
	if e.Dropped > 0 {
		s.add("%d events were dropped", e.Dropped)
	}
	wrong := func(why string) {
		s.add("%s: %v of run %d when it is %s, run %d: %s", st.task, e.Kind, e.Run, st.at, st.run, why)
	}
	if allowed, ok := follows[e.Kind]; ok && !slices.Contains(allowed, st.at) {
		wrong("does not follow")
	}
	switch e.Kind {
	case supervise.KindStart:
		if e.Run <= st.run {
			wrong("the number is not new")
		}
		st.at, st.run = atRunning, e.Run
	case supervise.KindCrash, supervise.KindExit:
		s.ofRun(st, e, wrong)
		if st.at = atBetween; e.Last {
			st.at = atEnded
		}
	case supervise.KindRelease:
		st.at = atOpened
	case supervise.KindGiveUp:
		st.at = atEnded
	case supervise.KindStop:
		if st.at == atEnded && e.Ran != 0 {
			wrong("nothing ran")
		}
		st.at = atEnded
	case supervise.KindAbandon:
		if st.at == atRunning {
			s.ofRun(st, e, wrong)
		}
		st.at, st.run, st.out[e.Run] = atHung, e.Run, true
	case supervise.KindReturn:
		if !st.out[e.Run] {
			wrong("it was not abandoned")
		}
		delete(st.out, e.Run)
	default:
	}
}

func (*stories) ofRun(st *story, e supervise.Event, wrong func(string)) {
	if e.Run != st.run {
		wrong("of another run")
	}
}

// notReturned returns the runs that were abandoned and have not returned, such as
// "root/a 3", as the events tell it.
func notReturned(events []supervise.Event) []string {
	out := map[string]bool{}
	for _, e := range events {
		name := fmt.Sprint(e.Task, " ", e.Run)
		switch e.Kind {
		case supervise.KindAbandon:
			out[name] = true
		case supervise.KindReturn:
			delete(out, name)
		default:
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// leftBehind returns the runs that an error of Run names as abandoned, as notReturned
// does.
func leftBehind(err error) (names []string) {
	if left, ok := err.(*supervise.AbandonedError); ok {
		return []string{fmt.Sprint(left.Task, " ", left.Run)}
	}
	switch x := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range x.Unwrap() {
			names = append(names, leftBehind(inner)...)
		}
	case interface{ Unwrap() error }:
		names = leftBehind(x.Unwrap())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// inWords returns the events of a task in words, for what a failed test prints.
func inWords(events []supervise.Event) string {
	var lines []string
	for _, e := range events {
		text := ""
		if e.Err != nil {
			text = ": " + e.Err.Error()
			if errors.Is(e.Err, supervise.ErrAbandoned) && e.Kind == supervise.KindStop {
				text = ": abandoned"
			}
		}
		lines = append(lines, fmt.Sprint(e.At.Format("04:05.000 "), e.Task, " ", e.Kind, " ", e.Run, text))
	}
	return strings.Join(lines, "\n")
}
