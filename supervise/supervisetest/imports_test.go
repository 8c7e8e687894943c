package supervisetest_test

import (
	"go/build"
	"strings"
	"testing"
)

// TestImports holds the direction of dependencies: this package stands on supervise and
// what is below it, and links no test framework into whoever uses it.
func TestImports(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/holdfast-go/holdfast/"
	for _, path := range p.Imports {
		first, _, _ := strings.Cut(path, "/")
		switch path {
		case module + "supervise", module + "supervise/internal/inject", module + "gate":
		default:
			if strings.Contains(first, ".") || first == "testing" {
				t.Errorf("it imports %s", path)
			}
		}
	}
}
