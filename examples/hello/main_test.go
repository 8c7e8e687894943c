package main

import (
	"os"
	"strings"
	"testing"
)

// TestReadme holds the README's first example to the program that it shows, and
// its two commands to what is there.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, main, _ := strings.Cut(string(source), "func main() {")
	if block := "```go\nfunc main() {" + main + "```\n"; !strings.Contains(string(readme), block) {
		t.Errorf("README.md does not show this:\n%s", block)
	}
	if lines := strings.Count(main, "\n"); lines > 15 {
		t.Errorf("the example has %d lines; 15 are the most that a first screen bears", lines)
	}
	for _, command := range []string{"\ngo run ./examples/quickstart\n", "\ngo test ./...\n"} {
		if !strings.Contains(string(readme), command) {
			t.Errorf("README.md has no line %q", command)
		}
	}
}
