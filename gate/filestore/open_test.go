package filestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/holdfast-go/holdfast/gate/filestore"
)

// written returns the bytes of a store of so many gates.
func written(t testing.TB, gates int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gates.db")
	s, err := filestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range gates {
		save(t, s, fmt.Sprintf("task-%d", i), crashed(i%6+1), 0)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// otherBolt is a bbolt database of somebody else's.
func otherBolt(t *testing.T, fill func(tx *bbolt.Tx) error) []byte {
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fill), db.Close()); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

func about(format string, totals []byte) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("holdfast"))
		if err != nil {
			return err
		}
		_, err = tx.CreateBucket([]byte("gates"))
		return errors.Join(err, b.Put([]byte("format"), []byte(format)), b.Put([]byte("totals"), totals))
	}
}

// Whatever is wrong with a file, the error says what to do, and the file is left
// as it was.
func TestOpenRefuses(t *testing.T) {
	good := written(t, 200)
	edited := func(at int, with ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[at:], with)
		return data
	}
	const page = 4096
	bothMetas := func(at int, with ...byte) []byte {
		data := edited(at, with...)
		copy(data[page+at:], with)
		return data
	}
	for _, test := range []struct {
		name string
		data []byte
		want error
		says string
	}{
		{"empty", nil, filestore.ErrForeign, "give another path, or move it away"},
		{"text", bytes.Repeat([]byte("some text\n"), 2000), filestore.ErrForeign, "give another path, or move it away"},
		{"another bbolt database", otherBolt(t, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("users")); return err }), filestore.ErrForeign, "not a store of gates"},
		{"an empty bbolt database", otherBolt(t, func(*bbolt.Tx) error { return nil }), filestore.ErrForeign, "not a store of gates"},
		{"a newer format", otherBolt(t, about("holdfast gates 4\n", make([]byte, 24))), filestore.ErrNewer, "run that one, or move the file away to begin with fresh gates (it has format 4)"},
		{"no format", otherBolt(t, about("", make([]byte, 24))), filestore.ErrCorrupt, "its format is not told"},
		{"no totals", otherBolt(t, about("holdfast gates 1\n", nil)), filestore.ErrCorrupt, "its totals are damaged"},
		{"wrong totals", otherBolt(t, about("holdfast gates 1\n", []byte("\x00\x00\x00\x00\x00\x00\x00\x01................"))), filestore.ErrCorrupt, "its 0 gates do not add up to the 1 that were saved"},
		{"cut off at the end", good[:len(good)/2], filestore.ErrCorrupt, "bring it back from a backup, or move it away to begin with fresh gates (it is cut off: "},
		{"cut off in the first page", good[:50], filestore.ErrCorrupt, "cut off in its first page"},
		{"cut off before that", good[:10], filestore.ErrForeign, "not a store of gates"},
		{"both first pages damaged", bothMetas(40, 0xff, 0xff), filestore.ErrCorrupt, "its first page is damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gates.db")
			if err := os.WriteFile(path, test.data, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := filestore.Open(path)
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v\nwant one that is %q\nand says %q, with the path", err, test.want, test.says)
			}
			if !bytes.Equal(read(t, path), test.data) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenWhereThereIsNoPlace(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(dir, "no", "gates.db"):   fs.ErrNotExist,
		filepath.Join(dir, "file", "gates.db"): nil, // not a folder
		dir:                                    nil, // is one
	} {
		if s, err := filestore.Open(path); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("Open(%s) = %v, %v; want an error (%v)", path, s, err, want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("files %q are left (%v)", left, err)
	}
}

func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gates.db")
	s := open(t, path)
	if _, err := filestore.Open(path); !errors.Is(err, filestore.ErrInUse) || !strings.Contains(err.Error(), "stop that one") {
		t.Errorf("error %v, want ErrInUse", err)
	}
	save(t, s, "task", crashed(1), 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

// Of many who make the same store at once each gets it, or learns that it is in
// use; and no drafts are left.
func TestCreateAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gates.db")
	results := make(chan error)
	for range 8 {
		go func() {
			s, err := filestore.Open(path)
			if err == nil {
				err = s.Close()
			}
			results <- err
		}()
	}
	for range 8 {
		if err := <-results; err != nil && !errors.Is(err, filestore.ErrInUse) {
			t.Error(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("files %q are left (%v), want the store", left, err)
	}
}

// damageIsFound opens data, which was good before it was changed. Either that is
// an error, or all gates are there as they were: what was changed is not used.
func damageIsFound(t *testing.T, data, good []byte, gates int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gates.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := filestore.Open(path)
	if err != nil {
		if !bytes.Equal(read(t, path), data) {
			t.Error("the file was changed")
		}
		return
	}
	defer s.Close()
	found := 0
	for entry, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		var i int
		if _, err := fmt.Sscanf(entry.Key, "task-%d", &i); err != nil || entry.Snapshot.History.Total != uint64(i%6+1) {
			t.Errorf("%s has crashed %d times", entry.Key, entry.Snapshot.History.Total)
		}
		found++
	}
	// Where one of the two first pages is damaged the other one counts, which is
	// that of the transaction before, as after a torn write.
	if older := found == gates-1 && !bytes.Equal(data[:8192], good[:8192]); found != gates && !older {
		t.Errorf("%d gates, want %d", found, gates)
	}
	save(t, s, "one more", crashed(1), 0)
}

// Any byte of a file may be wrong.
func TestDamageIsFound(t *testing.T) {
	const gates = 300
	good := written(t, gates)
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		data := bytes.Clone(good)
		for range 1 + r.IntN(3) {
			data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		}
		damageIsFound(t, data, good, gates)
	}
	for range 40 { // a page written to the place of another, or not at all
		data := bytes.Clone(good)
		pages := len(data) / 4096
		from, to := r.IntN(pages)*4096, r.IntN(pages)*4096
		if r.IntN(2) == 0 {
			clear(data[to : to+4096])
		} else {
			copy(data[to:to+4096], data[from:from+4096])
		}
		damageIsFound(t, data, good, gates)
	}
}

func FuzzDamage(f *testing.F) {
	const gates = 300
	good := written(f, gates)
	f.Add(uint32(0), []byte{})
	for at := 0; at < len(good); at += 997 {
		f.Add(uint32(at), []byte{0xff, 0x00, 0x80, 0x7f})
	}
	f.Fuzz(func(t *testing.T, at uint32, with []byte) {
		data := bytes.Clone(good)
		copy(data[int(at)%len(data):], with)
		damageIsFound(t, data, good, gates)
	})
}
