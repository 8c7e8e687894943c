package gatetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

var storeRules = []storeRule{
	{"nothing", "a task is saved for the first time as any other", nothing},
	{"same", "a hold that comes back shorter frees a task that crashes", sameAsSaved},
	{"revision", "two saves that cannot be told apart overwrite each other", ownRevision},
	{"conflict", "a process that was thought dead must not overwrite the one that took over", conflict},
	{"delete", "a task that was removed and added again is another one", deleted},
	{"keys", "a task's path has slashes, dots and whatever its user likes in it", keysApart},
	{"copy", "the caller goes on using what it gave and got", keepsNoPart},
	{"concurrent", "each task is saved by a goroutine of its own", concurrent},
	{"context", "a shutdown cannot wait for a disk that hangs", doneContext},
	{"durable", "surviving is what a store is for", durable},
}

// Of crashes that were, before a snapshot is taken.
var (
	errStored = errors.New("exit status 1: \"ümlaut\"\x00\xff")
	epoch     = time.Date(2026, time.January, 2, 3, 4, 5, 678_901_234, time.FixedZone("", 3600))
	ctx       = context.Background()
)

// The snapshots by number, as far as a rule needs one of a kind.
const (
	unused = iota
	running
	idle
	backingOff
	looping
	gaveUp
	longError
	paused
)

// snapshots are of gates in all states, each in another; the same at each call.
func snapshots() []gate.Snapshot {
	all := make([]gate.Snapshot, paused+1)
	crashed := func(n, times int) *gate.Tracker {
		t := seeded(n)
		for i := range times {
			t.ObserveStart(epoch.Add(time.Duration(i) * time.Second))
			t.ObserveCrash(epoch.Add(time.Duration(i)*time.Second+time.Millisecond), errStored)
		}
		all[n] = t.Snapshot()
		return t
	}
	all[unused] = new(gate.Tracker).Snapshot()
	t := seeded(running)
	t.ObserveStart(epoch)
	all[running] = t.Snapshot()
	t = crashed(idle, 1)
	t.ForceRelease()
	all[idle] = t.Snapshot()
	crashed(backingOff, 1)
	crashed(looping, 12)
	crashed(gaveUp, 12)
	all[gaveUp].Phase, all[gaveUp].Until = gate.GaveUp, time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC)
	t = seeded(longError)
	t.ObserveCrash(epoch.AddDate(-60, 0, 0), errStored)
	all[longError] = t.Snapshot()
	all[longError].History.Err = strings.Repeat("a long error\n", 1000)
	t = crashed(paused, 2)
	t.Pause(gate.By{Who: "ümlaut", Why: "the disk is \"full\""})
	all[paused] = t.Snapshot()
	return all
}

// seeded returns a fresh tracker whose random draws are the same each time.
func seeded(n int) *gate.Tracker {
	t := &gate.Tracker{}
	s := t.Snapshot()
	s.History.Seed = uint64(n) + 1
	_ = t.Restore(s) // it is valid
	return t
}

// text is all of a snapshot but the location of its instants, and bytes of the
// error that are no text.
func text(s gate.Snapshot) []byte {
	s.Until, s.History.Start = s.Until.UTC(), s.History.Start.UTC()
	encoded, err := json.Marshal(s)
	if err != nil {
		return []byte(err.Error())
	}
	return encoded
}

// wantSaved returns an error unless s is saved under key, of the revision.
func (b *bench) wantSaved(key string, s gate.Snapshot, revision uint64) error {
	got, at, err := b.Load(ctx, key)
	switch {
	case err != nil:
		return fmt.Errorf("Load(%.40q): %w", key, err)
	case at != revision:
		return fmt.Errorf("Load(%.40q) is of revision %d, want %d", key, at, revision)
	case !bytes.Equal(text(got), text(s)):
		return fmt.Errorf("Load(%.40q) is %.500s, want %.500s", key, text(got), text(s))
	}
	return nil
}

func (b *bench) wantNothing(key string) error { return b.wantSaved(key, gate.Snapshot{}, 0) }

// wantConflict returns an error unless saving on the revision is a conflict.
func (b *bench) wantConflict(key string, revision uint64) error {
	if _, err := b.Save(ctx, key, snapshots()[running], revision); !errors.Is(err, gate.ErrConflict) {
		return fmt.Errorf("Save on revision %d: error %w, want ErrConflict", revision, err)
	}
	return nil
}

func nothing(b *bench) error {
	if err := b.wantNothing("task"); err != nil {
		return err
	}
	revision, err := b.Save(ctx, "task", snapshots()[backingOff], 0)
	if err != nil {
		return err
	}
	return errors.Join(b.wantSaved("task", snapshots()[backingOff], revision), b.wantNothing("another"))
}

func sameAsSaved(b *bench) error {
	var revision uint64
	for _, s := range snapshots() {
		var err error
		if revision, err = b.Save(ctx, "task", s, revision); err != nil {
			return err
		}
		if err := b.wantSaved("task", s, revision); err != nil {
			return err
		}
	}
	return nil
}

func ownRevision(b *bench) error {
	seen := map[uint64]bool{0: true}
	var revision uint64
	for i := range 20 {
		var err error
		if revision, err = b.Save(ctx, "task", snapshots()[unused], revision); err != nil {
			return err
		}
		if seen[revision] {
			return fmt.Errorf("save %d has revision %d, which is 0 or of a save before", i+1, revision)
		}
		seen[revision] = true
		if i%5 == 4 {
			if err := b.Delete(ctx, "task"); err != nil {
				return err
			}
			revision = 0
		}
	}
	return nil
}

func conflict(b *bench) error {
	if err := b.wantConflict("task", 7); err != nil {
		return err
	}
	first, err := b.Save(ctx, "task", snapshots()[unused], 0)
	if err != nil {
		return err
	}
	second, err := b.Save(ctx, "task", snapshots()[backingOff], first)
	if err != nil {
		return err
	}
	return errors.Join(b.wantConflict("task", 0), b.wantConflict("task", first), b.wantConflict("task", second+1),
		b.wantSaved("task", snapshots()[backingOff], second))
}

func deleted(b *bench) error {
	first, err := b.Save(ctx, "task", snapshots()[backingOff], 0)
	if err != nil {
		return err
	}
	if err := errors.Join(b.Delete(ctx, "task"), b.Delete(ctx, "task"), b.Delete(ctx, "never saved")); err != nil {
		return err
	}
	if err := errors.Join(b.wantNothing("task"), b.wantConflict("task", first), b.wantNothing("task")); err != nil {
		return err
	}
	second, err := b.Save(ctx, "task", snapshots()[unused], 0)
	if err != nil {
		return err
	}
	return errors.Join(b.wantConflict("task", first), b.wantSaved("task", snapshots()[unused], second))
}

func keysApart(b *bench) error {
	keys := []string{"a", "b", "A", "a/b", "a/b/", "/", "a\x00", "a\x00b", "ä", "\xff\xfe", "..", "a ", " ", "\n", strings.Repeat("k", 1023), strings.Repeat("k", 1024)}
	revisions := make([]uint64, len(keys))
	all := snapshots()
	for i, key := range keys {
		var err error
		if revisions[i], err = b.Save(ctx, key, all[i%len(all)], 0); err != nil {
			return fmt.Errorf("Save(%.40q): %w", key, err)
		}
	}
	for i, key := range keys {
		if err := b.wantSaved(key, all[i%len(all)], revisions[i]); err != nil {
			return err
		}
		if err := errors.Join(b.Delete(ctx, key), b.wantNothing(key)); err != nil {
			return err
		}
	}
	if _, err := b.Save(ctx, "", all[0], 0); err == nil {
		return errors.New("Save under an empty key has no error")
	}
	return nil
}

func keepsNoPart(b *bench) error {
	spoil := func(s gate.Snapshot) {
		if len(s.History.Crashes) > 0 {
			s.History.Crashes[0] = -1
		}
		if s.PausedBy != nil {
			s.PausedBy.Who = "somebody else"
		}
	}
	given := snapshots()[paused]
	revision, err := b.Save(ctx, "task", given, 0)
	if err != nil {
		return err
	}
	spoil(given)
	got, _, err := b.Load(ctx, "task")
	if err != nil {
		return err
	}
	spoil(got)
	return b.wantSaved("task", snapshots()[paused], revision)
}

func concurrent(b *bench) error {
	const savers, rounds = 8, 5
	var mu sync.Mutex
	var faults []error
	wins := 0
	note := func(won bool, err error) {
		mu.Lock()
		defer mu.Unlock()
		if won {
			wins++
		}
		faults = append(faults, err)
	}
	var all sync.WaitGroup
	for saver := range savers {
		all.Go(func() {
			_, err := b.Save(ctx, "shared", snapshots()[saver%(paused+1)], 0)
			if err != nil && !errors.Is(err, gate.ErrConflict) {
				note(false, fmt.Errorf("a Save among others: %w", err))
				return
			}
			note(err == nil, nil)
		})
		all.Go(func() {
			key := fmt.Sprint("own-", saver)
			var revision uint64
			for round := range rounds {
				s := snapshots()[round]
				var err error
				if revision, err = b.Save(ctx, key, s, revision); err == nil {
					err = b.wantSaved(key, s, revision)
				}
				note(false, err)
			}
		})
	}
	all.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if wins != 1 {
		return fmt.Errorf("%d of %d who saved on one revision got a revision", wins, savers)
	}
	return nil
}

func doneContext(b *bench) error {
	cause := errors.New("gatetest: shutting down")
	done, cancel := context.WithCancelCause(ctx)
	cancel(cause)
	for name, call := range map[string]func() error{
		"Load":   func() error { _, _, err := b.Load(done, "task"); return err },
		"Save":   func() error { _, err := b.Save(done, "task", snapshots()[unused], 0); return err },
		"Delete": func() error { return b.Delete(done, "task") },
	} {
		if err := call(); !errors.Is(err, cause) && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s with a context that is done: error %w, want its cause", name, err)
		}
	}
	return b.wantNothing("task")
}

func durable(b *bench) error {
	revisions := map[string]uint64{}
	for i, s := range snapshots() {
		key := fmt.Sprint("task-", i)
		revision, err := b.Save(ctx, key, snapshots()[unused], 0)
		if err != nil {
			return err
		}
		if revisions[key], err = b.Save(ctx, key, s, revision); err != nil {
			return err
		}
	}
	deleted := fmt.Sprint("task-", paused)
	last := revisions[deleted]
	if err := b.Delete(ctx, deleted); err != nil {
		return err
	}
	if err := b.reopen(); err != nil {
		return err
	}
	for i, s := range snapshots()[:paused] {
		key := fmt.Sprint("task-", i)
		if err := b.wantSaved(key, s, revisions[key]); err != nil {
			return fmt.Errorf("opened again: %w", err)
		}
		if err := b.wantConflict(key, 0); err != nil {
			return err
		}
	}
	if _, err := b.Save(ctx, deleted, snapshots()[unused], 0); err != nil {
		return err
	}
	return b.wantConflict(deleted, last)
}
