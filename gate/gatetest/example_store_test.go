package gatetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

// A test of an implementation is one line.
func ExampleStore() {
	_ = func(t *testing.T) {
		gatetest.Store(t, func(dir string) (gate.Store, error) { return &gatetest.MemoryStore{}, nil })
	}
}

// A process takes up where the one before it has ended.
func ExampleMemoryStore() {
	var store gatetest.MemoryStore
	ctx := context.Background()
	crashed := time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)

	before := gate.New(policy.Classic())
	before.ObserveCrash(crashed, errors.New("exit status 1"))
	revision, err := store.Save(ctx, "web", before.Snapshot(), 0)
	fmt.Println("saved as revision", revision, err)

	saved, revision, err := store.Load(ctx, "web")
	fmt.Println("loaded revision", revision, err)
	after := gate.New(policy.Classic())
	if err := after.Restore(saved.Resume(crashed.Add(100 * time.Millisecond))); err != nil {
		fmt.Println(err)
	}
	fmt.Println(after.State())

	_, err = store.Save(ctx, "web", before.Snapshot(), 0) // the first process is not dead after all
	fmt.Println("conflict:", errors.Is(err, gate.ErrConflict))
	// Output:
	// saved as revision 1 <nil>
	// loaded revision 1 <nil>
	// backing off until 2026-01-02T12:00:00.5Z
	// conflict: true
}
