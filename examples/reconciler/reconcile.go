//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/filestore"
	"github.com/holdfast-go/holdfast/policy"
)

// reconciler is one loop, whose goroutine owns all of it. Others talk to it
// through its channels.
type reconciler struct {
	settings
	gates *gate.Set[string]
	out   io.Writer

	desired map[string][]string // as last read
	read    []byte              // what of
	badFile string              // why the file cannot be read now
	running map[string]*process
	saver   saver

	exits chan exit
	admin chan func(ctx context.Context)
}

// exit is the end of a daemon's process.
type exit struct {
	name string
	p    *process
	err  error
}

func newReconciler(s settings, p policy.Policy, store gate.Store, out io.Writer) *reconciler {
	return &reconciler{
		settings: s, gates: gate.NewSet[string](p), out: out,
		desired: map[string][]string{}, running: map[string]*process{},
		saver: saver{store: store, revisions: map[string]uint64{}, unsaved: map[string]bool{}},
		exits: make(chan exit), admin: make(chan func(context.Context)),
	}
}

func (r *reconciler) say(name, format string, args ...any) {
	fmt.Fprintf(r.out, "%s: %s\n", name, fmt.Sprintf(format, args...))
}

// errDied is the crash of daemons that ran when the reconciler died, and their
// keepers stopped them.
var errDied = errors.New("the reconciler died")

// takeOver goes on where a reconciler has ended.
func (r *reconciler) takeOver(ctx context.Context, saved iter.Seq2[filestore.Entry, error], now time.Time) error {
	for entry, err := range saved {
		if err != nil {
			return err
		}
		r.saver.revisions[entry.Key] = entry.Revision
		if err := r.gates.Restore(now, maps.All(map[string]gate.Snapshot{entry.Key: entry.Snapshot})); err != nil {
			return err
		}
		if entry.Snapshot.History.Running {
			r.crashed(ctx, entry.Key, now, errDied)
		} else {
			r.say(entry.Key, "recovered, %v", r.gates.State(entry.Key).Phase())
		}
	}
	return nil
}

// loop reconciles until ctx is done, and then stops all daemons. It sleeps until
// something has ended, an operator asks, a hold is over, or it is time to look at
// everything again.
func (r *reconciler) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	all := time.Now()
	for {
		now := time.Now()
		if !now.Before(all) {
			r.reconcileAll(ctx, now)
			all = now.Add(r.poll)
		}
		for name := range r.gates.Tick(now) {
			r.reconcile(ctx, name, now)
		}
		wake := all
		if next, ok := r.gates.NextDeadline(); ok && next.Before(wake) {
			wake = next
		}
		timer.Reset(time.Until(wake))
		select {
		case <-ctx.Done():
			return r.shutdown()
		case e := <-r.exits:
			r.ended(ctx, e, time.Now())
		case do := <-r.admin:
			do(ctx)
		case <-timer.C:
		}
	}
}

// reconcileAll looks at all daemons: those that should run, and those that
// should not any more. It does not matter what has happened since the last time.
func (r *reconciler) reconcileAll(ctx context.Context, now time.Time) {
	r.readDesired()
	for name := range r.desired {
		r.reconcile(ctx, name, now)
	}
	for name := range r.gates.All() {
		if _, wanted := r.desired[name]; !wanted {
			r.reconcile(ctx, name, now)
		}
	}
	_ = r.saver.saveRest(ctx, r) // which has been said
}

// reconcile looks at one daemon.
func (r *reconciler) reconcile(ctx context.Context, name string, now time.Time) {
	command, wanted := r.desired[name]
	p := r.running[name]
	switch {
	case !wanted && p == nil:
		r.gates.Delete(name)
		r.saver.remove(ctx, r, name)
		r.say(name, "removed")
	case !wanted, p != nil && !p.runs(command):
		if p.stop(r.stop) {
			r.say(name, "stopping")
		}
	case p == nil && ctx.Err() == nil && r.gates.Admissible(name, now):
		r.start(ctx, name, command, now)
	}
}

func (r *reconciler) start(ctx context.Context, name string, command []string, now time.Time) {
	r.gates.ObserveStart(name, now)
	p, err := startProcess(command)
	if err != nil {
		r.crashed(ctx, name, now, err)
		return
	}
	r.running[name] = p
	r.saver.save(ctx, r, name)
	r.say(name, "started")
	go func() { r.exits <- exit{name, p, p.wait()} }()
}

// ended records the end of a process. One that was told to stop has not crashed,
// and neither has one that exits with status 0; but a daemon should run, so its
// gate decides when it does again.
func (r *reconciler) ended(ctx context.Context, e exit, now time.Time) {
	delete(r.running, e.name)
	if e.p.kill != nil {
		e.p.kill.Stop()
	}
	switch {
	case e.p.stopping:
		r.gates.ObserveCleanExit(e.name, now)
		r.say(e.name, "stopped")
	case e.err != nil:
		r.crashed(ctx, e.name, now, e.err)
	default:
		r.say(e.name, "exited, %v", r.gates.ObserveRestart(e.name, now).Phase())
	}
	r.saver.save(ctx, r, e.name)
	r.reconcile(ctx, e.name, now)
}

func (r *reconciler) crashed(ctx context.Context, name string, now time.Time, err error) {
	state := r.gates.ObserveCrash(name, now, err)
	r.saver.save(ctx, r, name)
	r.say(name, "crashed, %v: %v", state.Phase(), err)
}

// shutdown stops the daemons, all at once, and records that they were stopped.
func (r *reconciler) shutdown() error {
	done, cancel := context.WithCancel(context.Background())
	cancel() // so that nothing is started
	for _, p := range r.running {
		p.stop(r.stop)
	}
	for len(r.running) > 0 {
		select {
		case e := <-r.exits:
			r.ended(done, e, time.Now())
		case do := <-r.admin:
			do(done)
		}
	}
	return r.saver.saveRest(done, r)
}

// readDesired reads the file, and leaves things as they are while it is wrong.
func (r *reconciler) readDesired() {
	data, err := os.ReadFile(r.settings.desired)
	if err == nil && bytes.Equal(data, r.read) {
		return
	}
	var desired map[string][]string
	if err == nil {
		err = json.Unmarshal(data, &desired)
	}
	for name, command := range desired {
		if name == "" || len(command) == 0 {
			err = fmt.Errorf("daemon %q: a daemon has a name and a command", name)
		}
	}
	if err != nil {
		if text := err.Error(); text != r.badFile {
			r.badFile = text
			r.say("desired", "cannot be read, left as it was: %v", err)
		}
		return
	}
	r.desired, r.read, r.badFile = desired, data, ""
}
