package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "tick.svg")
	var out bytes.Buffer
	if err := run(&out, picture, 1000); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "ns each") != 4 || strings.Count(got, "\n") != 6 {
		t.Errorf("it says\n%s", got)
	}
	drawn, err := os.ReadFile(picture)
	if err != nil || !bytes.HasSuffix(drawn, []byte("</svg>\n")) || bytes.Contains(drawn, []byte("NaN")) {
		t.Errorf("the picture ends in %q (%v)", drawn[max(len(drawn)-20, 0):], err)
	}
}
