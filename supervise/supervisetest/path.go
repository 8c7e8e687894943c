package supervisetest

import (
	"fmt"
	"path"
	"strings"
)

// below ends a pattern that is for a task and all below it.
const below = "/..."

// checkPath returns what is wrong with a pattern of paths.
func checkPath(pattern string) error {
	stem := strings.TrimSuffix(pattern, below)
	if _, err := path.Match(stem, ""); err != nil {
		return fmt.Errorf(`(%q) has a bracket that is not closed, or ends in a backslash; write it as path.Match takes it, such as "shop/db/*"`, pattern)
	}
	return nil
}

// matches reports whether the pattern is for the task. The empty one is for all, as is
// "...".
func matches(pattern, task string) bool {
	if pattern == "" || pattern == task || pattern == below[1:] {
		return true
	}
	stem, deep := strings.CutSuffix(pattern, below)
	if deep {
		parts := strings.Split(task, "/")
		depth := strings.Count(stem, "/") + 1
		task = strings.Join(parts[:min(depth, len(parts))], "/")
	}
	ok, err := path.Match(stem, task)
	return ok && err == nil
}

// matchesAny reports whether one of the patterns is for the task. None are for all.
func matchesAny(patterns []string, task string) bool {
	for _, pattern := range patterns {
		if matches(pattern, task) {
			return true
		}
	}
	return len(patterns) == 0
}

// mustPaths panics, in the name of the caller, if a pattern is malformed.
func mustPaths(caller string, patterns []string) {
	for _, pattern := range patterns {
		if err := checkPath(pattern); err != nil {
			panic(fmt.Sprintf("supervisetest: %s: the path %v", caller, err))
		}
	}
}
