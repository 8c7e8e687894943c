package machine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// script answers the commands of a transcript with what a machine does about them, a
// line for each thing.
type script interface {
	do(words []string) (answers []string, err error)
}

// TestTranscripts runs the scenarios in testdata. A line is prose (#), a command, or,
// indented below its command, the answer. Each scenario begins with one of
//
//	supervisor STRATEGY [, OPTION]…: TASK…   a Tree; see treeScript for what may follow
//	task                                     a Life; see lifeScript
//
// A command may begin with "at 1.5s", an instant for the reader: the machines know none.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no transcripts (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := replay(string(text))
			if err != nil {
				t.Fatalf("%s:%v", file, err)
			}
			golden(t, file, got)
		})
	}
}

// golden compares a file with what it should be, or writes it anew.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) == got {
		return
	}
	wants, gots := strings.Split(string(text), "\n"), strings.Split(got, "\n")
	for i := range max(len(wants), len(gots)) {
		want, got := "", ""
		if i < len(wants) {
			want = wants[i]
		}
		if i < len(gots) {
			got = gots[i]
		}
		if want != got {
			t.Fatalf("%s:%d:\n got %q\nwant %q", file, i+1, got, want)
		}
	}
}

// replay returns the transcript with the answers that the machines give.
func replay(text string) (string, error) {
	var (
		s   script
		out []string
	)
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "\t") {
			continue // an answer
		}
		out = append(out, line)
		if len(words) > 0 && words[0] == "at" {
			words = words[min(2, len(words)):]
		}
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		var (
			answers []string
			err     error
		)
		switch {
		case words[0] == "supervisor":
			s, err = newTreeScript(strings.Join(words[1:], " "))
		case words[0] == "task":
			s = &lifeScript{}
		case s == nil:
			err = fmt.Errorf("begin with a supervisor or a task")
		default:
			answers, err = s.do(words)
		}
		if err != nil {
			return "", fmt.Errorf("%d: %q: %w", i+1, line, err)
		}
		for _, answer := range answers {
			out = append(out, "\t"+answer)
		}
	}
	return strings.Join(out, "\n"), nil
}

// word finds which value of an enumeration has that name.
func word[T interface {
	~uint8
	fmt.Stringer
}](name string) (T, error) {
	for v := range T(32) {
		if v.String() == name {
			return v, nil
		}
	}
	return 0, fmt.Errorf("there is no %q", name)
}
