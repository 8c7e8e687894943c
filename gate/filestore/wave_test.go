package filestore

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
)

// TestKeysComeAndGo saves keys and deletes them, wave after wave, each wave with
// keys of its own. What the file and the memory take is bounded by the keys that
// are there at once.
func TestKeysComeAndGo(t *testing.T) {
	const waves = 10
	perWave := keys(t) / waves
	path := filepath.Join(t.TempDir(), "gates.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var first, last [2]uint64 // bytes of the file and of the heap
	for wave := range waves {
		commitAll(t, s, wave, perWave, encode(0, gate.Snapshot{}))
		last = [2]uint64{size(t, path), heap()}
		if wave == 0 {
			first = last
		}
		commitAll(t, s, wave, perWave, nil)
	}
	t.Logf("%d keys, %d at once: the file has %d KiB, after the first wave %d; the heap %d KiB, and %d",
		waves*perWave, perWave, last[0]>>10, first[0]>>10, last[1]>>10, first[1]>>10)
	if last[0] > first[0]*3/2 || last[1] > first[1]+1<<20 {
		t.Error("that grows from wave to wave")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for e, err := range again.All(t.Context()) {
		t.Fatalf("%s is still there (%v)", e.Key, err)
	}
}

// keys is how many come and go: 100,000, or as HOLDFAST_KEYS says.
func keys(t *testing.T) int {
	t.Helper()
	text, ok := os.LookupEnv("HOLDFAST_KEYS")
	if !ok {
		return 100_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1000 {
		t.Fatalf("HOLDFAST_KEYS (%s) is not a number from 1000 on; give how many keys are to come and go", text)
	}
	return n
}

// commitAll saves or deletes all keys of a wave, in no order.
func commitAll(t *testing.T, s *Store, wave, n int, value []byte) {
	t.Helper()
	var batch []*request
	for i := range n {
		r := &request{key: fmt.Appendf(nil, "wave-%d/task-%d", wave, (i*7919+wave)%n)}
		if value != nil {
			r.value = append([]byte(nil), value...)
		}
		if batch = append(batch, r); len(batch) == 1000 || i == n-1 {
			if err := s.commit(batch); err != nil {
				t.Fatal(err)
			}
			for _, r := range batch {
				if r.err != nil {
					t.Fatalf("%s: %v", r.key, r.err)
				}
			}
			batch = batch[:0]
		}
	}
}

func size(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(info.Size())
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
