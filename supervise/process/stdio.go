package process

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"
)

// drainTime is how long the output of a process is read, written and logged after
// its end. What the pipes hold takes no time; they stay open if a process that has
// escaped has them.
const drainTime = 2 * time.Second

// stdio is the standard input and output of one process, as far as they are not
// files. Package exec is given files only, the ends of pipes: what it copies by itself
// it waits for without end.
type stdio struct {
	log     *log
	tail    *tail      // of the standard error; nil if that is not logged
	theirs  []*os.File // the process's ends of the pipes
	copiers []*copier  // at our ends
	hangUp  func()     // has the one of the standard input end
}

// copier is a goroutine that copies between a pipe and a reader or writer. It ends
// when the pipe is closed, unless it is stuck in a user's writer.
type copier struct {
	name string
	pipe *os.File
	copy func(*copier)
	done chan struct{}

	// to be read after done
	err error // of the reader or writer
	cut bool  // the pipe was closed, or its deadline came, before it was read to the end
}

// copied is what c.copy does with the result of io.Copy from the pipe.
func (c *copier) copied(_ int64, err error) error {
	c.cut = errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed)
	return err
}

func (c *copier) run() {
	defer close(c.done)
	defer func() { _ = c.pipe.Close() }()
	c.copy(c)
}

// connect gives the command pipes in place of all that is not a file.
func connect(cmd *exec.Cmd, in *stdin, log *log) (s *stdio, err error) {
	s = &stdio{log: log, hangUp: func() {}}
	defer func() {
		if err != nil {
			s.abort()
		}
	}()
	if from := cmd.Stdin; from != nil && !isFile(from) {
		if cmd.Stdin, err = s.input(in, from); err != nil {
			return nil, err
		}
	}
	stdout, stderr := cmd.Stdout, cmd.Stderr
	if !isFile(stdout) {
		if cmd.Stdout, err = s.output("stdout", slog.LevelInfo, stdout); err != nil {
			return nil, err
		}
	}
	switch {
	case isFile(stderr):
	case stderr != nil && same(stderr, stdout): // one goroutine writes to it, as package exec does
		cmd.Stderr = cmd.Stdout
	default:
		if cmd.Stderr, err = s.output("stderr", slog.LevelWarn, stderr); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func isFile(v any) bool {
	_, yes := v.(*os.File)
	return yes
}

// input returns what the process is to read, which is copied from a reader.
func (s *stdio) input(in *stdin, from io.Reader) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &copier{name: "stdin", pipe: w, done: make(chan struct{})}
	c.copy = func(c *copier) { c.err = in.copy(ctx, s.log, w, from) }
	s.hangUp = func() {
		cancel()
		_ = w.Close()
	}
	s.theirs, s.copiers = append(s.theirs, r), append(s.copiers, c)
	return r, nil
}

// output returns what the process is to write to, which is copied to a writer, or
// logged if that is nil.
func (s *stdio) output(name string, level slog.Level, to io.Writer) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &copier{name: name, pipe: r, done: make(chan struct{})}
	if to != nil {
		c.copy = func(c *copier) {
			contain(s.log, name, &c.err, func() error {
				return c.copied(io.Copy(to, r))
			})
		}
	} else {
		l := &lines{log: s.log, level: level, stream: []slog.Attr{slog.String("stream", name)}}
		if level == slog.LevelWarn {
			s.tail = &tail{}
			l.tail = s.tail
		}
		c.copy = func(c *copier) {
			_ = c.copied(io.Copy(l, r))
			l.close()
		}
	}
	s.theirs, s.copiers = append(s.theirs, w), append(s.copiers, c)
	return w, nil
}

// begin copies; the process has been started.
func (s *stdio) begin() {
	s.release()
	for _, c := range s.copiers {
		go c.run()
	}
}

// release closes the process's ends.
func (s *stdio) release() {
	for _, f := range s.theirs {
		_ = f.Close()
	}
}

// abort closes all; the process has not been started.
func (s *stdio) abort() {
	s.release()
	s.hangUp()
	for _, c := range s.copiers {
		_ = c.pipe.Close()
	}
}

// finish waits, after hangUp, until all output is copied and logged, but not for long.
// It returns the errors of readers and writers.
func (s *stdio) finish(c *child) error {
	ctx, cancel := context.WithTimeout(c.patience, drainTime)
	defer cancel()
	var failed error
	var open []*copier
	for _, c := range s.copiers {
		if await(ctx, c.done) {
			failed = both(failed, c.err)
		} else {
			open = append(open, c)
		}
	}
	if open == nil && s.log.flush(ctx) {
		return failed
	}
	s.giveUp(open, c.times.grace)
	return failed
}

// giveUp ends what is still under way, within the grace, and logs what that is: half of
// it to read what a slow logger has held back, a quarter to end, a quarter to log.
func (s *stdio) giveUp(open []*copier, grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	ending, cancelEnding := context.WithTimeout(ctx, grace*3/4)
	defer cancelEnding()
	s.log.rush()
	for _, c := range open {
		if c.pipe.SetReadDeadline(time.Now().Add(grace/2)) != nil { // not every system can
			_ = c.pipe.Close()
		}
	}
	for _, c := range open {
		if !await(ending, c.done) {
			_ = c.pipe.Close()
			s.log.note(slog.LevelWarn, "the process has ended, and the writer of its output is stuck and left behind", slog.String("stream", c.name))
		} else if c.cut {
			s.log.note(slog.LevelWarn, "the process has ended, and its output is read no further: "+
				"another process has it open, or its writer is too slow", slog.String("stream", c.name))
		}
	}
	s.log.flush(ctx)
}
