package supervise_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// A task whose policy has seen crashes in one life of the process is not new to it in
// the next. In earnest the store is that of package gate/filestore.
func ExampleWithStore() {
	store := new(gatetest.MemoryStore)
	for life := 1; life <= 2; life++ {
		runs := 0
		_ = supervise.Run(context.Background(), func(context.Context) error {
			if runs++; runs <= 2 {
				return errors.New("connection refused")
			}
			return nil
		}, supervise.WithName("poller"), supervise.WithStore(store), quiet, supervise.WithPolicy(policy.Constant(0)))
		saved, _, _ := store.Load(context.Background(), "poller")
		fmt.Printf("life %d: %d crashes in a row\n", life, saved.History.Streak)
	}
	// Output:
	// life 1: 2 crashes in a row
	// life 2: 4 crashes in a row
}
