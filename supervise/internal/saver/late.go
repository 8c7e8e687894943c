package saver

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// late has the entries of all savers in this process whose Save was still under way when
// Close gave up. The next life must recognize what they save as its own.
var late lateEntries

// lateEntries holds one entry for each goroutine that a store has not returned to since
// Close, and those whose Save has failed in the last 5 s. The zero value is ready to use.
type lateEntries struct {
	// mu is a leaf. It may be taken under the mu of a saver.
	mu sync.Mutex
	at map[place][]*Entry
}

// place is where an entry is saved.
type place struct {
	store gate.Store
	key   string
}

// of returns the late entries with a key in the store of s.
func (l *lateEntries) of(s *Saver, key string) []*Entry {
	if !s.comparable {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.at) == 0 {
		return nil
	}
	return slices.Clone(l.at[place{s.store, key}])
}

func (l *lateEntries) add(e *Entry) {
	if !e.saver.comparable {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil {
		l.at = map[place][]*Entry{}
	}
	at := place{e.saver.store, e.key}
	l.at[at] = append(l.at[at], e)
}

func (l *lateEntries) remove(e *Entry) {
	if !e.saver.comparable {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := place{e.saver.store, e.key}
	others := slices.DeleteFunc(l.at[at], func(other *Entry) bool { return other == e })
	if len(others) == 0 {
		delete(l.at, at)
		return
	}
	l.at[at] = others
}

// returned records that the Save of a late entry has returned. One that failed may still
// take effect: a client whose context ends returns, whatever its server goes on to do.
func (l *lateEntries) returned(e *Entry, v verdict) {
	if v == failed {
		time.AfterFunc(limit, func() { l.remove(e) })
		return
	}
	l.remove(e)
}

// await returns when e is not busy any more, or its store takes too long, or ctx is done.
func (e *Entry) await(ctx context.Context) {
	s := e.saver
	s.mu.Lock()
	ended, patience := e.ended, awaitLimit
	if e.isSaving() {
		patience -= time.Since(e.begun)
	}
	s.mu.Unlock()
	if ended == nil || patience <= 0 {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}
