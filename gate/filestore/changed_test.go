//go:build unix

package filestore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-go/holdfast/gate/filestore"
)

const page = 4096

// aStore is a store of some pages, with the names of its gates.
func aStore(t *testing.T) (path string, keys []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "gates.db")
	s := open(t, path)
	for i := range 60 {
		key := fmt.Sprint("task-", i)
		save(t, s, key, crashed(1+i%9), 0)
		keys = append(keys, key)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, keys
}

// use loads and saves all keys, of which none may panic or block. What it returns is
// the first error.
func use(t *testing.T, s *filestore.Store, keys []string) (first error) {
	t.Helper()
	for _, key := range keys {
		_, revision, err := s.Load(t.Context(), key)
		if err == nil {
			_, err = s.Save(t.Context(), key, crashed(2), revision)
		}
		first = errors.Join(first, err)
	}
	for _, err := range s.All(t.Context()) {
		first = errors.Join(first, err)
	}
	return first
}

// Somebody overwrites a page of a store that is open. The store fails, or does not
// notice; the process lives, and the file can be looked at again.
func TestEachPageIsChangedWhileOpen(t *testing.T) {
	path, keys := aStore(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += page {
		for _, with := range []byte{0x00, 0xff, 0x5a} {
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := filestore.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			garbage := make([]byte, page)
			for i := range garbage {
				garbage[i] = with
			}
			file.WriteAt(garbage, int64(at))
			file.Close()
			_ = use(t, s, keys)
			for range 2 {
				if err := s.Close(); err != nil {
					t.Errorf("page %d: %v", at/page, err)
				}
			}
			if again, err := filestore.Open(path); err == nil {
				again.Close()
			} else if !errors.Is(err, filestore.ErrCorrupt) && !errors.Is(err, filestore.ErrForeign) && !errors.Is(err, filestore.ErrNewer) {
				t.Errorf("page %d: %v", at/page, err)
			}
		}
	}
}

// Somebody cuts the file off while it is open, at each page in turn.
func TestFileIsCutOffWhileOpen(t *testing.T) {
	path, keys := aStore(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for at := 0; at < len(whole); at += page {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := filestore.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, int64(at)); err != nil {
			t.Fatal(err)
		}
		if use(t, s, keys) != nil {
			failed++
		}
		_ = s.Close()
	}
	if failed == 0 {
		t.Error("no store noticed that its file was cut off")
	}
}
