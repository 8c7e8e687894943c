package supervise_test

import (
	"go/build"
	"strings"
	"testing"
)

// TestImports holds the direction of dependencies: supervise stands on gate and
// policy, and knows nothing of what stands on it.
func TestImports(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{
		"github.com/holdfast-go/holdfast/gate":   true,
		"github.com/holdfast-go/holdfast/policy": true,
		"golang.org/x/sync/semaphore":            true,
	}
	for _, path := range p.Imports {
		first, _, _ := strings.Cut(path, "/")
		if strings.Contains(first, ".") && !allowed[path] && !strings.HasPrefix(path, "github.com/holdfast-go/holdfast/supervise/internal/") {
			t.Errorf("it imports %s", path)
		}
	}
}
