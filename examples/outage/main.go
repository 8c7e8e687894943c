// Command outage shows what a policy makes of an outage: tasks run, what they depend
// on fails for a while and comes back, and the question is how long after that they
// are up, how often they were started in vain, and how many start at once. It takes
// seconds, of virtual time; nothing runs.
//
//	go run ./examples/outage
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// candidates are the policies that are compared.
var candidates = []struct {
	name   string
	policy policy.Policy
}{
	{"Classic", policy.Classic()},
	{"Default", policy.Default()},
}

func main() {
	svg := flag.String("svg", "", "also draw how long tasks stay down, over the outage's length, as an SVG picture into this `file`")
	flag.Parse()
	if err := run(os.Stdout, *svg); err != nil {
		fmt.Fprintln(os.Stderr, "outage:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, svg string) error {
	for _, c := range candidates {
		fmt.Fprintf(w, "%-8s %v\n", c.name, c.policy)
	}
	fmt.Fprintln(w)
	if err := table(w); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, c := range candidates {
		fmt.Fprintf(w, "%-8s a task that stays broken is started %d times on its first day, and %.1f times an hour in the long run\n",
			c.name, startsBroken(c.policy, day), float64(startsBroken(c.policy, 2*day)-startsBroken(c.policy, day))/24)
	}
	if svg == "" {
		return nil
	}
	f, err := os.Create(svg)
	if err != nil {
		return err
	}
	return errors.Join(draw(f), f.Close())
}

func table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "outage\ttasks\tpolicy\tup after: half\t99 %\tall\tin vain, each\tmost in a second\t")
	for _, length := range []time.Duration{2 * time.Second, 8 * time.Second, time.Minute, 10 * time.Minute} {
		for _, tasks := range []int{1, 1000} {
			for _, c := range candidates {
				r := outage(c.policy, tasks, length)
				fmt.Fprintf(t, "%v\t%d\t%s\t%v\t%v\t%v\t%.1f\t%d\t\n", length, tasks, c.name,
					r.lag(0.5), r.lag(0.99), r.lag(1), r.inVain, r.most)
			}
		}
	}
	return t.Flush()
}
