package supervisetest

import "testing"

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, task string
		want          bool
	}{
		{"", "root/db", true},
		{"...", "root/db", true},
		{"root/db", "root/db", true},
		{"root/db", "root/dbx", false},
		{"root/*", "root/db", true},
		{"root/*", "root/db/pool", false},
		{"root/*/pool", "root/db/pool", true},
		{"root/d?", "root/db", true},
		{"root/[a-d]b", "root/db", true},
		{"root/[", "root/[", true}, // as it is
		{"root/[", "root/x", false},
		{"root/db/...", "root/db", true},
		{"root/db/...", "root/db/pool", true},
		{"root/db/...", "root/db/pool/conn", true},
		{"root/db/...", "root/dbx", false},
		{"root/db/...", "root", false},
		{"root/*/...", "root/db/pool/conn", true},
		{"root/*/...", "root", false},
		{"/...", "root", false},
		{"root", "poll", false},
	} {
		if got := matches(c.pattern, c.task); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.task, got)
		}
	}
}
