package process

import (
	"context"
	"io"
	"os"
	"sync"
)

// stdin copies readers that are no files to the processes of one task. A Read
// cannot be interrupted, so each is a goroutine of its own. One that outlives its run
// is kept for the next run with the same reader, so there is one for each
// reader that does not return, and nothing that it returns is lost.
type stdin struct {
	mu   sync.Mutex // a leaf; no user code runs under it
	left *reading   // the last that outlived its run; nil for none
}

// reading is one call of Read.
type reading struct {
	from io.Reader
	buf  []byte
	done chan struct{} // closed when the fields below are set

	n     int
	ended bool  // no more can be read
	err   error // why, if that is not io.EOF
}

const readSize = 32 << 10

// copy copies until the reader ends, the pipe takes no more, or ctx is done. It
// returns the reader's error.
func (s *stdin) copy(ctx context.Context, log *log, to *os.File, from io.Reader) error {
	var buf []byte
	for {
		r := s.read(log, from, buf)
		if !await(ctx, r.done) {
			s.leave(r)
			return nil
		}
		if _, err := to.Write(r.buf[:r.n]); err != nil || r.ended {
			return r.err // but not err: a process need not read its input
		}
		buf = r.buf
	}
}

// read returns a Read that was left, or begins one into buf, which may be nil.
func (s *stdin) read(log *log, from io.Reader, buf []byte) *reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.left; r != nil && same(r.from, from) {
		s.left = nil
		return r
	}
	if buf == nil {
		buf = make([]byte, readSize)
	}
	r := &reading{from: from, buf: buf, done: make(chan struct{}), ended: true}
	go func() {
		defer close(r.done)
		contain(log, "stdin", &r.err, func() error {
			n, err := from.Read(r.buf)
			_ = r.buf[:n] // panics here, and not later, if n is nonsense
			r.n, r.ended = n, err != nil
			if err == io.EOF { // and nothing that wraps it, as in io.Copy
				return nil
			}
			return err
		})
	}()
	return r
}

func (s *stdin) leave(r *reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = r
}

// same reports whether two readers, or writers, are one. Some cannot be compared.
func same(a, b any) (yes bool) {
	defer func() { _ = recover() }()
	return a == b
}
