package gate

// mostShards is how many parts a Set or a RateLimiter is divided into, each with a lock
// of its own: a power of two. It is few enough for Set.Tick to look at all of them.
const mostShards = 64

// table finds entries by their keys. Go's map would do, but it takes twice the memory
// beside entries that have their keys in them, hashes each key once more than the Set
// has already, and keeps its memory when most of them are gone.
//
// It is a hash table with open addressing and linear probing. The zero value is empty.
// Not safe for concurrent use.
type table[K comparable, E keyed[K]] struct {
	places []place[E] // the length is a power of two, or 0
	count  int
}

// place has an entry's hash beside it, so that others are not looked at: they are
// elsewhere in memory.
type place[E any] struct {
	hash uint32 // 0 for no entry
	e    E
}

// keyed is what a table finds.
type keyed[K comparable] interface {
	comparable
	id() K
}

const (
	// minPlaces is the smallest length of a table that is not empty.
	minPlaces = 8
	// hashed is set in each hash, which is not 0 therefore.
	hashed = 1 << 31
)

// get returns the entry of key, nil if there is none.
func (t *table[K, E]) get(hash uint32, key K) (e E) {
	if t.count == 0 {
		return e
	}
	mask := len(t.places) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		p := &t.places[i]
		if p.hash == 0 || p.hash == hash && p.e.id() == key {
			return p.e
		}
	}
}

// add adds e, whose key must not be there.
func (t *table[K, E]) add(hash uint32, e E) {
	if 4*(t.count+1) > 3*len(t.places) {
		t.resize(max(2*len(t.places), minPlaces))
	}
	t.count++
	t.put(place[E]{hash, e})
}

func (t *table[K, E]) put(p place[E]) {
	mask := len(t.places) - 1
	i := int(p.hash) & mask
	for t.places[i].hash != 0 {
		i = (i + 1) & mask
	}
	t.places[i] = p
}

// remove takes out e, which must be there. What comes after it moves up to where it
// is found without e (Knuth, The Art of Computer Programming 6.4, algorithm R).
func (t *table[K, E]) remove(hash uint32, e E) {
	mask := len(t.places) - 1
	hole := int(hash) & mask
	for t.places[hole].e != e {
		hole = (hole + 1) & mask
	}
	for i := (hole + 1) & mask; t.places[i].hash != 0; i = (i + 1) & mask {
		if home := int(t.places[i].hash); (i-home)&mask >= (i-hole)&mask {
			t.places[hole] = t.places[i]
			hole = i
		}
	}
	t.places[hole] = place[E]{}
	if t.count--; len(t.places) > minPlaces && 8*t.count < len(t.places) {
		t.resize(len(t.places) / 2)
	}
}

func (t *table[K, E]) resize(length int) {
	before := t.places
	t.places = make([]place[E], length)
	for _, p := range before {
		if p.hash != 0 {
			t.put(p)
		}
	}
}

// all returns the entries, in no order.
func (t *table[K, E]) all() []E {
	all := make([]E, 0, t.count)
	for _, p := range t.places {
		if p.hash != 0 {
			all = append(all, p.e)
		}
	}
	return all
}
