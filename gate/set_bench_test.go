package gate_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// many is the size of the set that the benchmarks look at.
const many = 1_000_000

// heapBytes is what is reachable.
func heapBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkSetMemory reports the bytes of each of a million gates, the tables and
// queues of the set included, but for the memory of the keys.
func BenchmarkSetMemory(b *testing.B) {
	keys := make([]string, many)
	for i := range keys {
		keys[i] = fmt.Sprintf("tenant-%d/daemon-%d", i%1000, i)
	}
	for _, bench := range []struct {
		name    string
		crashes int
		opts    []gate.SetOption[string]
	}{
		{"crashes=0/idle=unbounded", 0, nil},
		{"crashes=0/idle=bounded", 0, []gate.SetOption[string]{gate.WithMaxIdle[string](many)}},
		{"crashes=1/idle=unbounded", 1, nil},
		{"crashes=5/idle=unbounded", 5, nil},
		{"crashes=5/idle=unbounded/observed", 5, []gate.SetOption[string]{gate.OnKeyTransition(func(string, gate.Transition) {})}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for range b.N {
				before := heapBytes()
				set := gate.NewSet(nil, bench.opts...)
				for _, key := range keys {
					set.ObserveStart(key, start)
					for range bench.crashes {
						set.ObserveCrash(key, start, errCrash)
					}
				}
				b.ReportMetric(float64(heapBytes()-before)/many, "B/gate")
				runtime.KeepAlive(set)
			}
			runtime.KeepAlive(keys)
		})
	}
}

// heldSet returns a set of n gates, all held, whose deadlines are spread evenly
// over an hour that begins at from.
func heldSet(n int, from time.Time) *gate.Set[int] {
	set := gate.NewSet[int](policy.Constant(time.Hour))
	for _, i := range rand.Perm(n) {
		set.ObserveCrash(i, from.Add(-time.Hour).Add(time.Hour/time.Duration(n)*time.Duration(i)), errCrash)
	}
	return set
}

func BenchmarkSetTickNoneDue(b *testing.B) {
	for _, n := range []int{1000, many} {
		set := heldSet(n, start)
		now := start.Add(-time.Second)
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range set.Tick(now) {
					b.Fatal("a gate is due")
				}
			}
		})
	}
}

// BenchmarkSetTickDue has k of n held gates be due at each Tick; they crash
// again, so that as many stay held. Time per gate grows with log n, not with n.
func BenchmarkSetTickDue(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000, many} {
		for _, k := range []int{1, 10, 100, 1000} {
			set := heldSet(n, start)
			now := start
			b.Run(fmt.Sprintf("held=%d/due=%d", n, k), func(b *testing.B) {
				due := 0
				for b.Loop() {
					now = now.Add(time.Hour / time.Duration(n) * time.Duration(k))
					for key := range set.Tick(now) {
						set.ObserveCrash(key, now, errCrash)
						due++
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(due, 1)), "ns/due")
			})
		}
	}
}

func BenchmarkSetNextDeadline(b *testing.B) {
	set := heldSet(many, start)
	b.ReportAllocs()
	for b.Loop() {
		set.NextDeadline()
	}
}

// keyed is a gate for each key: a Set, or the sync.Map that one would use
// without it, which knows no deadlines.
type keyed interface {
	ObserveStart(key int, now time.Time)
	ObserveCrash(key int, now time.Time, err error) gate.State
	Admissible(key int, now time.Time) bool
}

type gateMap struct{ gates sync.Map }

func (m *gateMap) get(key int) *gate.Gate {
	g, ok := m.gates.Load(key)
	if !ok {
		g, _ = m.gates.LoadOrStore(key, gate.New(policy.Classic()))
	}
	return g.(*gate.Gate)
}

func (m *gateMap) ObserveStart(key int, now time.Time) { m.get(key).ObserveStart(now) }
func (m *gateMap) ObserveCrash(key int, now time.Time, err error) gate.State {
	return m.get(key).ObserveCrash(now, err)
}
func (m *gateMap) Admissible(key int, now time.Time) bool { return m.get(key).Admissible(now) }

var keyedGates = []struct {
	name  string
	fresh func() keyed
}{
	{"in=Set", func() keyed { return gate.NewSet[int](policy.Classic()) }},
	{"in=Set-bounded", func() keyed { return gate.NewSet(policy.Classic(), gate.WithMaxIdle[int](many)) }},
	{"in=sync.Map", func() keyed { return &gateMap{} }},
}

// BenchmarkKeyedObserveCrash has crashes come in on random keys of a million,
// each a little later than the one before.
func BenchmarkKeyedObserveCrash(b *testing.B) {
	for _, in := range keyedGates {
		b.Run(in.name, func(b *testing.B) {
			gates := in.fresh()
			for key := range many {
				gates.ObserveCrash(key, start, errCrash)
			}
			r := rand.New(rand.NewPCG(1, 2))
			now := start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Microsecond)
				gates.ObserveCrash(r.IntN(many), now, errCrash)
			}
		})
	}
}

func BenchmarkKeyedAdmissible(b *testing.B) {
	for _, in := range keyedGates {
		b.Run(in.name, func(b *testing.B) {
			gates := in.fresh()
			for key := range many {
				gates.ObserveStart(key, start)
			}
			r := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for b.Loop() {
				gates.Admissible(r.IntN(many), start)
			}
		})
	}
}

// BenchmarkKeyedParallel has two goroutines write (a start and a crash) and two
// read (is the task admissible?) on random keys.
func BenchmarkKeyedParallel(b *testing.B) {
	for _, in := range keyedGates {
		b.Run(in.name, func(b *testing.B) {
			gates := in.fresh()
			for key := range many {
				gates.ObserveCrash(key, start, errCrash)
			}
			b.ResetTimer()
			var all sync.WaitGroup
			for worker := range 4 {
				all.Go(func() {
					r := rand.New(rand.NewPCG(1, uint64(worker)))
					now := start
					for range b.N {
						now = now.Add(time.Microsecond)
						key := r.IntN(many)
						if worker%2 == 0 {
							gates.Admissible(key, now)
							continue
						}
						gates.ObserveStart(key, now)
						gates.ObserveCrash(key, now, errCrash)
					}
				})
			}
			all.Wait()
		})
	}
}

// BenchmarkSetFlood has each event make a new gate and forget an old one.
func BenchmarkSetFlood(b *testing.B) {
	set := gate.NewSet(nil, gate.WithMaxIdle[int](10_000))
	key := 0
	b.ReportAllocs()
	for b.Loop() {
		set.ObserveCleanExit(key, start)
		key++
	}
}

// BenchmarkSetObserved has transitions be observed: a crash and a force release.
func BenchmarkSetObserved(b *testing.B) {
	set := gate.NewSet(nil, gate.OnKeyTransition(func(int, gate.Transition) {}))
	b.ReportAllocs()
	for b.Loop() {
		set.ObserveCrash(1, start, errCrash)
		set.ForceRelease(1)
	}
}
