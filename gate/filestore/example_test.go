package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
	"github.com/holdfast-go/holdfast/policy"
)

// A process dies while a task of it is crash looping. The one after it, a minute
// later, holds the task for the rest of the time.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path, ctx := filepath.Join(dir, "gates.db"), context.Background()

	store, err := filestore.Open(path)
	if err != nil {
		panic(err)
	}
	g := gate.New(policy.Classic())
	for range 5 {
		g.ObserveCrash(noon, errors.New("exit status 1"))
	}
	if _, err := store.Save(ctx, "web", g.Snapshot(), 0); err != nil {
		panic(err)
	}
	store.Close()

	if store, err = filestore.Open(path); err != nil {
		panic(err)
	}
	defer store.Close()
	saved, revision, err := store.Load(ctx, "web")
	fmt.Println("revision", revision, err)
	next := gate.New(policy.Classic())
	if err := next.Restore(saved.Resume(noon.Add(time.Minute))); err != nil {
		panic(err)
	}
	fmt.Println(next.State())
	// Output:
	// revision 1 <nil>
	// crash looping until 2026-01-02T12:05:00Z
}
