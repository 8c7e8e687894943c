package filestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/bits"
)

// bbolt maps its file into memory and trusts it: one wrong bit may make it
// crash, or lose a branch of its tree without a word. So the file is read through
// beforehand, as plain bytes. The format, which has been the same since 2014:
//
//	page    id u64, flags u16, count u16, overflow u32, then its elements
//	leaf    count × (flags u32, pos u32, ksize u32, vsize u32), keys and values
//	branch  count × (pos u32, ksize u32, child u64), keys
//	bucket  as a leaf's value: root u64, sequence u64; root 0 is followed by a page
//	meta    in pages 0 and 1: magic u32, version u32, page size u32, flags u32,
//	        root bucket, freelist u64, pages u64, transaction u64, FNV-64a of these
const (
	magic       = 0xED0CDAED
	metaVersion = 2

	branchPage = 0x01
	leafPage   = 0x02
	bucketFlag = 0x01

	pageHeader   = 16
	element      = 16
	bucketHeader = 16
	metaSize     = 64

	maxDepth = 64 // of a tree that is no circle
)

var order = binary.NativeEndian // as bbolt writes

// meta is what is used of a meta page.
type meta struct {
	pageSize    int64
	root        uint64
	pages       uint64 // as many are in use, or free below one that is
	transaction uint64
}

// tree is a file of bbolt's as it stands after its last transaction.
type tree struct {
	file io.ReaderAt
	meta meta
	seen []uint64 // a bit for each page
}

// openTree finds the last transaction. It returns errForeign if the file was
// not written by bbolt.
func openTree(file io.ReaderAt, size int64) (*tree, error) {
	var metas []meta
	var faults []error
	try := func(at int64) bool {
		m, err := readMeta(file, at)
		if err == nil {
			metas = append(metas, m)
		}
		faults = append(faults, err)
		return err == nil
	}
	if try(0) {
		try(metas[0].pageSize)
	} else {
		for pageSize := int64(1024); pageSize <= 1<<24 && !try(pageSize); pageSize *= 2 {
		}
	}
	if len(metas) == 0 {
		return nil, worst(faults)
	}
	last := metas[0]
	if len(metas) == 2 && metas[1].transaction > last.transaction {
		last = metas[1]
	}
	if need := int64(last.pages) * last.pageSize; size < need {
		return nil, fmt.Errorf("it is cut off: %d bytes of %d are left", size, need)
	}
	return &tree{file, last, make([]uint64, last.pages/64+1)}, nil
}

var (
	errForeign = errors.New("it is not a bbolt database")
	errNewer   = errors.New("it has a newer format")
)

// worst is the fault that says most.
func worst(faults []error) error {
	for _, err := range faults {
		if !errors.Is(err, errForeign) {
			return err
		}
	}
	return errForeign
}

func readMeta(file io.ReaderAt, at int64) (meta, error) {
	var page [pageHeader + metaSize]byte
	n, err := file.ReadAt(page[:], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return meta{}, err
	}
	b := page[pageHeader:]
	switch {
	case n < pageHeader+4 || order.Uint32(b) != magic:
		return meta{}, errForeign
	case n < len(page):
		return meta{}, errors.New("it is cut off in its first page")
	}
	sum := fnv.New64a()
	sum.Write(b[:56])
	if sum.Sum64() != order.Uint64(b[56:]) {
		return meta{}, errors.New("its first page is damaged")
	}
	if order.Uint32(b[4:]) != metaVersion {
		return meta{}, errNewer
	}
	m := meta{int64(order.Uint32(b[8:])), order.Uint64(b[16:]), order.Uint64(b[40:]), order.Uint64(b[48:])}
	if bits.OnesCount64(uint64(m.pageSize)) != 1 || m.pageSize < 512 || m.pages > 1<<40 {
		return meta{}, errors.New("its first page is damaged")
	}
	return m, nil
}

// leafElement is a key with its value, or with the bucket of that name.
type leafElement struct {
	bucket     bool
	key, value []byte
}

// each calls with the elements of the tree whose root is page id, in order. It
// returns an error unless each page is there, is used once, and has its keys in
// order and between those of its parent.
func (t *tree) each(id uint64, call func(leafElement) error) error {
	return t.walk(id, nil, nil, maxDepth, call)
}

func (t *tree) walk(id uint64, low, high []byte, depth int, call func(leafElement) error) error {
	page, err := t.read(id)
	if err != nil {
		return err
	}
	if depth == 0 {
		return fmt.Errorf("page %d is too deep", id)
	}
	if order.Uint16(page[8:]) == leafPage {
		return eachLeaf(page, low, high, call)
	}
	count := int(order.Uint16(page[10:]))
	if count == 0 {
		return fmt.Errorf("page %d is empty", id)
	}
	keys := keyOrder{low, high, true}
	for i := range count {
		at := pageHeader + element*i
		key, ok := slice(page, at, order.Uint32(page[at:]), order.Uint32(page[at+4:]))
		if !ok || !keys.next(key) {
			return fmt.Errorf("page %d is damaged", id)
		}
		until := high
		if next := at + element; i+1 < count {
			if until, ok = slice(page, next, order.Uint32(page[next:]), order.Uint32(page[next+4:])); !ok {
				return fmt.Errorf("page %d is damaged", id)
			}
		}
		if err := t.walk(order.Uint64(page[at+8:]), key, until, depth-1, call); err != nil {
			return err
		}
	}
	return nil
}

// read returns page id with what overflows of it.
func (t *tree) read(id uint64) ([]byte, error) {
	if id < 2 || id >= t.meta.pages {
		return nil, fmt.Errorf("page %d is outside the file", id)
	}
	page := make([]byte, t.meta.pageSize)
	if _, err := t.file.ReadAt(page, int64(id)*t.meta.pageSize); err != nil {
		return nil, err
	}
	flags, overflow := order.Uint16(page[8:]), uint64(order.Uint32(page[12:]))
	if order.Uint64(page) != id || flags != branchPage && flags != leafPage || overflow >= t.meta.pages-id {
		return nil, fmt.Errorf("page %d is damaged", id)
	}
	for i := id; i <= id+overflow; i++ {
		if t.seen[i/64]&(1<<(i%64)) != 0 {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		t.seen[i/64] |= 1 << (i % 64)
	}
	if overflow > 0 {
		rest := make([]byte, int64(overflow+1)*t.meta.pageSize)
		if _, err := t.file.ReadAt(rest, int64(id)*t.meta.pageSize); err != nil {
			return nil, err
		}
		page = rest
	}
	if count := int(order.Uint16(page[10:])); pageHeader+element*count > len(page) {
		return nil, fmt.Errorf("page %d is damaged", id)
	}
	return page, nil
}

// eachLeaf calls with the elements of one leaf.
func eachLeaf(page, low, high []byte, call func(leafElement) error) error {
	keys := keyOrder{low, high, true}
	for i := range int(order.Uint16(page[10:])) {
		at := pageHeader + element*i
		flags, pos := order.Uint32(page[at:]), order.Uint32(page[at+4:])
		ksize, vsize := order.Uint32(page[at+8:]), order.Uint32(page[at+12:])
		both, ok := slice(page, at, pos, ksize+vsize)
		if !ok || ksize+vsize < ksize || flags > bucketFlag || !keys.next(both[:ksize]) {
			return fmt.Errorf("page %d is damaged", order.Uint64(page))
		}
		if err := call(leafElement{flags == bucketFlag, both[:ksize], both[ksize:]}); err != nil {
			return err
		}
	}
	return nil
}

// eachIn calls with the elements of the bucket whose header is given, none of
// which may be a bucket.
func (t *tree) eachIn(bucket []byte, callback func(leafElement) error) error {
	call := func(e leafElement) error {
		if e.bucket {
			return errors.New("a bucket is damaged")
		}
		return callback(e)
	}
	if len(bucket) < bucketHeader {
		return errors.New("a bucket is damaged")
	}
	if root := order.Uint64(bucket); root != 0 {
		return t.each(root, call)
	}
	page := bucket[bucketHeader:]
	if len(page) < pageHeader || order.Uint16(page[8:]) != leafPage ||
		pageHeader+element*int(order.Uint16(page[10:])) > len(page) {
		return errors.New("a bucket is damaged")
	}
	return eachLeaf(page, nil, nil, call)
}

// slice returns size bytes that begin pos after at.
func slice(page []byte, at int, pos, size uint32) ([]byte, bool) {
	from := int64(at) + int64(pos)
	to := from + int64(size)
	if to > int64(len(page)) {
		return nil, false
	}
	return page[from:to], true
}

// keyOrder reports whether keys rise, from low on and below high, which nil leaves
// open.
type keyOrder struct {
	low, high []byte
	first     bool
}

func (o *keyOrder) next(key []byte) bool {
	least := 1
	if o.first {
		least = 0 // the first key of a page may be that of its parent
	}
	ok := len(key) > 0 && (o.low == nil || bytes.Compare(key, o.low) >= least) && (o.high == nil || bytes.Compare(key, o.high) < 0)
	o.low, o.first = key, false
	return ok
}
