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

// BenchmarkSetMemory reports the bytes of each of a million gates, the maps and
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
					g := set.Get(key)
					for range bench.crashes {
						g.ObserveCrash(start, errCrash)
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
		set.Get(i).ObserveCrash(from.Add(-time.Hour).Add(time.Hour/time.Duration(n)*time.Duration(i)), errCrash)
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
					for _, g := range set.Tick(now) {
						g.ObserveCrash(now, errCrash)
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
type keyed interface{ Get(key int) *gate.Gate }

type gateMap struct{ gates sync.Map }

func (m *gateMap) Get(key int) *gate.Gate {
	g, ok := m.gates.Load(key)
	if !ok {
		g, _ = m.gates.LoadOrStore(key, gate.New(nil))
	}
	return g.(*gate.Gate)
}

var keyedGates = []struct {
	name  string
	fresh func() keyed
}{
	{"in=Set", func() keyed { return gate.NewSet[int](nil) }},
	{"in=Set-bounded", func() keyed { return gate.NewSet(nil, gate.WithMaxIdle[int](many)) }},
	{"in=sync.Map", func() keyed { return &gateMap{} }},
}

// BenchmarkKeyedObserveCrash has crashes come in on random keys of a million,
// each a little later than the one before.
func BenchmarkKeyedObserveCrash(b *testing.B) {
	for _, in := range keyedGates {
		b.Run(in.name, func(b *testing.B) {
			gates := in.fresh()
			for key := range many {
				gates.Get(key).ObserveCrash(start, errCrash)
			}
			r := rand.New(rand.NewPCG(1, 2))
			now := start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Microsecond)
				gates.Get(r.IntN(many)).ObserveCrash(now, errCrash)
			}
		})
	}
}

func BenchmarkKeyedGet(b *testing.B) {
	for _, in := range keyedGates {
		b.Run(in.name, func(b *testing.B) {
			gates := in.fresh()
			for key := range many {
				gates.Get(key)
			}
			r := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for b.Loop() {
				gates.Get(r.IntN(many))
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
				gates.Get(key).ObserveCrash(start, errCrash)
			}
			b.ResetTimer()
			var all sync.WaitGroup
			for worker := range 4 {
				all.Go(func() {
					r := rand.New(rand.NewPCG(1, uint64(worker)))
					now := start
					for range b.N {
						now = now.Add(time.Microsecond)
						g := gates.Get(r.IntN(many))
						if worker%2 == 0 {
							g.Admissible(now)
							continue
						}
						g.ObserveStart(now)
						g.ObserveCrash(now, errCrash)
					}
				})
			}
			all.Wait()
		})
	}
}

// BenchmarkSetFlood has each Get make a new gate and evict an old one.
func BenchmarkSetFlood(b *testing.B) {
	set := gate.NewSet(nil, gate.WithMaxIdle[int](10_000))
	key := 0
	b.ReportAllocs()
	for b.Loop() {
		set.Get(key)
		key++
	}
}
