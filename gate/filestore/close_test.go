package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"

	"github.com/holdfast-go/holdfast/gate/filestore"
)

// Close comes while others save and load. Each Save is acknowledged, and then there when
// the file is opened again, or has fs.ErrClosed.
func TestCloseDuringSaves(t *testing.T) {
	for round := range 20 {
		path := filepath.Join(t.TempDir(), "gates.db")
		s, err := filestore.Open(path, filestore.WithMaxBatch(1+round%4))
		if err != nil {
			t.Fatal(err)
		}
		const savers = 8
		saved := make([]uint64, savers)
		var started, all sync.WaitGroup
		started.Add(savers)
		for i := range savers {
			all.Go(func() {
				key := fmt.Sprint("task-", i)
				var once sync.Once
				for {
					revision, err := s.Save(context.Background(), key, crashed(1), saved[i])
					once.Do(started.Done)
					if err != nil {
						if !errors.Is(err, fs.ErrClosed) {
							t.Error(err)
						}
						return
					}
					saved[i] = revision
					if _, _, err := s.Load(context.Background(), key); err != nil && !errors.Is(err, fs.ErrClosed) {
						t.Error(err)
					}
				}
			})
		}
		if round%2 == 0 {
			started.Wait()
		}
		all.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
		again := open(t, path)
		for i, want := range saved {
			if _, got, err := again.Load(t.Context(), fmt.Sprint("task-", i)); err != nil || got != want {
				t.Errorf("saver %d finds revision %d, want %d (%v)", i, got, want, err)
			}
		}
	}
}
