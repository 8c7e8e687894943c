package process

import (
	"bytes"
	"log/slog"
	"sync"
)

// maxLine bounds a logged line; a longer one is logged in parts.
const maxLine = 64 << 10

// lines logs each line that is written to it. Not safe for concurrent use.
type lines struct {
	log    *log
	level  slog.Level
	stream []slog.Attr
	tail   *tail  // also receives the output; nil for none
	part   []byte // of a line, so far
}

// Write never fails.
func (w *lines) Write(p []byte) (int, error) {
	n := len(p)
	if w.tail != nil {
		w.tail.write(p)
	}
	for {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		w.extend(line)
		if !whole {
			return n, nil
		}
		w.end()
		p = rest
	}
}

// extend adds to the line, and logs what is too much of it.
func (w *lines) extend(p []byte) {
	w.part = append(w.part, p...)
	for len(w.part) > maxLine {
		at := runeBoundary(w.part, maxLine)
		w.log.add(record{w.level, string(w.part[:at]), w.stream})
		w.part = append(w.part[:0], w.part[at:]...)
	}
}

func (w *lines) end() {
	w.log.add(record{w.level, string(bytes.TrimRight(w.part, "\r")), w.stream})
	w.part = w.part[:0]
}

// close logs a last line without an end.
func (w *lines) close() {
	if len(w.part) > 0 {
		w.end()
	}
}

// tailSize is how much of a process's standard error an ExitError keeps.
const tailSize = 4 << 10

// tail keeps the last bytes that are written to it. A nil one has none. Safe for
// concurrent use: a run that is over does not wait for its writer.
type tail struct {
	mu   sync.Mutex // a leaf
	kept []byte
}

func (t *tail) write(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p[max(len(p)-tailSize, 0):]...)
	if over := len(t.kept) - tailSize; over > tailSize {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
}

func (t *tail) bytes() []byte {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.kept[max(len(t.kept)-tailSize, 0):])
}
