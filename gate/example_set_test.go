package gate_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// A reconcile loop asks one gate per daemon, and sleeps until the next hold ends.
func ExampleSet() {
	daemons := gate.NewSet[string](policy.Default())
	for _, name := range []string{"web", "mail", "web"} {
		fmt.Printf("%s crashed: %v\n", name, daemons.Get(name).ObserveCrash(noon, errors.New("exit status 1")))
	}

	next, _ := daemons.NextDeadline()
	fmt.Println("sleeps for", next.Sub(noon))
	for name, g := range daemons.Tick(next) {
		fmt.Println("starts", name)
		g.ObserveStart(next)
	}
	// Output:
	// web crashed: backing off until 2026-01-02T12:00:00.5Z
	// mail crashed: backing off until 2026-01-02T12:00:00.5Z
	// web crashed: backing off until 2026-01-02T12:00:01Z
	// sleeps for 500ms
	// starts mail
}

// Databases are slow to come up: restarts of theirs are further apart.
func ExampleWithPolicyFor() {
	kind := func(name string) policy.Policy {
		if name == "postgres" {
			return policy.Constant(30 * time.Second)
		}
		return nil // as the others
	}
	daemons := gate.NewSet(policy.Constant(time.Second), gate.WithPolicyFor(kind))
	for _, name := range []string{"postgres", "web"} {
		fmt.Println(name, daemons.Get(name).ObserveCrash(noon, errors.New("exit status 1")))
	}
	// Output:
	// postgres backing off until 2026-01-02T12:00:30Z
	// web backing off until 2026-01-02T12:00:01Z
}

// Keys that come from outside can be many: what is idle is forgotten, what
// crashes is not.
func ExampleWithMaxIdle() {
	tenants := gate.NewSet(nil, gate.WithMaxIdle[string](100))
	for range 5 {
		tenants.Get("mallory").ObserveCrash(noon, errors.New("exit status 1"))
	}
	for i := range 10_000 {
		tenants.Get(fmt.Sprint("mallory-", i))
	}
	fmt.Println(tenants.Len(), "gates; mallory is", tenants.Get("mallory").State())
	// Output:
	// 101 gates; mallory is crash looping until 2026-01-02T12:05:00Z
}

func ExampleOnKeyTransition() {
	daemons := gate.NewSet(nil, gate.OnKeyTransition(func(name string, t gate.Transition) {
		fmt.Printf("%s: %v, by %v\n", name, t.To, t.Cause)
	}))
	daemons.Get("web").ObserveCrash(noon, errors.New("exit status 1"))
	daemons.Get("web").ForceRelease()
	// Output:
	// web: backing off until 2026-01-02T12:00:00.5Z, by crash
	// web: idle, by force release
}

// A controller that is restarted goes on where the one before it was.
func ExampleSet_Restore() {
	before := gate.NewSet[string](nil)
	before.Get("web").ObserveCrash(noon, errors.New("exit status 1"))
	before.Get("mail").ObserveStart(noon)
	saved := maps.Collect(before.SnapshotAll()) // to JSON, a file, a store …

	after := gate.NewSet[string](nil)
	if err := after.Restore(noon.Add(200*time.Millisecond), maps.All(saved)); err != nil {
		fmt.Println(err)
	}
	for _, name := range slices.Sorted(maps.Keys(saved)) {
		fmt.Println(name, after.Get(name).State())
	}
	// Output:
	// mail idle
	// web backing off until 2026-01-02T12:00:00.5Z
}
