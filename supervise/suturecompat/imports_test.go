package suturecompat_test

import (
	"go/build"
	"strings"
	"testing"
)

// TestImports holds that the package does without suture.
func TestImports(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{
		"github.com/holdfast-go/holdfast/policy":    true,
		"github.com/holdfast-go/holdfast/supervise": true,
	}
	for _, path := range p.Imports {
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && !allowed[path] {
			t.Errorf("it imports %s", path)
		}
	}
}
