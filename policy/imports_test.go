package policy_test

import (
	"go/build"
	"slices"
	"strings"
	"testing"
)

// A policy is of use without a gate and without a supervisor, and a conformance
// kit that needs more than the package it checks would not be used.
func TestImports(t *testing.T) {
	const core = "github.com/holdfast-go/holdfast/"
	for dir, allowed := range map[string][]string{
		".":          {core + "internal/history", core + "internal/jsonobj"},
		"policytest": {core + "internal/history", core + "policy"},
	} {
		p, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range p.Imports {
			if !isStd(path) && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s, it may import only std and %s", p.Name, path, allowed)
			}
		}
	}
}

// isStd reports whether path is of the standard library: no other path may do
// without a dot in its first element.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}
