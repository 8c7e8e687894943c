package gate_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// Where several may want to start the same task, TryStart lets one of them. Admissible
// would say yes to all.
func ExampleGate_TryStart() {
	g := gate.New(policy.Constant(time.Minute))
	g.ObserveCrash(noon, errors.New("exit status 1"))
	fmt.Println("at once:", g.TryStart(noon))

	var starters sync.WaitGroup
	var started atomic.Int32
	for range 20 {
		starters.Go(func() {
			if g.TryStart(noon.Add(time.Minute)) {
				started.Add(1)
			}
		})
	}
	starters.Wait()
	fmt.Println("after the hold:", started.Load(), "of 20")
	// Output:
	// at once: false
	// after the hold: 1 of 20
}
