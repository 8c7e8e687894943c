//go:build unix

// Command reconciler keeps daemons running as a file says it should be. It is
// the kind of loop that gates are made for: it looks at what is and what should
// be, and brings the one closer to the other, but starts nothing whose gate is
// held.
//
//	reconciler -desired daemons.json -state gates.db -socket admin.sock
//	reconciler -socket admin.sock status
//	reconciler -socket admin.sock release web
//
// The file has a command for each daemon:
//
//	{"web": ["/usr/bin/web", "-port", "8080"], "mail": ["/usr/bin/mail"]}
//
// It is read again all the time, so that an edit takes effect by itself. What
// happened to the daemons survives the death of the reconciler, in the state
// file; the daemons themselves do not, since each has a keeper that sees to that.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/holdfast-go/holdfast/gate/filestore"
	"github.com/holdfast-go/holdfast/policy"
)

// settings are the flags.
type settings struct {
	desired, state, socket, policy string
	poll, stop                     time.Duration
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == keepCommand {
		os.Exit(keep(os.Args[2:]))
	}
	var s settings
	flag.StringVar(&s.desired, "desired", "daemons.json", "the file that says which daemons should run")
	flag.StringVar(&s.state, "state", "gates.db", "the file that keeps what happened to them")
	flag.StringVar(&s.socket, "socket", "admin.sock", "the socket for admin commands")
	flag.StringVar(&s.policy, "policy", "", "a file with a policy.Config; without it, the default policy")
	flag.DurationVar(&s.poll, "poll", time.Second, "how often to look at everything again")
	flag.DurationVar(&s.stop, "stop", 10*time.Second, "how long a daemon may take to stop")
	flag.Parse()
	if err := run(s, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "reconciler:", err)
		os.Exit(1)
	}
}

func run(s settings, command []string) (err error) {
	if len(command) > 0 {
		return ask(os.Stdout, s.socket, command)
	}
	if s.poll <= 0 {
		return fmt.Errorf("poll (%v) is not positive; a second is common", s.poll)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, err := readPolicy(s.policy)
	if err != nil {
		return err
	}
	store, err := filestore.Open(s.state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	r := newReconciler(s, p, store, os.Stdout)
	closeAdmin, err := r.serve(s.socket)
	if err != nil {
		return err
	}
	if err = r.takeOver(ctx, store.All(ctx), time.Now()); err == nil {
		err = r.loop(ctx)
	}
	return errors.Join(err, closeAdmin())
}

func readPolicy(path string) (policy.Policy, error) {
	if path == "" {
		return policy.Default(), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	config := policy.DefaultConfig()
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config.Policy()
}
