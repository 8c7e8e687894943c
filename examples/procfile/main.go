// Command procfile runs the processes of a Procfile, and keeps them running. One
// that crashes is held, longer each time, and no other one suffers from it.
//
//	procfile [-f Procfile] [-c procfile.json] [process ...]
//
// A Procfile has a line "name: command" for each process; the commands are run by
// the shell. They are started in their order, and stopped in reverse order, each
// within its stop timeout, by SIGINT, SIGTERM or the key q, or when the terminal is
// closed or nobody reads the output any more. With names of processes
// as arguments, only those are run. How they are supervised is in a JSON file, see
// [config].
//
// Keys, each followed by Enter: none shows how all stand; r releases those that are
// held, "r name" a single one; "restart name" and "stop name"; q. SIGUSR1 releases all,
// too.
//
// What a process writes to its standard output and error goes to those of this
// program, each line behind the name of the process; lines with a * after the name
// are about the process, and go to the standard error.
//
// It ends when all processes have ended, or one has given up. The exit status is 0
// if they have ended cleanly or were told to stop, 1 if not, and 2 if the Procfile,
// the configuration or the arguments are at fault: then nothing was started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"

	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/process"
)

// The exit statuses.
const (
	exitClean = iota
	exitFailed
	exitUsage
)

var errQuit = errors.New("told to quit")

func main() {
	entries, c, err := read(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUsage)
	}
	for _, warning := range c.warnings(entries) {
		fmt.Fprintln(os.Stderr, "warning:", warning)
	}
	if err := run(entries, c, os.Stdin, newConsole(os.Stdout, os.Stderr, namesOf(entries))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFailed)
	}
}

// read returns what is to be run, and how.
func read(args []string) ([]entry, config, error) {
	flags := flag.NewFlagSet("procfile", flag.ContinueOnError)
	file := flags.String("f", "Procfile", "the Procfile")
	configFile := flags.String("c", "", "the JSON file that says how the processes are supervised; without it, as by default")
	if err := flags.Parse(args); err != nil {
		return nil, config{}, err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return nil, config{}, fmt.Errorf("the Procfile cannot be read: %w; name it with -f", err)
	}
	entries, err := parseProcfile(*file, string(text))
	if err != nil {
		return nil, config{}, err
	}
	c := defaultConfig()
	if *configFile != "" {
		data, err := os.ReadFile(*configFile)
		if err != nil {
			return nil, config{}, fmt.Errorf("the configuration cannot be read: %w", err)
		}
		if c, err = parseConfig(*configFile, data, entries); err != nil {
			return nil, config{}, err
		}
	}
	entries, err = choose(*file, entries, flags.Args())
	return entries, c, err
}

// run runs the processes until they have ended or are told to stop. It returns nil
// unless one has failed.
func run(entries []entry, c config, keys io.Reader, out *console) error {
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	defer stop()
	ctx, quit := context.WithCancelCause(ctx)
	sup := supervise.New("procfile", supervise.AllSignificant())
	lasting := slices.ContainsFunc(entries, func(e entry) bool { return c.of(e.name).restart == "always" })
	for i, e := range entries {
		opts := append(c.of(e.name).options(), supervise.WithLogger(out.logger(i, e.name)))
		if !lasting { // all of them can end, and then so do we
			opts = append(opts, supervise.Significant())
		}
		build := func(context.Context) *exec.Cmd { return shell(e.command) }
		if _, err := sup.TryAdd(e.name, process.Run(build), opts...); err != nil {
			panic(err) // names are unique
		}
	}
	o := &operator{sup: sup, console: out, quit: func() { quit(errQuit) }}
	go o.read(keys) // until the program ends
	released := onRelease(ctx, o.release)
	err := sup.Run(ctx)
	told := ctx.Err() != nil
	quit(nil)
	released()
	if told && !errors.Is(err, supervise.ErrAbandoned) {
		return nil // what the processes said to being stopped has been told
	}
	return err
}
