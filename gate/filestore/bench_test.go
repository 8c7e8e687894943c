package filestore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
)

// BenchmarkSaveCrash has so many tasks crash and save that at the same time, with
// a sync of the disk for each or for all that wait. It reports crashes a second.
func BenchmarkSaveCrash(b *testing.B) {
	for _, bench := range []struct {
		name  string
		tasks int
		opts  []filestore.Option
	}{
		{"tasks=1/batch=1", 1, []filestore.Option{filestore.WithMaxBatch(1)}},
		{"tasks=64/batch=1", 64, []filestore.Option{filestore.WithMaxBatch(1)}},
		{"tasks=1/batch=1024", 1, nil},
		{"tasks=64/batch=1024", 64, nil},
		{"tasks=1024/batch=1024", 1024, nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "gates.db"), bench.opts...)
			b.ResetTimer()
			var all sync.WaitGroup
			for task := range bench.tasks {
				all.Go(func() {
					g, revision := gate.New(nil), uint64(0)
					for i := task; i < b.N; i += bench.tasks {
						g.ObserveCrash(time.Now(), errCrash)
						revision = save(b, s, fmt.Sprint("task-", task), g.Snapshot(), revision)
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "crashes/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkRecover opens a store of a million gates and restores them into a Set.
func BenchmarkRecover(b *testing.B) {
	const gates = 1_000_000
	path := filepath.Join(b.TempDir(), "gates.db")
	s := open(b, path)
	var all sync.WaitGroup
	for worker := range 1024 {
		all.Go(func() {
			for i := worker; i < gates; i += 1024 {
				save(b, s, fmt.Sprintf("tenant-%d/daemon-%d", i%1000, i), crashed(1+rand.IntN(5)), 0)
			}
		})
	}
	all.Wait()
	s.Close()
	size := float64(len(read(b, path)))
	var opening time.Duration
	for b.Loop() {
		start := time.Now()
		s, err := filestore.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		opening += time.Since(start)
		set := gate.NewSet[string](nil)
		err = set.Restore(noon, func(yield func(string, gate.Snapshot) bool) {
			for entry, err := range s.All(context.Background()) {
				if err != nil {
					b.Fatal(err)
				}
				if !yield(entry.Key, entry.Snapshot) {
					return
				}
			}
		})
		if err != nil || set.Len() != gates {
			b.Fatal(set.Len(), err)
		}
		s.Close()
	}
	b.ReportMetric(size/gates, "B/gate")
	b.ReportMetric(opening.Seconds()/float64(b.N), "s/open")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/recovery")
	b.ReportMetric(0, "ns/op")
}
