package policy_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/policy"
)

// One file for all tasks of a program: what differs from the default, and what
// differs for some tasks and all that is below them.
func ExampleParseFile() {
	file, err := policy.ParseFile([]byte(`{
		"default": {"spread": 0, "cooldowns": []},
		"tasks": {
			"root/db":       {"initial": "2s"},
			"root/worker-*": {"initial": "1s", "max_crashes": "20 in 1h"},
			"root/worker-7": {"max_crashes": "none"}
		}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"root", "root/db/pool", "root/worker-1", "root/worker-7"} {
		fmt.Printf("%-14s%v\n", path, file.For(path))
	}
	fmt.Println(file.For("root/worker-1") == file.For("root/worker-2"))
	// Output:
	// root          StableRun(1m) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(500ms ×2 ≤ 1m)
	// root/db/pool  StableRun(1m) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(2s ×2 ≤ 1m)
	// root/worker-1 StableRun(1m) ─► MaxCrashes(20 in 1h) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(1s ×2 ≤ 1m)
	// root/worker-7 StableRun(1m) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(1s ×2 ≤ 1m)
	// true
}

// Each fault has its place.
func ExampleParseFile_faults() {
	_, err := policy.ParseFile([]byte(`{"tasks": {"root/db": {"initial": "5s", "mx": "1s"}, "/root": {}}}`))
	fmt.Println(err)
	_, err = policy.ParseFile([]byte(`{"tasks": {"root": {"max": "1s"}, "root/db": {"initial": "5s"}}}`))
	fmt.Println(err)
	// Output:
	// policy: tasks: root/db: mx: there is no such field; did you mean max?
	// policy: tasks: /root: the path has an empty name; write one such as "root/db"
	// policy: tasks: root/db: max (1s) is below initial (5s); raise max
}
