package process_test

import (
	"go/build"
	"strings"
	"testing"
)

// TestImports holds that a process is a task like any other: it needs nothing but
// what package supervise shows to all.
func TestImports(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.Imports {
		first, _, _ := strings.Cut(path, "/")
		if strings.Contains(first, ".") && path != "github.com/holdfast-go/holdfast/supervise" {
			t.Errorf("it imports %s", path)
		}
	}
}
