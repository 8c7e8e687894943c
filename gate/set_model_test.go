package gate_test

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// naiveSet is a Set as its documentation has it: a map, looked through from end
// to end for whatever is asked. Each gate has a twin that is in no Set.
type naiveSet struct {
	maxIdle int // negative for no bound
	uses    int
	members map[string]*naiveMember
	ghosts  map[string]*naiveMember
}

type naiveMember struct {
	g, twin *gate.Gate
	used    int
}

func (m *naiveMember) isIdle() bool {
	return m.twin.State().Phase == gate.Idle && !m.twin.History().Running()
}

func (n *naiveSet) use(m *naiveMember) {
	n.uses++
	m.used = n.uses
}

// event is anything that happens to a gate, in the Set or not.
func (n *naiveSet) event(key string) {
	if ghost := n.ghosts[key]; ghost != nil {
		n.members[key] = ghost
		delete(n.ghosts, key)
	}
	n.use(n.members[key])
	n.evict()
}

func (n *naiveSet) idle() (keys []string) {
	for key, m := range n.members {
		if m.isIdle() {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		x, y := n.members[a], n.members[b]
		clean := func(m *naiveMember) int { return min(m.twin.History().Streak(), 1) }
		return cmp.Or(cmp.Compare(clean(x), clean(y)), cmp.Compare(x.used, y.used))
	})
	return keys
}

func (n *naiveSet) evict() {
	for keys := n.idle(); n.maxIdle >= 0 && len(keys) > n.maxIdle; keys = keys[1:] {
		n.ghosts[keys[0]] = n.members[keys[0]]
		delete(n.members, keys[0])
	}
}

// nextDeadline is the earliest end of a hold.
func (n *naiveSet) nextDeadline() (first time.Time, any bool) {
	for _, m := range n.members {
		if until, ends := m.twin.State().ReleaseAt(); ends && (!any || until.Before(first)) {
			first, any = until, true
		}
	}
	return first, any
}

func (n *naiveSet) due(now time.Time) (keys []string) {
	for key, m := range n.members {
		if s := m.twin.State(); s.Phase != gate.Idle && s.Admissible(now) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// setMachine has the same things happen to a Set and to its model. Its test
// holds on to every gate, so that those that were evicted stay what they are.
type setMachine struct {
	set   *gate.Set[string]
	model naiveSet
	clock clock
	p     policy.Policy
}

var setKeys = []string{"a", "b", "c", "d", "e", "f"}

func (m *setMachine) now(t *rapid.T) time.Time {
	var until time.Duration
	if next, ok := m.model.nextDeadline(); ok {
		until = next.Sub(start)
	}
	return start.Add(m.clock.draw(t, until))
}

func (m *setMachine) get(t *rapid.T) (string, *naiveMember) {
	key := rapid.SampledFrom(setKeys).Draw(t, "key")
	g := m.set.Get(key)
	known := cmp.Or(m.model.members[key], m.model.ghosts[key])
	if known == nil {
		known = &naiveMember{g: g, twin: gate.New(m.p)}
		m.model.members[key] = known
	}
	if known.g != g {
		t.Fatalf("Get(%q) made a second gate, while the first is still held", key)
	}
	m.model.event(key)
	return key, known
}

func (m *setMachine) event(what func(g *gate.Gate, now time.Time) any) func(*rapid.T) {
	return func(t *rapid.T) {
		known := slices.Sorted(maps.Keys(m.model.members))
		known = append(known, slices.Sorted(maps.Keys(m.model.ghosts))...)
		if len(known) == 0 {
			t.Skip("no gates yet")
		}
		key, now := rapid.SampledFrom(known).Draw(t, "key"), m.now(t)
		member := cmp.Or(m.model.members[key], m.model.ghosts[key])
		want := what(member.twin, now)
		if got := what(member.g, now); got != want {
			t.Fatalf("gate of %q: %v, want %v", key, got, want)
		}
		if want != false { // a release that released nothing is no event
			m.model.event(key)
		}
	}
}

func (m *setMachine) tick(t *rapid.T) {
	now := m.now(t)
	want, got := m.model.due(now), []string{}
	for key, g := range m.set.Tick(now) {
		got = append(got, key)
		member := m.model.members[key]
		if member == nil || member.g != g {
			t.Fatalf("Tick yields %q, whose gate is another", key)
		}
		same(t, "MaybeRelease of the twin", member.twin.MaybeRelease(now), true)
		m.model.event(key)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("Tick yields %q, want %q", got, want)
	}
}

func (m *setMachine) deleteOne(t *rapid.T) {
	key := rapid.SampledFrom(setKeys).Draw(t, "key")
	same(t, "Delete", m.set.Delete(key), m.model.members[key] != nil)
	deleted := cmp.Or(m.model.members[key], m.model.ghosts[key])
	delete(m.model.members, key)
	delete(m.model.ghosts, key)
	if deleted != nil { // of which the Set is to hear no more
		deleted.g.ForceRelease()
		deleted.g.ObserveCrash(m.now(t), errCrash)
	}
}

func (m *setMachine) check(t *rapid.T) {
	same(t, "Len", m.set.Len(), len(m.model.members))
	seen := map[string]*gate.Gate{}
	for key, g := range m.set.All() {
		seen[key] = g
	}
	for key, member := range m.model.members {
		same(t, "gate of "+key, seen[key], member.g)
		same(t, "state of "+key, member.g.State(), member.twin.State())
		found, ok := m.set.Lookup(key)
		same(t, "Lookup", ok, true)
		same(t, "Lookup", found, member.g)
	}
	same(t, "gates in All", len(seen), len(m.model.members))
	next, ok := m.set.NextDeadline()
	want, wantOK := m.model.nextDeadline()
	same(t, "NextDeadline exists", ok, wantOK)
	if !next.Equal(want) {
		t.Fatalf("NextDeadline = %v, want %v", next, want)
	}
}

// TestSetModel holds a Set against the naive model: the same gates, the same
// deadlines, and of those that are idle the same ones evicted.
func TestSetModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy.CrashLoop(4, 20*time.Second, 30*time.Second)(policy.Steps(0, time.Second, 5*time.Second))
		if rapid.Bool().Draw(t, "gives up") {
			p = policy.MaxCrashes(5, time.Minute)(p)
		}
		m := &setMachine{
			p:     policy.StableRun(10 * time.Second)(p),
			clock: clock{limits: []time.Duration{time.Second, 5 * time.Second, 20 * time.Second, 30 * time.Second}},
			model: naiveSet{maxIdle: rapid.IntRange(-1, 4).Draw(t, "max idle"), members: map[string]*naiveMember{}, ghosts: map[string]*naiveMember{}},
		}
		var opts []gate.SetOption[string]
		if m.model.maxIdle >= 0 {
			opts = append(opts, gate.WithMaxIdle[string](m.model.maxIdle))
		}
		m.set = gate.NewSet(m.p, opts...)

		t.Repeat(map[string]func(*rapid.T){
			"get": func(t *rapid.T) { m.get(t) },
			"get and start": func(t *rapid.T) {
				key, member := m.get(t)
				now := m.now(t)
				member.g.ObserveStart(now)
				member.twin.ObserveStart(now)
				m.model.event(key)
			},
			"start":         m.event(func(g *gate.Gate, now time.Time) any { g.ObserveStart(now); return g.State() }),
			"crash":         m.event(func(g *gate.Gate, now time.Time) any { return g.ObserveCrash(now, errCrash) }),
			"crash again":   m.event(func(g *gate.Gate, now time.Time) any { g.ObserveStart(now); return g.ObserveCrash(now, errCrash) }),
			"clean exit":    m.event(func(g *gate.Gate, now time.Time) any { return g.ObserveCleanExit(now) }),
			"restart":       m.event(func(g *gate.Gate, now time.Time) any { return g.ObserveRestart(now) }),
			"maybe release": m.event(func(g *gate.Gate, now time.Time) any { return g.MaybeRelease(now) }),
			"force release": m.event(func(g *gate.Gate, _ time.Time) any { g.ForceRelease(); return g.State() }),
			"delete":        m.deleteOne,
			"tick":          m.tick,
			"":              m.check,
		})
	})
}
