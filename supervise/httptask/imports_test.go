package httptask_test

import (
	"go/build"
	"strings"
	"testing"
)

// TestImports holds that the package stands on the standard library and what any task can
// see of package supervise.
func TestImports(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.Imports {
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && path != "github.com/holdfast-go/holdfast/supervise" {
			t.Errorf("it imports %s", path)
		}
	}
}
