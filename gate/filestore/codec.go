package filestore

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// A value of the file is the revision, the version of this encoding, and the
// fields of the snapshot in the order of encode. Snapshots have a JSON form too,
// which takes three to four times the room and some thirty times as long to read:
// what counts here is how fast a process is back that looks after a million tasks.
//
// Version 1 had a flag in place of the number of trips, and no pauses. Version 2 had no
// runs. Who changes the version changes format, too, by which older programs refuse the file.
const codecVersion = 3

const (
	hasUntil = 1 << iota
	hasStart
	isRunning
	isCrashed
	hasTrips
	isPaused
	hasRuns
)

var errMalformed = errors.New("a snapshot is malformed")

func encode(revision uint64, s gate.Snapshot) []byte {
	h := &s.History
	b := make([]byte, 0, 96+len(h.Err)+4*len(h.Crashes))
	b = binary.BigEndian.AppendUint64(b, revision)
	var flags byte
	for flag, set := range map[byte]bool{
		hasUntil: !s.Until.IsZero(), hasStart: !h.Start.IsZero(), isRunning: h.Running, isCrashed: h.Crashed,
		hasTrips: h.Trips > 0, isPaused: s.PausedBy != nil, hasRuns: s.Runs > 0,
	} {
		if set {
			flags |= flag
		}
	}
	b = append(b, codecVersion, byte(s.Phase), flags)
	b = binary.AppendVarint(b, int64(s.Version))
	b = appendTime(b, s.Until)
	b = appendTime(b, h.Start)
	for _, d := range []time.Duration{h.Now, h.Began, h.Ran, h.LastDelay, h.LoopEnd} {
		b = binary.AppendVarint(b, int64(d))
	}
	for _, n := range []uint64{h.Total, h.Streak, uint64(h.Depth), h.Seed, uint64(len(h.Crashes))} {
		b = binary.AppendUvarint(b, n)
	}
	last := h.Now
	for _, at := range slices.Backward(h.Crashes) {
		b = binary.AppendVarint(b, int64(last-at)) // small, since they are close together
		last = at
	}
	if h.Trips > 0 {
		b = binary.AppendUvarint(b, uint64(h.Trips))
	}
	if s.PausedBy != nil {
		b = appendText(appendText(b, s.PausedBy.Who), s.PausedBy.Why)
	}
	if s.Runs > 0 {
		b = binary.AppendUvarint(b, s.Runs)
	}
	return append(b, h.Err...)
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

// decode is the inverse of encode, but that instants are in UTC.
func decode(value []byte) (revision uint64, s gate.Snapshot, err error) {
	const header = 8 + 3
	if len(value) < header || value[8] < 1 || value[8] > codecVersion {
		return 0, s, errMalformed
	}
	h := &s.History
	r := reader{rest: value[header:]}
	flags := value[10]
	s.Phase = gate.Phase(value[9])
	s.Version = int(r.varint())
	if flags&hasUntil != 0 {
		s.Until = r.time()
	}
	if flags&hasStart != 0 {
		h.Start = r.time()
	}
	h.Running, h.Crashed = flags&isRunning != 0, flags&isCrashed != 0
	for _, d := range []*time.Duration{&h.Now, &h.Began, &h.Ran, &h.LastDelay, &h.LoopEnd} {
		*d = time.Duration(r.varint())
	}
	h.Total, h.Streak, h.Depth, h.Seed = r.uvarint(), r.uvarint(), uint32(r.uvarint()), r.uvarint()
	h.Crashes = r.crashes(h.Now)
	r.added(&s, value[8], flags)
	h.Err = string(r.rest)
	if r.malformed {
		return 0, gate.Snapshot{}, errMalformed
	}
	return revisionOf(value), s, nil
}

func revisionOf(value []byte) uint64 {
	if len(value) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(value)
}

// reader takes a value apart.
type reader struct {
	rest      []byte
	malformed bool
}

// added reads what later versions have more than 1.
func (r *reader) added(s *gate.Snapshot, version, flags byte) {
	if flags&hasTrips != 0 {
		s.History.Trips = 1
		if version > 1 {
			s.History.Trips = uint32(r.uvarint())
		}
	}
	if flags&isPaused != 0 {
		s.PausedBy = &gate.By{Who: r.text(), Why: r.text()}
	}
	if flags&hasRuns != 0 && version > 2 {
		s.Runs = r.uvarint()
	}
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.malformed = true
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) skip(n int) {
	if n <= 0 {
		r.malformed, n = true, len(r.rest)
	}
	r.rest = r.rest[n:]
}

func (r *reader) time() time.Time {
	seconds, nanos := r.varint(), r.uvarint()
	if nanos >= uint64(time.Second) {
		r.malformed = true
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanos)).UTC()
}

func (r *reader) crashes(now time.Duration) []time.Duration {
	n := r.uvarint()
	if n == 0 || n > uint64(len(r.rest)) { // each takes a byte at least
		r.malformed = r.malformed || n > 0
		return nil
	}
	crashes := make([]time.Duration, n)
	last := now
	for i := range slices.Backward(crashes) {
		last -= time.Duration(r.varint())
		crashes[i] = last
	}
	return crashes
}
