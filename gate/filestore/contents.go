package filestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"strconv"
	"strings"
)

// What is in the file: a bucket with a value for each gate, and one that says
// what this is, and what the first adds up to.
var (
	gatesBucket  = []byte("gates")
	aboutBucket  = []byte("holdfast")
	formatKey    = []byte("format")
	totalsKey    = []byte("totals")
	formatPrefix = "holdfast gates "
	format       = 3 // those before had other encodings of snapshots, which are read, too
)

func formatValue() []byte { return []byte(formatPrefix + strconv.Itoa(format) + "\n") }

// totals are written with each transaction. What is lost or changed of the file
// between two lives, be it a whole branch of the tree, does not add up to them.
type totals struct {
	gates    uint64
	revision uint64 // the last one that was given
	sum      uint64 // of all gates, by exclusive or
}

const totalsSize = 24

func (t totals) encode() []byte {
	b := make([]byte, 0, totalsSize)
	for _, n := range []uint64{t.gates, t.revision, t.sum} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func decodeTotals(b []byte) (totals, bool) {
	if len(b) != totalsSize {
		return totals{}, false
	}
	return totals{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}, true
}

func (t *totals) add(key, value []byte) {
	t.gates++
	t.sum ^= sum(key, value)
}

func (t *totals) remove(key, value []byte) {
	t.gates--
	t.sum ^= sum(key, value)
}

var table = crc64.MakeTable(crc64.ECMA)

func sum(key, value []byte) uint64 {
	length := binary.BigEndian.AppendUint64(make([]byte, 0, 8), uint64(len(key)))
	return crc64.Update(crc64.Update(crc64.Checksum(length, table), table, key), table, value)
}

// newerError is a format that this program does not know.
type newerError struct{ format int }

func (e newerError) Error() string        { return fmt.Sprintf("it has format %d", e.format) }
func (e newerError) Is(target error) bool { return target == errNewer }

// verify reads a file from end to end and returns its totals, or what is wrong
// with it.
func verify(file io.ReaderAt, size int64) (totals, error) {
	t, err := openTree(file, size)
	if err != nil {
		return totals{}, err
	}
	buckets := map[string][]byte{}
	others := false
	if err := t.each(t.meta.root, func(e leafElement) error {
		if !e.bucket || !bytes.Equal(e.key, aboutBucket) && !bytes.Equal(e.key, gatesBucket) {
			others = true
		}
		buckets[string(e.key)] = e.value
		return nil
	}); err != nil {
		return totals{}, err
	}
	about, ok := buckets[string(aboutBucket)]
	switch {
	case !ok:
		return totals{}, errForeign
	case others || len(buckets) != 2:
		return totals{}, errors.New("its buckets are not those of a store")
	}
	want, err := t.about(about)
	if err != nil {
		return totals{}, err
	}
	var got totals
	if err := t.eachIn(buckets[string(gatesBucket)], func(e leafElement) error {
		got.add(e.key, e.value)
		got.revision = max(got.revision, revisionOf(e.value))
		return nil
	}); err != nil {
		return totals{}, err
	}
	if got.gates != want.gates || got.sum != want.sum || got.revision > want.revision {
		return totals{}, fmt.Errorf("its %d gates do not add up to the %d that were saved", got.gates, want.gates)
	}
	return want, nil
}

// about reads the bucket that says what the file is.
func (t *tree) about(bucket []byte) (totals, error) {
	values := map[string][]byte{}
	if err := t.eachIn(bucket, func(e leafElement) error {
		values[string(e.key)] = e.value
		return nil
	}); err != nil {
		return totals{}, err
	}
	written, ok := strings.CutPrefix(string(values[string(formatKey)]), formatPrefix)
	number, err := strconv.Atoi(strings.TrimSuffix(written, "\n"))
	switch {
	case !ok || err != nil || number < 1:
		return totals{}, errors.New("its format is not told")
	case number > format:
		return totals{}, newerError{number}
	}
	sums, ok := decodeTotals(values[string(totalsKey)])
	if !ok {
		return totals{}, errors.New("its totals are damaged")
	}
	return sums, nil
}
