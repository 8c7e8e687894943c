package policytest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/internal/history"
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
	{"clean", "a task that should always run is restarted after a clean exit too, where there is no error",
		(*checker).checkClean},
	{"overflow", "what wraps around becomes a restart at once, just when a task has crashed for longest",
		(*checker).checkOverflow},
	{"odd", "clocks that are not set show such instants, and the task must be held all the same",
		(*checker).checkOdd},
	{"concurrent", "the gates of many tasks ask one policy at the same time",
		(*checker).checkConcurrent},
	{"forget", "the slate is wiped before the decision is recorded, and what was on it must not show in the hold; decide by h.Fresh()",
		(*checker).checkForget},
	{"uncounted", "a crash loop that no crash has tripped would never be understood; count the crash, or restart",
		(*checker).checkUncounted},
	{"saved", "a gate that is restored after the death of its process goes on where it was",
		(*checker).checkSaved},
}

func names() (all []string) {
	for _, r := range rules {
		all = append(all, r.name)
	}
	return all
}

// first returns what is wrong with the first of the pasts with which something is, as
// they are or with a clean slate.
func (c *checker) first(pasts []past, wrong func(a answer) bool) string {
	for _, p := range pasts {
		if a := c.about(p); wrong(a) {
			return fmt.Sprintf("%s: %v", p.name, a)
		}
		if a := c.aboutFresh(p); wrong(a) {
			return fmt.Sprintf("%s, with a clean slate: %v", p.name, a)
		}
	}
	return ""
}

func (c *checker) checkPanic() string {
	return c.first(crashes, func(a answer) bool { return a.panicked != "" })
}

func (c *checker) checkDelay() string {
	return c.first(slices.Concat(crashes, cleanExits), func(a answer) bool { return a.Delay < 0 })
}

func (c *checker) checkVerdict() string {
	return c.first(slices.Concat(crashes, cleanExits), func(a answer) bool { return a.Verdict > policy.GiveUp })
}

// checkPure asks forwards and backwards, so that what is remembered from one
// history shows with another, and replays a life as a whole.
func (c *checker) checkPure() string {
	pasts := slices.Concat(crashes, cleanExits)
	first := make([]answer, len(pasts))
	for i, p := range pasts {
		first[i] = c.about(p)
	}
	for i, p := range slices.Backward(pasts) {
		if again := c.about(p); again != first[i] {
			return fmt.Sprintf("%s: first %v, asked again %v", p.name, first[i], again)
		}
	}
	once, again := policy.Simulate(c.policy, life), policy.Simulate(c.policy, life)
	for i := range min(len(once), len(again)) { // where one ends early, the last step shows it
		if once[i] != again[i] {
			return fmt.Sprintf("run %d of a simulation was held by %v for %v, when replayed by %v for %v",
				i+1, once[i].Verdict, once[i].Hold, again[i].Verdict, again[i].Hold)
		}
	}
	return ""
}

func (c *checker) checkClean() string {
	return c.first(cleanExits, func(a answer) bool { return a.panicked != "" && !c.waived["panic"] })
}

func (c *checker) checkOverflow() string { return c.first(extremes(), c.harmful) }

func (c *checker) checkOdd() string {
	pasts := odd()
	if c.waived["clean"] {
		pasts = slices.DeleteFunc(pasts, func(p past) bool { return p.log.Err() == nil })
	}
	return c.first(pasts, c.harmful)
}

// harmful reports whether an answer breaks one of the first rules, and that has not
// been found before.
func (c *checker) harmful(a answer) bool {
	return a.panicked != "" && !c.waived["panic"] || a.Delay < 0 && !c.waived["delay"] || a.Verdict > policy.GiveUp && !c.waived["verdict"]
}

func (c *checker) checkConcurrent() string {
	const goroutines, rounds = 8, 16
	alone := make([]answer, len(crashes))
	for i, p := range crashes {
		alone[i] = c.about(p)
	}
	seen := make([]string, goroutines)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			<-begin
			for range rounds {
				for i, p := range crashes {
					if a := c.about(p); a != alone[i] {
						seen[g] = fmt.Sprintf("%s: alone %v, among %d goroutines %v", p.name, alone[i], goroutines, a)
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
	for _, p := range slices.Concat(crashes, cleanExits) {
		a := c.about(p)
		if !a.Fresh {
			continue
		}
		b := c.aboutFresh(p)
		if b.Fresh = true; a != b && !c.waived["pure"] && b.panicked == "" {
			return fmt.Sprintf("%s: %v, but with a clean slate before, %v", p.name, a, b)
		}
	}
	return ""
}

func (c *checker) checkUncounted() string {
	return c.first(slices.Concat(crashes, cleanExits), func(a answer) bool { return a.Uncounted && a.Verdict == policy.CrashLooping })
}

func (c *checker) checkSaved() string {
	for _, p := range crashes {
		if !p.savable() {
			continue
		}
		saved, err := reload(p)
		if err != nil {
			return fmt.Sprintf("%s: it cannot be loaded: %v", p.name, err)
		}
		if a, b := c.about(p), c.about(saved); a != b && !c.waived["pure"] {
			return fmt.Sprintf("%s: %v; when saved and loaded: %v", p.name, a, b)
		}
	}
	return ""
}

// reload returns p as another process would have it.
func reload(p past) (past, error) {
	data, err := json.Marshal(policy.Record(p.log.Record()))
	if err != nil {
		return past{}, err
	}
	var r policy.Record
	if err := json.Unmarshal(data, &r); err != nil {
		return past{}, err
	}
	loaded := past{p.name, new(history.Log)}
	return loaded, loaded.log.Load(history.Record(r))
}
