// Command tick measures what gate.Set.Tick costs for each gate that is due, by how
// many gates there are and how many of them are due at once, and draws that.
//
//	go run ./bench/tick -svg bench/tick/tick.svg
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

var (
	errCrash = errors.New("exit status 1")
	start    = time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)
)

func main() {
	svg := flag.String("svg", "", "also draw the result as an SVG picture into this `file`")
	largest := flag.Int("n", 1_000_000, "the most gates; a power of ten from 1000 on")
	flag.Parse()
	if err := run(os.Stdout, *svg, *largest); err != nil {
		fmt.Fprintln(os.Stderr, "tick:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, svg string, largest int) error {
	r := measure(largest)
	if err := r.table(w); err != nil || svg == "" {
		return err
	}
	f, err := os.Create(svg)
	if err != nil {
		return err
	}
	return errors.Join(r.draw(f), f.Close())
}

// result is the time for each due gate, by k and n; 0 where k is above n.
type result struct {
	n, k []int
	per  [][]time.Duration
}

func measure(largest int) result {
	r := result{k: []int{1, 10, 100, 1000, 10_000}}
	for n := 1000; n <= largest; n *= 10 {
		r.n = append(r.n, n)
	}
	for _, k := range r.k {
		var row []time.Duration
		for _, n := range r.n {
			row = append(row, perDue(n, k))
		}
		r.per = append(r.per, row)
	}
	return r
}

// perDue is the median of some measurements, each of twenty thousand gates that
// are due, or of all there are, k at a time.
func perDue(n, k int) time.Duration {
	if k > n {
		return 0
	}
	var times []time.Duration
	for range 3 {
		set := heldSet(n)
		step := time.Hour / time.Duration(n)
		runtime.GC()
		ticks := min(max(20_000/k, 1), n/k)
		due, now := 0, start.Add(-step)
		begun := time.Now()
		for range ticks {
			now = now.Add(step * time.Duration(k))
			for range set.Tick(now) {
				due++
			}
		}
		times = append(times, time.Since(begun)/time.Duration(max(due, 1)))
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// heldSet returns a set of n gates, all held, whose holds end one by one in an hour.
func heldSet(n int) *gate.Set[int] {
	set := gate.NewSet[int](policy.Constant(time.Hour))
	random := rand.New(rand.NewPCG(1, uint64(n)))
	for _, i := range random.Perm(n) {
		set.ObserveCrash(i, start.Add(-time.Hour+time.Hour/time.Duration(n)*time.Duration(i)), errCrash)
	}
	return set
}

func (r result) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "due at once\t")
	for _, n := range r.n {
		fmt.Fprintf(t, "of %d\t", n)
	}
	fmt.Fprintln(t)
	for i, k := range r.k {
		fmt.Fprintf(t, "%d\t", k)
		for _, d := range r.per[i] {
			if d == 0 {
				fmt.Fprint(t, "-\t")
				continue
			}
			fmt.Fprintf(t, "%d ns each\t", d.Nanoseconds())
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
