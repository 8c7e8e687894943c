package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

const module = "github.com/holdfast-go/holdfast"

// measurer runs benchmarks and collects what they report.
type measurer struct {
	dir     string // holds the test binaries
	cpu     string
	figures figures
}

// job is one process: the benchmarks of one package that match.
type job struct {
	pkg, bench, benchtime string
}

const (
	hot     = "^Benchmark(Now|TrackerObserveCrash|GateObserveCrash|GateContended|GateAdmissible|GateState|GateReaders|Decide|Restart|Run)$"
	hotPeer = "^Benchmark(Now|Restart|Decide|Read)$"
)

func (m *measurer) build(ctx context.Context) error {
	for _, pkg := range []string{"bench", "bench/compare"} {
		// Each in its own module, whose versions count.
		where, err := exec.CommandContext(ctx, "go", "list", "-find", "-f", "{{.Dir}}", module+"/"+pkg).Output() //nolint:gosec // constants
		if err != nil {
			return fmt.Errorf("finding %s: %w", pkg, err)
		}
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", m.binary(path.Base(pkg))) //nolint:gosec // constants
		cmd.Dir, cmd.Stderr = strings.TrimSpace(string(where)), os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("building the benchmarks of %s: %w", pkg, err)
		}
	}
	return nil
}

func (m *measurer) binary(pkg string) string { return filepath.Join(m.dir, pkg+".test") }

// many is a job for each library and size: a process of its own, since what a
// process has once grown to stays.
func many(bench string, libs []string, sizes ...int) (jobs []job) {
	for _, n := range sizes {
		for _, lib := range libs {
			jobs = append(jobs, job{"compare", "^Benchmark" + bench + "$/^lib=" + lib + "$/^tasks=" + strconv.Itoa(n) + "$", "1x"})
		}
	}
	return jobs
}

var (
	pools     = []string{"holdfast", "holdfast-in-order", "suture", "goroutine", "errgroup"}
	restarts  = []string{"holdfast", "holdfast-in-order", "suture", "oversight", "goroutine"}
	scaled    = []string{"holdfast", "suture", "goroutine"}
	scale     = []int{1, 10, 100, 1000, 10_000, 100_000, 1_000_000}
	idleSizes = []int{1000, 10_000, 100_000}

	// The time of oversight's tree grows with the square of the tasks: a hundred
	// thousand would take minutes.
	slow      = []string{"oversight"}
	slowSizes = []int{1000, 10_000}
)

const stormSize = 10_000

func (m *measurer) full(ctx context.Context, rounds int) error {
	each := []job{{"bench", hot, "30ms"}, {"compare", hotPeer, "30ms"}}
	each = append(each, many("Idle", pools, idleSizes...)...)
	each = append(each, many("Idle", slow, slowSizes...)...)
	each = append(each, many("Storm", restarts, stormSize)...)
	growth := many("Churn", scaled, scale[:len(scale)-1]...)
	growth = append(growth, many("Idle", scaled, scale[:3]...)...)
	// A million takes long: of peers, only as many goroutines.
	largest := []string{"holdfast", "goroutine"}
	growth = append(growth, many("Churn", largest, scale[len(scale)-1])...)
	growth = append(growth, many("Idle", largest, scale[len(scale)-1])...)
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		jobs := each
		if round < 3 {
			jobs = append(jobs[:len(jobs):len(jobs)], growth...)
		}
		for _, j := range jobs {
			if err := m.measure(ctx, j); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure runs a job and adds its figures.
func (m *measurer) measure(ctx context.Context, j job) error {
	cmd := exec.CommandContext(ctx, m.binary(j.pkg), "-test.run", "^$", "-test.bench", j.bench, "-test.benchtime", j.benchtime) //nolint:gosec // constants
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %s: %w\n%s", j.pkg, j.bench, err, text)
	}
	reader := benchfmt.NewReader(bytes.NewReader(text), j.pkg)
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue // a syntax error, or a unit
		}
		m.cpu = result.GetConfig("cpu")
		m.figures.add(j.pkg, result)
	}
	return reader.Err()
}
