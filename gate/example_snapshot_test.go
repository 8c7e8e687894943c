package gate_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// A gate that is saved and restored holds on where it was, so that a crash loop
// does not start anew with each restart of what supervises it.
func ExampleGate_Restore() {
	g := gate.New(policy.Classic())
	g.ObserveStart(noon)
	for range 5 {
		g.ObserveCrash(noon, errors.New("exit status 1"))
	}
	saved, err := json.Marshal(g.Snapshot())
	if err != nil {
		panic(err)
	}

	// In the next process:
	var snapshot gate.Snapshot
	if err := json.Unmarshal(saved, &snapshot); err != nil {
		panic(err)
	}
	restored := gate.New(policy.Classic())
	if err := restored.Restore(snapshot); err != nil {
		panic(err)
	}
	fmt.Println(restored.State())
	fmt.Println("last error:", restored.History().Err())

	snapshot.Version++
	fmt.Println(restored.Restore(snapshot))
	// Output:
	// crash looping until 2026-01-02T12:05:00Z
	// last error: exit status 1
	// gate: snapshot version (3) is not one that this program reads, 1 to 2; restore it with the program that wrote it, or start from a fresh gate
}
