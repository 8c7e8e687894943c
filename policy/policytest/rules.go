package policytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/policy"
)

// rule is one clause of the contract. Its check returns what was seen that
// breaks it, or nothing.
type rule struct {
	name, reason string
	check        func(c *checker) string
}

// rules are in the order of what follows from what.
var rules = []rule{
	{"panic", "a gate contains a panic, but then holds the task as policy.Default would and not as was meant",
		(*checker).checkPanic},
	{"delay", "a gate takes a negative delay for zero, so the task restarts at once and may spin",
		(*checker).checkDelay},
	{"verdict", "a gate takes an unknown verdict for a crash loop",
		(*checker).checkVerdict},
	{"pure", "one policy serves any number of tasks, and a decision is replayed to explain or to simulate it",
		(*checker).checkPure},
	{"history", "the history belongs to the gate, and what a policy changes in it the next decision takes for a fact",
		(*checker).checkHistory},
	{"clean", "a task that should always run is restarted after a clean exit too, where there is no error",
		(*checker).checkClean},
	{"overflow", "what wraps around becomes a restart at once, just when a task has crashed for longest",
		(*checker).checkOverflow},
	{"concurrent", "the gates of many tasks ask one policy at the same time",
		(*checker).checkConcurrent},
	{"forget", "a stable run, the end of a crash loop and a force release promise a fresh start",
		(*checker).checkForget},
	{"saved", "a gate that is restored after the death of its process goes on where it was",
		(*checker).checkSaved},
}

func names() (all []string) {
	for _, r := range rules {
		all = append(all, r.name)
	}
	return all
}

func (c *checker) checkPanic() string {
	for _, past := range crashes {
		if a := c.about(&past.History); a.panicked != "" {
			return fmt.Sprintf("%s: %v", past.name, a)
		}
	}
	return ""
}

func (c *checker) checkDelay() string {
	for _, past := range slices.Concat(crashes, cleanExits) {
		if a := c.about(&past.History); a.Delay < 0 {
			return fmt.Sprintf("%s: %v", past.name, a)
		}
	}
	return ""
}

func (c *checker) checkVerdict() string {
	for _, past := range slices.Concat(crashes, cleanExits) {
		if a := c.about(&past.History); a.Verdict > policy.GiveUp {
			return fmt.Sprintf("%s: %v", past.name, a)
		}
	}
	return ""
}

// checkPure asks forwards and backwards, so that what is remembered from one
// history shows with another, and replays a life as a whole.
func (c *checker) checkPure() string {
	pasts := slices.Concat(crashes, cleanExits)
	first := make([]answer, len(pasts))
	for i := range pasts {
		first[i] = c.about(&pasts[i].History)
	}
	for i, past := range slices.Backward(pasts) {
		if again := c.about(&past.History); again != first[i] {
			return fmt.Sprintf("%s: first %v, asked again %v", past.name, first[i], again)
		}
	}
	once, again := policy.Simulate(c.policy, life), policy.Simulate(c.policy, life)
	for i := range min(len(once), len(again)) { // where one ends early, the last step tells
		if once[i] != again[i] {
			return fmt.Sprintf("run %d of a simulation was held by %v for %v, when replayed by %v for %v",
				i+1, once[i].Verdict, once[i].Hold, again[i].Verdict, again[i].Hold)
		}
	}
	return ""
}

func (c *checker) checkHistory() string {
	for _, past := range slices.Concat(crashes, cleanExits) {
		asked, forgotten := past.Clone(), past.Clone()
		if c.ask(&asked).panicked != "" {
			continue
		}
		forgotten.Forget()
		before, after := content(&past.History), content(&asked)
		kept := reflect.DeepEqual(after, before) || reflect.DeepEqual(after, content(&forgotten))
		if !kept || !errors.Is(asked.Err(), past.Err()) {
			return fmt.Sprintf("%s: the history was %s, and afterwards %s", past.name, text(before), text(after))
		}
	}
	return ""
}

// content is what h holds, but for how far back it was asked.
func content(h *policy.History) policy.Record {
	r := h.Record()
	r.Depth = 0
	return r
}

func text(r policy.Record) string {
	data, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func (c *checker) checkClean() string {
	for _, past := range cleanExits {
		if a := c.about(&past.History); a.panicked != "" && !c.waived["panic"] {
			return fmt.Sprintf("%s: %v", past.name, a)
		}
	}
	return ""
}

func (c *checker) checkOverflow() string {
	for _, past := range extremes() {
		a := c.about(&past.History)
		if a.panicked != "" && !c.waived["panic"] || a.Delay < 0 && !c.waived["delay"] {
			return fmt.Sprintf("%s: %v", past.name, a)
		}
	}
	return ""
}

func (c *checker) checkConcurrent() string {
	const goroutines, rounds = 8, 16
	alone := make([]answer, len(crashes))
	for i := range crashes {
		alone[i] = c.about(&crashes[i].History)
	}
	seen := make([]string, goroutines)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			<-begin
			for range rounds {
				for i := range crashes {
					if a := c.about(&crashes[i].History); a != alone[i] {
						seen[g] = fmt.Sprintf("%s: alone %v, among %d goroutines %v", crashes[i].name, alone[i], goroutines, a)
					}
				}
			}
		})
	}
	close(begin)
	wg.Wait()
	if c.waived["pure"] {
		return ""
	}
	return slices.Max(seen)
}

func (c *checker) checkForget() string {
	for _, pair := range rivals {
		one, other := pair[0].Clone(), pair[1].Clone()
		one.Forget()
		other.Forget()
		if a, b := c.ask(&one), c.ask(&other); a != b && !c.waived["pure"] {
			return fmt.Sprintf("%s, forgotten: %v; but %s, forgotten: %v", pair[0].name, a, pair[1].name, b)
		}
	}
	return ""
}

func (c *checker) checkSaved() string {
	for _, past := range crashes {
		if !past.savable() {
			continue
		}
		saved, err := reload(&past.History)
		if err != nil {
			return fmt.Sprintf("%s: it cannot be loaded: %v", past.name, err)
		}
		if a, b := c.about(&past.History), c.ask(saved); a != b && !c.waived["pure"] {
			return fmt.Sprintf("%s: %v; when saved and loaded: %v", past.name, a, b)
		}
	}
	return ""
}

// reload returns h as another process would have it.
func reload(h *policy.History) (*policy.History, error) {
	data, err := json.Marshal(h.Record())
	if err != nil {
		return nil, err
	}
	var r policy.Record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	loaded := new(policy.History)
	return loaded, loaded.Load(r)
}
