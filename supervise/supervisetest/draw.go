package supervisetest

import "hash/fnv"

// draw is a source of numbers for one decision. It is our own, and not that of
// math/rand, so that a seed means the same with every release of Go.
type draw uint64

// newDraw returns the source for a fault, by its index, and a run.
func newDraw(seed uint64, task string, run uint64, index int) draw {
	path := fnv.New64a()
	path.Write([]byte(task)) // a hash never fails
	d := mix(seed)
	for _, part := range []uint64{path.Sum64(), run, uint64(index)} { //nolint:gosec // it is not negative
		d = mix(d ^ part)
	}
	return draw(d)
}

// next returns a number from 0 to below 1.
func (d *draw) next() float64 {
	const step = 0x9e3779b97f4a7c15
	*d += step
	return float64(mix(uint64(*d))>>11) / (1 << 53)
}

// mix is the finalizer of SplitMix64: Steele, Lea and Flood, "Fast Splittable
// Pseudorandom Number Generators", 2014.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
