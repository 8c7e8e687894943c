// Package filestore keeps the snapshots of gates in a file, so that a task that
// is crash looping still is after its process has died.
//
//	store, err := filestore.Open("/var/lib/myapp/gates.db")
//	…
//	defer store.Close()
//	revision, err := store.Save(ctx, "web", g.Snapshot(), revision)
//
// What Save has returned for survives the death of the process at any instant,
// and of the machine as far as its disk keeps what was synced. A Save that was
// under way is there as a whole or not at all. Saves that come in while the disk
// is busy share the next sync.
//
// The file is a bbolt database (go.etcd.io/bbolt): one file of copied-on-write
// pages that needs no recovery and no background work, has been in the field for
// a decade as the store of etcd, and depends on nothing but golang.org/x/sys. It
// is a module of its own, so that those who do not use it do not depend on it.
// bbolt trusts its file; this package does not, and reads through all of it on
// [Open]. What somebody else changes in it while it is open cannot all be noticed, but
// is an error and not the end of the process where it is.
package filestore
