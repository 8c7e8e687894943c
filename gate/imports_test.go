package gate_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/holdfast-go/holdfast"

// The policy knows nothing of the gate, and the gate of nothing but the policy:
// only so can each be used alone.
func TestImports(t *testing.T) {
	for dir, allowed := range map[string][]string{
		".":                   {module + "/policy", module + "/internal/history", module + "/internal/jsonobj"},
		"gatetest":            {module + "/gate"},
		"../policy":           {module + "/internal/history", module + "/internal/jsonobj", "github.com/cenkalti/backoff/v4"},
		"../internal/history": {},
		"../internal/jsonobj": {},
	} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: found no files (%v)", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, path := range imports(t, file) {
				if !isStd(path) && !slices.Contains(allowed, path) {
					t.Errorf("%s imports %s, it may import only std and %s", file, path, allowed)
				}
			}
		}
	}
}

func imports(t *testing.T, file string) (paths []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// isStd reports whether path is of the standard library: no other path may do
// without a dot in its first element.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}
