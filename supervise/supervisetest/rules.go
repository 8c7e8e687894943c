package supervisetest

import (
	"fmt"
	"slices"
	"strings"
)

// rule is one of those that a Checker checks.
type rule struct{ name, reason string }

// The rules, in the order of the package's doc.
var (
	ruleDouble  = rule{"double", "two runs of a task get in each other's way: they hold the same port, and write the same file"}
	ruleNumber  = rule{"number", "what a run writes is fenced by its number, which must tell it from all others"}
	ruleEarly   = rule{"early", "the hold is there to spare what the task depends on, and its logs"}
	ruleEnds    = rule{"ends", "whoever counts runs, or measures them, would count wrongly from then on"}
	ruleRelease = rule{"release", "who watches a hold must learn when it is over, and that a start follows"}
	ruleOrder   = rule{"order", "an event that is older than the one before it turns the story around"}
	ruleStreak  = rule{"streak", "the policy decides by the crashes that are counted"}
	ruleLate    = rule{"late", "who stops the tree is promised that it takes no longer"}
	ruleLost    = rule{"lost", "nobody would notice that the task is gone, or that it still runs"}
	ruleDropped = rule{"dropped", "what an observer did not see cannot be checked; it must be fast, or want fewer kinds"}

	rules = []rule{ruleDouble, ruleNumber, ruleEarly, ruleEnds, ruleRelease, ruleOrder, ruleStreak, ruleLate, ruleLost, ruleDropped}
)

// mustRule panics, in the name of Except, if there is no rule of that name.
func mustRule(name string) {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.name
	}
	if !slices.Contains(names, name) {
		panic(fmt.Sprintf("supervisetest: Except: there is no rule %q; the rules are %s", name, strings.Join(names, ", ")))
	}
}
