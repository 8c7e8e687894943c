//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// serve answers admin commands, one a connection, until close is called. The
// answers are made by the loop, which must run.
func (r *reconciler) serve(path string) (closeAll func() error, err error) {
	// A socket that a reconciler has left behind which was killed. There is no other
	// one: the state file is ours.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { r.answer(conn, ended) })
		}
	})
	return func() error {
		close(ended)
		err := listener.Close()
		serving.Wait()
		return err
	}, nil
}

// patience is how long an operator may take to type.
const patience = 10 * time.Second

func (r *reconciler) answer(conn net.Conn, ended <-chan struct{}) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(io.LimitReader(conn, 4096)).ReadString('\n')
	if err != nil {
		return
	}
	answer := make(chan string, 1)
	select {
	case r.admin <- func(ctx context.Context) { answer <- r.command(ctx, strings.Fields(line)) }:
		_, _ = io.WriteString(conn, <-answer)
	case <-ended:
	}
}

// command is run by the loop.
func (r *reconciler) command(ctx context.Context, words []string) string {
	switch {
	case len(words) == 1 && words[0] == "status":
		return r.status(time.Now())
	case len(words) == 2 && words[0] == "release":
		if r.desired[words[1]] == nil {
			return fmt.Sprintf("there is no daemon %q\n", words[1])
		}
		if !r.gates.ForceRelease(words[1], gate.By{Who: "operator"}) {
			return words[1] + " was not held\n"
		}
		r.saver.save(ctx, r, words[1])
		r.reconcile(ctx, words[1], time.Now())
		return words[1] + " was released\n"
	}
	return "say status, or release and the name of a daemon\n"
}

func (r *reconciler) status(now time.Time) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "daemon\tis\tgate\tfor another\tcrashes\tlast error")
	for _, name := range slices.Sorted(maps.Keys(r.desired)) {
		is, left, last := "down", "", ""
		if p := r.running[name]; p != nil {
			is = "running"
			if p.stopping {
				is = "stopping"
			}
		}
		state := r.gates.State(name)
		h, _ := r.gates.History(name)
		if until, ends := state.ReleaseAt(); ends {
			left = max(until.Sub(now), 0).Round(time.Second).String()
		}
		if err := h.Err(); err != nil {
			last = err.Error()
		}
		fmt.Fprintf(w, "%s\t%s\t%v\t%s\t%d\t%s\n", name, is, state.Phase(), left, h.Crashes(), last)
	}
	_ = w.Flush() // into memory
	return text.String()
}

// ask sends an admin command and prints the answer.
func ask(out io.Writer, socket string, command []string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return fmt.Errorf("%w; is the reconciler running?", err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintln(conn, strings.Join(command, " ")); err != nil {
		return err
	}
	_, err = io.Copy(out, conn)
	return err
}
