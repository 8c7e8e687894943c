package gate_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
)

// BenchmarkRateLimiterMemory reports the bytes of each of a million items that failed
// once, but for the memory of the keys, and the bytes that are left of all of them
// when they were forgotten.
func BenchmarkRateLimiterMemory(b *testing.B) {
	keys := make([]string, many)
	for i := range keys {
		keys[i] = fmt.Sprintf("namespace-%d/name-%d", i%1000, i)
	}
	for range b.N {
		before := heapBytes()
		l := gate.NewRateLimiter[string](nil)
		for _, key := range keys {
			l.When(key)
		}
		b.ReportMetric(float64(heapBytes()-before)/many, "B/item")
		for _, key := range keys {
			l.Forget(key)
		}
		b.ReportMetric(float64(int64(heapBytes())-int64(before)), "B-left")
		runtime.KeepAlive(l)
	}
	runtime.KeepAlive(keys)
}
